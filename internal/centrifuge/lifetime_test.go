package centrifuge

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestHeartbeat(t *testing.T) {
	gate := make(chan struct{})
	playAll(t, []transcript{
		{name: "ping and pong", lines: greet + `
			+ 25s
			a< {}
			a> {}
			+ 25s
			a< {}
			a> {}
			a> {"id":2,"ping":{}}
			a< {"id":2,"ping":{}}`},
		{name: "no pong", lines: greet + `
			+ 25s
			a< {}
			+ 8s
			a! 3012 no pong`},
		{name: "other commands are no pong", lines: greet + `
			+ 25s
			a< {}
			a> {"id":2,"ping":{}}
			a< {"id":2,"ping":{}}
			+ 8s
			a! 3012 no pong`},
		{name: "a pong nobody asked for", lines: greet + `
			a> {}
			a! 3501 bad request`},
		{name: "two pongs for one ping", lines: greet + `
			+ 25s
			a< {}
			a> {}⏎{}
			a! 3501 bad request`},
	})
	t.Run("a handler at work excuses a late pong", func(t *testing.T) {
		transcript{configure: func(_ *Config, a *app) {
			a.rpc = func(context.Context, *Conn, string, []byte) ([]byte, error) {
				a.note("at work")
				<-gate
				return nil, nil
			}
		}, do: map[string]func(*testing.T, *world){
			"finish": func(*testing.T, *world) { close(gate) },
			"miss a deadline": func(t *testing.T, w *world) {
				w.clock.Advance(9 * time.Second)
				c := onlyConn(w.server)
				eventually(t, "the pong was put off", func() bool {
					c.mu.Lock()
					defer c.mu.Unlock()
					return c.deadlines.pong.After(w.clock.Now())
				})
			},
		}, lines: greet + `
			a> {"id":2,"rpc":{"method":"slow"}}
			note at work
			+ 25s
			a< {}
			do miss a deadline
			do finish
			a< {"id":2,"rpc":{}}
			a> {}
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}`,
		}.play(t, transports["websocket"])
	})
}

func onlyConn(s *Server) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		return c
	}
	return nil
}

func TestExpiry(t *testing.T) {
	in := func(d time.Duration) time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(d) }
	expiring := func(cfg *Config, a *app) {
		cfg.PingInterval = time.Hour
		a.expiry = in(3 * time.Minute)
		a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) { return ConnectReply{ExpireAt: in(time.Minute)}, nil }
	}
	expiringSub := func(cfg *Config, a *app) {
		cfg.PingInterval = time.Hour
		a.expiry = in(3 * time.Minute)
		a.options = func(string) (SubscribeOptions, error) { return SubscribeOptions{ExpireAt: in(time.Minute)}, nil }
	}
	const admitted = `
		a> {"id":1,"connect":{}}
		a< {"id":1,"connect":{"client":"$a","version":"1.0","expires":true,"ttl":60,"ping":3600,"pong":true}}`
	const hourly = `
		a> {"id":1,"connect":{}}
		a< {"id":1,"connect":{"client":"$a","version":"1.0","ping":3600,"pong":true}}
		a> {"id":2,"subscribe":{"channel":"c"}}
		a< {"id":2,"subscribe":{"expires":true,"ttl":60}}`
	playAll(t, []transcript{
		{name: "a connection", configure: expiring, lines: admitted + `
			+ 85s
			a! 3005 connection expired`},
		{name: "a connection, refreshed in the grace", configure: expiring, lines: admitted + `
			+ 84s
			a> {"id":2,"refresh":{"token":"t"}}
			a< {"id":2,"refresh":{"client":"$a","version":"1.0","expires":true,"ttl":96}}
			+ 110s
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}
			+ 12s
			a! 3005 connection expired`},
		{name: "a refresh refused", configure: expiring, lines: admitted + `
			a> {"id":2,"refresh":{}}
			a< {"id":2,"error":{"code":109,"message":"token expired"}}`},
		{name: "a connection, refreshed by the application", configure: func(cfg *Config, a *app) {
			expiring(cfg, a)
			a.rpc = func(_ context.Context, c *Conn, _ string, _ []byte) ([]byte, error) {
				return nil, c.ExpireAt(in(2 * time.Minute))
			}
		}, lines: admitted + `
			a> {"id":2,"rpc":{"method":"m"}}
			a< {"push":{"refresh":{"expires":true,"ttl":120}}}
			a< {"id":2,"rpc":{}}
			+ 90s
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}
			+ 56s
			a! 3005 connection expired`},
		{name: "a subscription", configure: expiringSub, lines: hourly + `
			+ 84s
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}
			+ 1s
			a< {"push":{"channel":"c","unsubscribe":{"code":2501,"reason":"subscription expired"}}}
			note unsubscribed c 2501
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}`},
		{name: "a subscription, refreshed", configure: expiringSub, lines: hourly + `
			a> {"id":3,"sub_refresh":{"channel":"c","token":"t"}}
			a< {"id":3,"sub_refresh":{"expires":true,"ttl":180}}
			a> {"id":4,"sub_refresh":{"channel":"d","token":"t"}}
			a< {"id":4,"error":{"code":103,"message":"permission denied"}}
			+ 200s
			a> {"id":5,"ping":{}}
			a< {"id":5,"ping":{}}
			+ 6s
			a< {"push":{"channel":"c","unsubscribe":{"code":2501,"reason":"subscription expired"}}}`},
	})
}

func TestStale(t *testing.T) {
	w := newWorld(t, nil)
	for name, begin := range map[string]string{
		"says nothing":       "",
		"stops in a header":  "\x81",
		"stops in a payload": "\x81\x90\x00\x00\x00\x00{",
	} {
		t.Run(name, func(t *testing.T) {
			c := dialSocket(t, w, "")
			if _, err := c.conn.Write([]byte(begin)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the connection is known", func() bool { return w.server.Connections() == 1 })
			w.pass(t, 10*time.Second)
			mustEnd(t, c, DisconnectStale)
			eventually(t, "the connection is gone", func() bool { return w.server.Connections() == 0 })
		})
	}
}

// A client that stops inside a frame can't pong either.
func TestSlowLoris(t *testing.T) {
	w := newWorld(t, nil)
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	if _, err := c.conn.Write([]byte("\x81\xfe\xff\xff\x00\x00\x00\x00{")); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(25 * time.Second)
	if got := mustNext(t, c); got != "{}" {
		t.Fatalf("got %s, want a ping", got)
	}
	w.clock.Advance(8 * time.Second)
	mustEnd(t, c, DisconnectNoPong)
}

// A client that does not answer the close frame is not waited for.
func TestHalfOpen(t *testing.T) {
	w := newWorld(t, func(cfg *Config, _ *app) { cfg.CloseTimeout = 20 * time.Millisecond })
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	onlyConn(w.server).Disconnect(DisconnectForceReconnect)
	f, err := readFrame(c.conn)
	if err != nil || f.Header.OpCode != ws.OpClose {
		t.Fatalf("got %v, %v, want a close frame", f.Header, err)
	}
	eventually(t, "the connection is gone", func() bool { return w.server.Connections() == 0 })
}

func TestSlowClient(t *testing.T) {
	everyTransport(t, func(t *testing.T, dial func(*testing.T, *world) client) {
		w := newWorld(t, func(cfg *Config, _ *app) { cfg.CloseTimeout = guard })
		c := dial(t, w)
		mustConnect(t, c)
		mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
		mustNext(t, c)
		conn := onlyConn(w.server)
		big := `"` + strings.Repeat("x", 100<<10) + `"`
		sent := 0
		for ; conn.open(); sent++ {
			w.server.Publish("c", Publication{Data: []byte(big)})
			if size := conn.queued(); size > w.server.cfg.MaxQueue {
				t.Fatalf("%d bytes are queued, the limit is %d", size, w.server.cfg.MaxQueue)
			}
			if sent > 10_000 {
				t.Fatal("a gigabyte went nowhere")
			}
		}
		mustEnd(t, c, DisconnectSlow)
		eventually(t, "the handler heard of it", func() bool { return strings.Contains(w.noted(), "disconnected 3008") })
	})
}

func (c *Conn) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.size
}

func TestDrain(t *testing.T) {
	everyTransport(t, func(t *testing.T, dial func(*testing.T, *world) client) {
		w := newWorld(t, nil)
		var clients []client
		for range 20 {
			c := dial(t, w)
			mustConnect(t, c)
			mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
			mustNext(t, c)
			clients = append(clients, c)
		}
		w.server.Publish("c", Publication{Data: []byte("1")})
		stopped := make(chan error, 1)
		go func() { stopped <- w.stop() }()
		for _, c := range clients {
			if got := mustNext(t, c); got != `{"push":{"channel":"c","pub":{"data":1}}}` {
				t.Errorf("got %s, want what was queued before the end", got)
			}
			mustEnd(t, c, DisconnectShutdown)
		}
		if err := <-stopped; err != nil {
			t.Errorf("the drain ended with %v", err)
		}
		resp, err := http.Post(w.web.URL+"/http_stream", "application/json", strings.NewReader(`{"id":1,"connect":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after the drain a client is answered %s, want 503", resp.Status)
		}
	})
}

// Those who do not leave are cut, and Run says so.
func TestDrainRunsOutOfTime(t *testing.T) {
	w := newWorld(t, func(cfg *Config, _ *app) { cfg.CloseTimeout, cfg.DrainTimeout = time.Hour, 20*time.Millisecond })
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	err := w.stop()
	if err == nil || !strings.Contains(err.Error(), "1 connections were cut") {
		t.Errorf("Run ended with %v, want a word about one cut connection", err)
	}
	w.stop = func() error { return nil }
}
