package centrifuge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// serverSide grants channel s to everybody.
func serverSide(o SubscribeOptions) func(*Config, *app) {
	return func(_ *Config, a *app) {
		a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) {
			return ConnectReply{Subs: map[string]SubscribeOptions{"s": o}}, nil
		}
	}
}

var recoverable = serverSide(SubscribeOptions{Recoverable: true})

// connectReply is a's connect reply with what stands in channel s.
func connectReply(s string) string {
	return `{"id":1,"connect":{"client":"$a","version":"1.0","subs":{"s":` + s + `},"ping":25,"pong":true}}`
}

func TestRecovery(t *testing.T) {
	const asked = `a> {"id":2,"subscribe":{"channel":"c","recover":true,`
	playAll(t, []transcript{
		{name: "what was missed", lines: greet + `
			pub c 1
			pub c 2
			pub c 3
			` + asked + `"offset":1,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","publications":[{"data":2,"offset":2},{"data":3,"offset":3}],"recovered":true,"offset":3,"positioned":true,"was_recovering":true}}
			pub c 4
			a< {"push":{"channel":"c","pub":{"data":4,"offset":4}}}`},
		{name: "nothing was missed", lines: greet + `
			pub c 1
			` + asked + `"offset":1,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","recovered":true,"offset":1,"positioned":true,"was_recovering":true}}`},
		{name: "a channel nobody wrote to", lines: greet + `
			` + asked + `"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","recovered":true,"positioned":true,"was_recovering":true}}`},
		{name: "an empty epoch is believed", lines: greet + `
			pub c 1
			` + asked + `"offset":0}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","publications":[{"data":1,"offset":1}],"recovered":true,"offset":1,"positioned":true,"was_recovering":true}}`},
		{name: "another epoch", lines: greet + `
			pub c 1
			` + asked + `"offset":0,"epoch":"старая"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true,"was_recovering":true}}`},
		{name: "above the top", lines: greet + `
			pub c 1
			` + asked + `"offset":2,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true,"was_recovering":true}}`},
		{name: "no longer kept", configure: func(cfg *Config, a *app) {
			a.stream = NewMemoryStream("эпоха", 2)
			cfg.Stream = a.stream
		}, lines: greet + `
			pub c 1
			pub c 2
			pub c 3
			pub c 4
			` + asked + `"offset":1,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":4,"positioned":true,"was_recovering":true}}
			a> {"id":3,"unsubscribe":{"channel":"c"}}
			a< {"id":3,"unsubscribe":{}}
			` + asked + `"offset":2,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","publications":[{"data":3,"offset":3},{"data":4,"offset":4}],"recovered":true,"offset":4,"positioned":true,"was_recovering":true}}`},
		{name: "more than the limit", configure: func(cfg *Config, _ *app) { cfg.RecoverLimit = 2 }, lines: greet + `
			pub c 1
			pub c 2
			pub c 3
			` + asked + `"offset":0,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":3,"positioned":true,"was_recovering":true}}`},
		{name: "more bytes than the limit", configure: func(cfg *Config, _ *app) { cfg.MaxQueue = 1000 }, lines: greet + `
			pub c "` + strings.Repeat("x", 250) + `"
			pub c "` + strings.Repeat("y", 250) + `"
			` + asked + `"offset":0,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":2,"positioned":true,"was_recovering":true}}`},
		{name: "rejected on the client's wish", lines: greet + `
			` + asked + `"offset":5,"epoch":"эпоха","flag":3}}
			a< {"id":2,"error":{"code":112,"message":"unrecoverable position"}}
			a> {"id":3,"subscribe":{"channel":"c"}}
			a< {"id":3,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}`},
		{name: "a channel that is not recoverable", configure: func(_ *Config, a *app) {
			a.options = func(string) (SubscribeOptions, error) { return SubscribeOptions{}, nil }
		}, lines: greet + `
			` + asked + `"offset":5,"epoch":"эпоха"}}
			a< {"id":2,"subscribe":{"was_recovering":true}}`},
	})
}

func TestServerSideSubscriptions(t *testing.T) {
	asked := `a> {"id":1,"connect":{"subs":{"s":{"recover":true,"offset":1,"epoch":"эпоха"}}}}`
	playAll(t, []transcript{
		{name: "live from the reply on", configure: recoverable, lines: `
			pub s 1
			a> {"id":1,"connect":{}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true}`) + `
			pub s 2
			a< {"push":{"channel":"s","pub":{"data":2,"offset":2}}}`},
		{name: "offset 0 is left out", configure: recoverable, lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","positioned":true}`)},
		{name: "recovered", configure: recoverable, lines: `
			pub s 1
			pub s 2
			` + asked + `
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","publications":[{"data":2,"offset":2}],"recovered":true,"offset":2,"positioned":true,"was_recovering":true}`)},
		{name: "not recovered", configure: recoverable, lines: `
			` + asked + `
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","positioned":true,"was_recovering":true}`)},
		{name: "positions of channels not granted are ignored", lines: `
			a> {"id":1,"connect":{"subs":{"x":{"recover":true}}}}
			a< ` + hello},
		{name: "subscribing to a granted channel: 105", configure: recoverable, lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","positioned":true}`) + `
			a> {"id":2,"subscribe":{"channel":"s"}}
			a< {"id":2,"error":{"code":105,"message":"already subscribed"}}
			pub s 1
			a< {"push":{"channel":"s","pub":{"data":1,"offset":1}}}
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}`},
		{name: "subscribing to a granted channel: OK by option", configure: func(cfg *Config, a *app) {
			recoverable(cfg, a)
			cfg.AllowResubscribe = true
		}, lines: `
			pub s 1
			a> {"id":1,"connect":{}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true}`) + `
			a> {"id":2,"subscribe":{"channel":"s"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true}}
			a> {"id":3,"subscribe":{"channel":"s","recover":true,"offset":0,"epoch":"эпоха"}}
			a< {"id":3,"subscribe":{"recoverable":true,"epoch":"эпоха","publications":[{"data":1,"offset":1}],"recovered":true,"offset":1,"positioned":true,"was_recovering":true}}
			pub s 2
			a< {"push":{"channel":"s","pub":{"data":2,"offset":2}}}
			a> {"id":4,"ping":{}}
			a< {"id":4,"ping":{}}`},
		{name: "the option is not about a client's own channel", configure: func(cfg *Config, _ *app) { cfg.AllowResubscribe = true }, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			a> {"id":3,"subscribe":{"channel":"c"}}
			a< {"id":3,"error":{"code":105,"message":"already subscribed"}}`},
		{name: "by the server, later", configure: func(_ *Config, a *app) {
			a.rpc = func(ctx context.Context, c *Conn, method string, _ []byte) ([]byte, error) {
				if method == "leave" {
					c.Unsubscribe("s", UnsubscribeInsufficient)
					return nil, nil
				}
				return nil, c.Subscribe(ctx, "s", SubscribeOptions{Recoverable: true, Data: []byte("7")})
			}
		}, lines: greet + `
			pub s 1
			a> {"id":2,"rpc":{"method":"enter"}}
			a< {"push":{"channel":"s","subscribe":{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true,"data":7}}}
			a< {"id":2,"rpc":{}}
			pub s 2
			a< {"push":{"channel":"s","pub":{"data":2,"offset":2}}}
			a> {"id":3,"rpc":{"method":"enter"}}
			a< {"id":3,"error":{"code":105,"message":"already subscribed"}}
			a> {"id":4,"rpc":{"method":"leave"}}
			a< {"push":{"channel":"s","unsubscribe":{"code":2500,"reason":"insufficient state"}}}
			a< {"id":4,"rpc":{}}
			note unsubscribed s 2500
			pub s 3
			a> {"id":5,"ping":{}}
			a< {"id":5,"ping":{}}`},
	})
}

func TestPause(t *testing.T) {
	resume := func(o SubscribeOptions) func(*Config, *app) {
		return func(cfg *Config, a *app) {
			serverSide(o)(cfg, a)
			cfg.RecoverLimit = 3
			a.rpc = func(ctx context.Context, c *Conn, _ string, _ []byte) ([]byte, error) { return nil, c.Resume(ctx, "s") }
		}
	}
	connected := `
		a> {"id":1,"connect":{}}
		a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","positioned":true}`)
	playAll(t, []transcript{
		{name: "a recoverable channel catches up", configure: resume(SubscribeOptions{Recoverable: true, Paused: true}), lines: connected + `
			pub s 1
			typing s "…"
			pub s 2
			a> {"id":2,"rpc":{"method":"join"}}
			a< {"push":{"channel":"s","pub":{"data":1,"offset":1}}}
			a< {"push":{"channel":"s","pub":{"data":2,"offset":2}}}
			a< {"id":2,"rpc":{}}
			pub s 3
			a< {"push":{"channel":"s","pub":{"data":3,"offset":3}}}
			a> {"id":3,"rpc":{"method":"join"}}
			a< {"id":3,"rpc":{}}
			typing s "…"
			a< {"push":{"channel":"s","pub":{"data":"…"}}}`},
		{name: "a plain channel goes on from now", configure: resume(SubscribeOptions{Paused: true}), lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(`{}`) + `
			typing s 1
			a> {"id":2,"rpc":{"method":"join"}}
			a< {"id":2,"rpc":{}}
			typing s 2
			a< {"push":{"channel":"s","pub":{"data":2}}}`},
		{name: "a recovered client was live before", configure: resume(SubscribeOptions{Recoverable: true, Paused: true}), lines: `
			pub s 1
			a> {"id":1,"connect":{"subs":{"s":{"recover":true,"offset":1,"epoch":"эпоха"}}}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","recovered":true,"offset":1,"positioned":true,"was_recovering":true}`) + `
			pub s 2
			a< {"push":{"channel":"s","pub":{"data":2,"offset":2}}}`},
		{name: "one that was not recovered waits", configure: resume(SubscribeOptions{Recoverable: true, Paused: true}), lines: `
			pub s 1
			a> {"id":1,"connect":{"subs":{"s":{"recover":true,"offset":1,"epoch":"другая"}}}}
			a< ` + connectReply(`{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true,"was_recovering":true}`) + `
			pub s 2
			a> {"id":2,"ping":{}}
			a< {"id":2,"ping":{}}`},
		{name: "too much was missed", configure: resume(SubscribeOptions{Recoverable: true, Paused: true}), lines: connected + `
			pub s 1
			pub s 2
			pub s 3
			pub s 4
			a> {"id":2,"rpc":{"method":"join"}}
			a! 3010 insufficient state`},
	})
}

// busyStream gets a publication just before and just after each read, the second
// of them followed by one that is not kept.
type busyStream struct {
	*MemoryStream
	app *app
}

func (s busyStream) Read(ctx context.Context, channel string, q Query) (Page, error) {
	s.app.say(channel, `"before"`, nil)
	page, err := s.MemoryStream.Read(ctx, channel, q)
	s.app.say(channel, `"after"`, nil)
	s.app.server.Publish(channel, Publication{Data: []byte(`"typing"`)})
	return page, err
}

// What comes while the stream is read is told once, after the reply.
func TestPublicationsDuringARead(t *testing.T) {
	busy := func(cfg *Config, a *app) { cfg.Stream = busyStream{a.stream, a} }
	push := func(offset int) string {
		return fmt.Sprintf(`
			a< {"push":{"channel":"s","pub":{"data":"after","offset":%d}}}
			a< {"push":{"channel":"s","pub":{"data":"typing"}}}`, offset)
	}
	const seen = `
			a> {"id":9,"ping":{}}
			a< {"id":9,"ping":{}}`
	recovered := `{"recoverable":true,"epoch":"эпоха","publications":[{"data":"before","offset":1}],"recovered":true,"offset":1,"positioned":true,"was_recovering":true}`
	fresh := `{"recoverable":true,"epoch":"эпоха","offset":1,"positioned":true}`
	playAll(t, []transcript{
		{name: "subscribe", configure: busy, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"s"}}
			a< {"id":2,"subscribe":` + fresh + `}` + push(2) + seen},
		{name: "subscribe and recover", configure: busy, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"s","recover":true}}
			a< {"id":2,"subscribe":` + recovered + `}` + push(2) + seen},
		{name: "connect", configure: func(cfg *Config, a *app) { busy(cfg, a); recoverable(cfg, a) }, lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(fresh) + push(2) + seen},
		{name: "connect and recover", configure: func(cfg *Config, a *app) { busy(cfg, a); recoverable(cfg, a) }, lines: `
			a> {"id":1,"connect":{"subs":{"s":{"recover":true}}}}
			a< ` + connectReply(recovered) + push(2) + seen},
		{name: "subscribe again", configure: func(cfg *Config, a *app) {
			busy(cfg, a)
			recoverable(cfg, a)
			cfg.AllowResubscribe = true
		}, lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(fresh) + push(2) + `
			a> {"id":2,"subscribe":{"channel":"s"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":3,"positioned":true}}` + push(4) + seen},
		{name: "resume", configure: func(cfg *Config, a *app) {
			busy(cfg, a)
			serverSide(SubscribeOptions{Recoverable: true, Paused: true})(cfg, a)
			a.rpc = func(ctx context.Context, c *Conn, _ string, _ []byte) ([]byte, error) { return nil, c.Resume(ctx, "s") }
		}, lines: `
			a> {"id":1,"connect":{}}
			a< ` + connectReply(fresh) + `
			a> {"id":2,"rpc":{"method":"join"}}
			a< {"push":{"channel":"s","pub":{"data":"after","offset":2}}}
			a< {"push":{"channel":"s","pub":{"data":"before","offset":3}}}` + push(4) + `
			a< {"id":2,"rpc":{}}` + seen},
	})
}

// brokenStream fails.
type brokenStream struct{}

func (brokenStream) Read(context.Context, string, Query) (Page, error) {
	return Page{}, errors.New("the disk is gone")
}

func TestBrokenStream(t *testing.T) {
	broken := func(cfg *Config, _ *app) { cfg.Stream = brokenStream{} }
	read := map[string]func(*testing.T, *world){"read log": func(*testing.T, *world) {}}
	playAll(t, []transcript{
		{name: "subscribe", configure: broken, do: read, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}
			a> {"id":3,"subscribe":{"channel":"c"}}
			a< {"id":3,"error":{"code":100,"message":"internal server error","temporary":true}}
			do read log`},
		{name: "connect", configure: func(cfg *Config, a *app) { broken(cfg, a); recoverable(cfg, a) }, do: read, lines: `
			a> {"id":1,"connect":{}}
			a< {"id":1,"error":{"code":100,"message":"internal server error","temporary":true}}
			do read log`},
	})
}

// A client that comes back while others publish gets everything once, in order.
func TestRecoveryAmidPublications(t *testing.T) {
	const rounds, each = 10, 200
	everyTransport(t, func(t *testing.T, dial func(*testing.T, *world) client) {
		w := newWorld(t, func(cfg *Config, a *app) {
			a.stream = NewMemoryStream("эпоха", rounds*each)
			cfg.Stream, cfg.RecoverLimit = a.stream, rounds*each
		})
		turns := make(chan int)
		published := make(chan struct{})
		go func() {
			defer close(published)
			for first := range turns {
				for i := range each {
					w.say("c", fmt.Sprint(first+i), nil)
				}
			}
		}()
		position := uint64(0)
		for round := range rounds {
			c := dial(t, w)
			mustConnect(t, c)
			turns <- round*each + 1
			// It leaves before it has seen everything, but for the last time.
			until := uint64(round*each + each/2)
			if round == rounds-1 {
				until = rounds * each
			}
			position = recoverSome(t, c, position, until)
			c.hangUp()
		}
		close(turns)
		<-published
	})
}

// recoverSome subscribes from a position, takes publications until another and
// returns where it stands then.
func recoverSome(t *testing.T, c client, position, until uint64) uint64 {
	t.Helper()
	mustSend(t, c, fmt.Sprintf(`{"id":2,"subscribe":{"channel":"c","recover":true,"offset":%d,"epoch":"эпоха"}}`, position))
	take := func(p *protocol.Publication) {
		if position++; p.Offset != position || string(p.Data) != fmt.Sprint(position) {
			t.Fatalf("got publication %d with %s, want %d", p.Offset, p.Data, position)
		}
	}
	for replied := false; !replied || position < until; {
		var reply protocol.Reply
		if err := json.Unmarshal([]byte(mustNext(t, c)), &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Subscribe == nil {
			take(reply.Push.Pub)
			continue
		}
		replied = true
		if !reply.Subscribe.Recovered {
			t.Fatalf("position %d was not recovered", position)
		}
		for _, p := range reply.Subscribe.Publications {
			take(p)
		}
		if position != reply.Subscribe.Offset {
			t.Fatalf("recovered up to %d, the top is %d", position, reply.Subscribe.Offset)
		}
	}
	return position
}
