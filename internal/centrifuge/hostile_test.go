package centrifuge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// withWitness runs a test of a hostile client beside one that behaves and must
// not notice.
func withWitness(t *testing.T, configure func(*Config, *app), hostile func(t *testing.T, w *world)) {
	t.Helper()
	w := newWorld(t, configure)
	witness := dialSocket(t, w, "")
	mustConnect(t, witness)
	hostile(t, w)
	mustSend(t, witness, `{"id":9,"ping":{}}`)
	if got := mustNext(t, witness); got != `{"id":9,"ping":{}}` {
		t.Errorf("the witness got %s", got)
	}
	eventually(t, "the witness is alone", func() bool { return w.server.Connections() == 1 })
}

// flood sends frames until the server has had enough; the replies are read
// meanwhile by whoever calls next.
func flood(c *socketClient, frame string, count int) {
	for range count {
		if c.send(frame) != nil {
			return
		}
	}
}

func TestOversizeMessage(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		go c.send(`{"id":1,"connect":{"data":"` + strings.Repeat("x", 64<<10) + `"}}`)
		mustEnd(t, c, Disconnect{1009, "message too big"})
	})
}

func TestTenMegabytesOfTinyPackets(t *testing.T) {
	for name, tt := range map[string]struct {
		frame string
		want  Disconnect
	}{
		"pings": {`{"id":1,"ping":{}}`, DisconnectTooManyRequests},
		"pongs": {`{}`, DisconnectBadRequest},
		"many in a frame": {strings.Repeat(`{"id":1,"ping":{}}`+"\n", 3000),
			DisconnectTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			withWitness(t, nil, func(t *testing.T, w *world) {
				c := dialSocket(t, w, "")
				mustConnect(t, c)
				done := make(chan struct{})
				go func() {
					defer close(done)
					flood(c, tt.frame, 10<<20/len(tt.frame))
				}()
				mustEnd(t, c, tt.want)
				c.hangUp()
				<-done
			})
		})
	}
}

// One that sends and never reads fills its own queue only.
func TestFloodWithoutReading(t *testing.T) {
	withWitness(t, func(cfg *Config, _ *app) { cfg.CommandBurst, cfg.MaxQueue = 1<<30, 64<<10 }, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		id := mustConnect(t, c)
		echo := `{"id":1,"rpc":{"method":"m","data":"` + strings.Repeat("x", 32<<10) + `"}}`
		done := make(chan struct{})
		go func() {
			defer close(done)
			flood(c, echo, 1<<20)
		}()
		eventually(t, "the flood was stopped", func() bool { return !w.connByID(id).open() })
		mustEnd(t, c, DisconnectSlow)
		c.hangUp()
		<-done
	})
}

func (w *world) connByID(id string) *Conn {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	for c := range w.server.conns {
		if c.id == id {
			return c
		}
	}
	return &Conn{outbox: outbox{closing: &Disconnect{}}}
}

func TestHundredThousandSubscriptions(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := 0; n < 100_000; n += 1000 {
				var frame strings.Builder
				for i := range 1000 {
					fmt.Fprintf(&frame, `{"id":%d,"subscribe":{"channel":"%d"}}`+"\n", n+i+2, n+i)
				}
				if c.send(frame.String()) != nil {
					return
				}
			}
		}()
		granted, refused := 0, 0
		for {
			line, err := c.next()
			if err != nil {
				if !errors.Is(err, ended{3013, "too many requests"}) {
					t.Errorf("it ended with %v, want 3013", err)
				}
				break
			}
			if strings.Contains(line, `"code":106`) {
				refused++
			} else if strings.Contains(line, `"subscribe"`) {
				granted++
			}
		}
		if granted != 128 || refused == 0 {
			t.Errorf("%d channels were granted and %d refused with 106, want 128 and the rest", granted, refused)
		}
		c.hangUp()
		<-done
		eventually(t, "the channels are gone", func() bool { return w.server.hub.count() == 0 })
	})
}

func (h *hub) count() (n int) {
	for i := range h.shards {
		h.shards[i].mu.Lock()
		n += len(h.shards[i].channels)
		h.shards[i].mu.Unlock()
	}
	return n
}

func TestHostileChannelNames(t *testing.T) {
	names := []string{"__proto__", "constructor", "a\nb", `"`, `\`, "\x00", "\u2028", "</script>", "%00", "../..", "🦔", " ",
		"\U0010ffff", strings.Repeat("x", 255), "$a", "{}", "\ufeff"}
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		for i, name := range names {
			quoted, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			mustSend(t, c, fmt.Sprintf(`{"id":%d,"subscribe":{"channel":%s}}`+"\n"+`{"id":1000,"publish":{"channel":%s,"data":%d}}`, i+2, quoted, quoted, i))
			for range 3 { // subscribe, push, publish
				var reply protocol.Reply
				if err := json.Unmarshal([]byte(mustNext(t, c)), &reply); err != nil {
					t.Fatal(err)
				}
				if reply.Error != nil || reply.Push != nil && reply.Push.Channel != name {
					t.Errorf("channel %q: got %+v, %+v", name, reply.Error, reply.Push)
				}
			}
		}
		c.hangUp()
	})
}

func TestInvalidUTF8(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		text := dialSocket(t, w, "")
		mustSend(t, text, "{\"id\":1,\"connect\":{\"name\":\"\xff\"}}")
		mustEnd(t, text, Disconnect{1007, "text is not UTF-8"})
		binary := dialSocket(t, w, "")
		binary.bytes = true
		mustSend(t, binary, "{\"id\":1,\"connect\":{\"name\":\"\xff\"}}")
		mustEnd(t, binary, DisconnectBadRequest)
	})
}

// Clients that speak JSON in binary frames are understood.
func TestJSONInBinaryFrames(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		c.bytes = true
		mustConnect(t, c)
		c.hangUp()
	})
}

// A payload that is not JSON can't be told to a client that speaks JSON.
func TestBinaryPayloadEndsJSONSubscribers(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
		mustNext(t, c)
		w.server.Publish("c", Publication{Data: []byte{0, 255}})
		mustEnd(t, c, DisconnectInappropriateProtocol)
	})
}

func TestViolationsOfWebSocket(t *testing.T) {
	for name, tt := range map[string]struct {
		frame ws.Frame
		want  Disconnect
	}{
		"no mask":       {ws.NewTextFrame([]byte("{}")), Disconnect{1002, "malformed frame"}},
		"reserved bits": {ws.MaskFrame(ws.Frame{Header: ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText}}), Disconnect{1002, "malformed frame"}},
	} {
		t.Run(name, func(t *testing.T) {
			withWitness(t, nil, func(t *testing.T, w *world) {
				c := dialSocket(t, w, "")
				mustConnect(t, c)
				if err := ws.WriteFrame(c.conn, tt.frame); err != nil {
					t.Fatal(err)
				}
				mustEnd(t, c, tt.want)
			})
		})
	}
}

func TestPanicsAreContained(t *testing.T) {
	panicking := func(_ *Config, a *app) {
		a.rpc = func(context.Context, *Conn, string, []byte) ([]byte, error) { panic("ой") }
	}
	withWitness(t, panicking, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		mustSend(t, c, `{"id":2,"rpc":{"method":"m"}}`)
		mustEnd(t, c, DisconnectServerError)
		if !strings.Contains(w.logText(), "ой") {
			t.Errorf("the log says %q", w.logText())
		}
	})
}

// panickyLink panics when it is written to.
type panickyLink struct{ link }

func (panickyLink) write([][]byte) error { panic("ой") }

func TestPanicInAWriterIsContained(t *testing.T) {
	withWitness(t, nil, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		id := mustConnect(t, c)
		conn := w.connByID(id)
		conn.mu.Lock()
		conn.link = panickyLink{conn.link}
		conn.mu.Unlock()
		if err := conn.Send([]byte("1")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.next(); err == nil {
			t.Error("the connection goes on")
		}
	})
}
