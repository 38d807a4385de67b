package centrifuge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a handler learns about a connection.
func TestConnTellsWhoItIs(t *testing.T) {
	for transport, dial := range transports {
		t.Run(transport, func(t *testing.T) {
			w := newWorld(t, func(_ *Config, a *app) {
				a.connect = func(c *Conn, e ConnectEvent) (ConnectReply, error) {
					if c.User() != "" || c.Value() != nil || c.Context().Err() != nil {
						t.Errorf("before it is admitted: user %q, value %v, context %v", c.User(), c.Value(), c.Context().Err())
					}
					return ConnectReply{User: "алиса", Info: []byte(`{"i":1}`), Value: 7}, nil
				}
				a.rpc = func(_ context.Context, c *Conn, _ string, _ []byte) ([]byte, error) {
					return fmt.Appendf(nil, "%q", fmt.Sprint(c.Transport(), c.Protocol(), c.Name(), c.User(), c.Value(), c.Info().Client == c.ID(), string(c.Info().ConnInfo))), nil
				}
			})
			c := dial(t, w)
			mustSend(t, c, `{"id":1,"connect":{"name":"js"}}`)
			mustNext(t, c)
			mustSend(t, c, `{"id":2,"rpc":{"method":"m"}}`)
			want := fmt.Sprintf(`{"id":2,"rpc":{"data":%q}}`, fmt.Sprint(transport, "json", "js", "алиса", 7, true, `{"i":1}`))
			if got := mustNext(t, c); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestConnAfterItsEnd(t *testing.T) {
	w := newWorld(t, nil)
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	conn := onlyConn(w.server)
	conn.Disconnect(DisconnectForceReconnect)
	conn.Disconnect(DisconnectForceNoReconnect)
	mustEnd(t, c, DisconnectForceReconnect)
	eventually(t, "the connection is gone", func() bool { return w.server.Connections() == 0 })
	for what, err := range map[string]error{
		"send":      conn.Send([]byte("1")),
		"subscribe": conn.Subscribe(t.Context(), "c", SubscribeOptions{}),
		"expire":    conn.ExpireAt(time.Time{}),
	} {
		if !errors.Is(err, ErrConnClosed) {
			t.Errorf("%s: %v, want ErrConnClosed", what, err)
		}
	}
	if err := conn.Resume(t.Context(), "c"); err == nil {
		t.Error("a channel it is not subscribed to was resumed")
	}
	conn.Unsubscribe("c", UnsubscribeByServer)
	if conn.Context().Err() == nil {
		t.Error("its context goes on")
	}
	if got := w.noted(); got != "disconnected 3011" {
		t.Errorf("the handler noted %q", got)
	}
}

func TestSendOfForeignBytes(t *testing.T) {
	w := newWorld(t, nil)
	c := dialSocket(t, w, "")
	mustConnect(t, c)
	if err := onlyConn(w.server).Send([]byte{255}); err == nil {
		t.Error("bytes that are not JSON went to a client that speaks JSON")
	}
	mustSend(t, c, `{"id":2,"ping":{}}`)
	if got := mustNext(t, c); got != `{"id":2,"ping":{}}` {
		t.Errorf("got %s", got)
	}
}

// farewell panics when it hears of ends.
type farewell struct{ *app }

func (farewell) Unsubscribed(*Conn, string, Unsubscribe) { panic("ой") }
func (farewell) Disconnected(*Conn, Disconnect)          { panic("ой") }

func TestPanicAtTheEndIsContained(t *testing.T) {
	withWitness(t, func(cfg *Config, a *app) { cfg.Handler = farewell{a} }, func(t *testing.T, w *world) {
		c := dialSocket(t, w, "")
		mustConnect(t, c)
		mustSend(t, c, `{"id":2,"subscribe":{"channel":"c"}}`)
		mustNext(t, c)
		c.hangUp()
		eventually(t, "both panics were logged", func() bool { return strings.Count(w.logText(), "ой") == 2 })
		eventually(t, "the channel is gone", func() bool { return w.server.hub.count() == 0 })
	})
}
