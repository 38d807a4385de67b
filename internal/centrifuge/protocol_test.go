package centrifuge

import (
	"context"
	"errors"
	"strings"
	"testing"
)

const hello = `{"id":1,"connect":{"client":"$a","version":"1.0","ping":25,"pong":true}}`

// greet connects a.
const greet = `
	a> {"id":1,"connect":{}}
	a< ` + hello

func TestConnect(t *testing.T) {
	playAll(t, []transcript{
		{name: "data and user", lines: `
			a> {"id":7,"connect":{"token":"алиса","data":{"ключ":"🔑"},"name":"js","version":"2"}}
			a< {"id":7,"connect":{"client":"$a","version":"1.0","data":{"ключ":"🔑"},"ping":25,"pong":true}}`},
		{name: "commands may follow in the same frame", lines: `
			a> {"id":1,"connect":{}}⏎{"id":2,"ping":{}}
			a< ` + hello + `
			a< {"id":2,"ping":{}}`},
		{name: "name and version are clipped", configure: func(_ *Config, a *app) {
			a.connect = func(_ *Conn, e ConnectEvent) (ConnectReply, error) {
				return ConnectReply{Data: []byte(`"` + e.Name + "|" + e.Version + `"`)}, nil
			}
		}, lines: `
			a> {"id":1,"connect":{"name":"очень длинное","version":"` + strings.Repeat("v", 65) + `"}}
			a< {"id":1,"connect":{"client":"$a","version":"1.0","data":"очень дл|` + strings.Repeat("v", 64) + `","ping":25,"pong":true}}`},
		{name: "headers", configure: func(_ *Config, a *app) {
			a.connect = func(_ *Conn, e ConnectEvent) (ConnectReply, error) { return ConnectReply{User: e.Headers["x"]}, nil }
		}, lines: `
			a> {"id":1,"connect":{"headers":{"x":"y"}}}
			a< ` + hello},
		{name: "a command before connect", lines: `
			a> {"id":1,"ping":{}}
			a! 3501 bad request`},
		{name: "a pong before connect", lines: `
			a> {}
			a! 3501 bad request`},
		{name: "connect without an id", lines: `
			a> {"connect":{}}
			a! 3501 bad request`},
		{name: "a second connect", lines: greet + `
			a> {"id":2,"connect":{}}
			a! 3501 bad request`},
		{name: "a custom error", configure: func(_ *Config, a *app) {
			a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) {
				return ConnectReply{}, Error{Code: 404, Message: "нет такого"}
			}
		}, lines: `
			a> {"id":1,"connect":{}}
			a< {"id":1,"error":{"code":404,"message":"нет такого"}}`},
		{name: "a disconnect", configure: func(_ *Config, a *app) {
			a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) { return ConnectReply{}, DisconnectInvalidToken }
		}, lines: `
			a> {"id":1,"connect":{}}
			a! 3500 invalid token`},
		{name: "an application's own disconnect", configure: func(_ *Config, a *app) {
			a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) {
				return ConnectReply{}, Disconnect{4501, "нельзя"}
			}
		}, lines: `
			a> {"id":1,"connect":{}}
			a! 4501 нельзя`},
		{name: "an internal error is told as 100 and logged", configure: func(_ *Config, a *app) {
			a.connect = func(*Conn, ConnectEvent) (ConnectReply, error) { return ConnectReply{}, errors.New("secret") }
		}, do: map[string]func(*testing.T, *world){"read log": func(t *testing.T, w *world) {
			if !strings.Contains(w.logText(), "secret") {
				t.Errorf("the log says %q", w.logText())
			}
		}}, lines: `
			a> {"id":1,"connect":{}}
			a< {"id":1,"error":{"code":100,"message":"internal server error","temporary":true}}
			do read log`},
	})
}

// Only a WebSocket carries a second try: a stream's session is told in the reply.
func TestConnectAgain(t *testing.T) {
	transcript{name: "an error leaves a second chance", configure: func(_ *Config, a *app) {
		a.connect = func(_ *Conn, e ConnectEvent) (ConnectReply, error) {
			if e.Token == "" {
				return ConnectReply{}, ErrTokenExpired
			}
			return ConnectReply{}, nil
		}
	}, lines: `
		a> {"id":1,"connect":{}}
		a< {"id":1,"error":{"code":109,"message":"token expired"}}
		a> {"id":1,"connect":{"token":"t"}}
		a< ` + hello}.play(t, transports["websocket"])
}

func TestCalls(t *testing.T) {
	rpc := func(f func(*Conn, string, []byte) ([]byte, error)) func(*Config, *app) {
		return func(_ *Config, a *app) {
			a.rpc = func(_ context.Context, c *Conn, method string, data []byte) ([]byte, error) {
				return f(c, method, data)
			}
		}
	}
	playAll(t, []transcript{
		{name: "rpc", lines: greet + `
			a> {"id":2,"rpc":{"method":"m","data":{"a":"ё🙂"}}}
			a< {"id":2,"rpc":{"data":{"a":"ё🙂"}}}
			a> {"id":3,"rpc":{"method":"m"}}
			a< {"id":3,"rpc":{}}`},
		{name: "rpc refused", configure: rpc(func(*Conn, string, []byte) ([]byte, error) { return nil, ErrMethodNotFound }), lines: greet + `
			a> {"id":2,"rpc":{"method":"нет"}}
			a< {"id":2,"error":{"code":104,"message":"method not found"}}`},
		{name: "rpc disconnects", configure: rpc(func(*Conn, string, []byte) ([]byte, error) { return nil, DisconnectForceNoReconnect }), lines: greet + `
			a> {"id":2,"rpc":{"method":"m"}}
			a! 3503 force disconnect`},
		{name: "rpc whose answer is no JSON", configure: rpc(func(*Conn, string, []byte) ([]byte, error) { return []byte{0xff}, nil }),
			do: map[string]func(*testing.T, *world){"read log": func(*testing.T, *world) {}}, lines: greet + `
			a> {"id":2,"rpc":{"method":"m"}}
			a< {"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}
			do read log`},
		{name: "pushes of a handler come before its reply", configure: rpc(func(c *Conn, _ string, data []byte) ([]byte, error) {
			return nil, c.Send(data)
		}), lines: greet + `
			a> {"id":2,"rpc":{"method":"m","data":1}}
			a< {"push":{"message":{"data":1}}}
			a< {"id":2,"rpc":{}}`},
		{name: "send gets no answer", lines: greet + `
			a> {"send":{"data":"раз"}}⏎{"send":{"data":"два"}}⏎{"id":2,"ping":{}}
			a< {"push":{"message":{"data":"раз"}}}
			a< {"push":{"message":{"data":"два"}}}
			a< {"id":2,"ping":{}}`},
		{name: "ping", lines: greet + `
			a> {"id":4294967295,"ping":{}}
			a< {"id":4294967295,"ping":{}}`},
		{name: "a command without an id", lines: greet + `
			a> {"rpc":{"method":"m"}}
			a! 3501 bad request`},
		{name: "a command without a request", lines: greet + `
			a> {"id":2}
			a< {"id":2,"error":{"code":104,"message":"method not found"}}`},
		{name: "a command of a later protocol", lines: greet + `
			a> {"id":2,"teleport":{}}
			a< {"id":2,"error":{"code":104,"message":"method not found"}}`},
		{name: "a frame that is no command", lines: greet + `
			a> {"id":2,
			a! 3501 bad request`},
		{name: "what stands before a broken command is done", lines: greet + `
			a> {"id":2,"ping":{}}⏎oops
			a< {"id":2,"ping":{}}
			a! 3501 bad request`},
		{name: "an empty frame", lines: greet + `
			a>
			a! 3501 bad request`},
	})
}

func TestSubscriptions(t *testing.T) {
	playAll(t, []transcript{
		{name: "publish", lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c","data":{"d":1}}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true,"data":{"d":1}}}
			b> {"id":1,"connect":{"token":"боб"}}
			b< {"id":1,"connect":{"client":"$b","version":"1.0","ping":25,"pong":true}}
			b> {"id":2,"publish":{"channel":"c","data":{"x":"ё"}}}
			b< {"id":2,"publish":{}}
			a< {"push":{"channel":"c","pub":{"data":{"x":"ё"},"info":{"user":"боб","client":"$b"},"offset":1}}}
			typing c "…"
			a< {"push":{"channel":"c","pub":{"data":"…"}}}
			a> {"id":3,"unsubscribe":{"channel":"c"}}
			a< {"id":3,"unsubscribe":{}}
			pub c 2
			a> {"id":4,"ping":{}}
			a< {"id":4,"ping":{}}
			note unsubscribed c 0`},
		{name: "a publisher who is subscribed hears itself before the reply", lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}⏎{"id":3,"publish":{"channel":"c","data":1}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			a< {"push":{"channel":"c","pub":{"data":1,"info":{"user":"","client":"$a"},"offset":1}}}
			a< {"id":3,"publish":{}}`},
		{name: "the same channel twice", lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			a> {"id":3,"subscribe":{"channel":"c"}}
			a< {"id":3,"error":{"code":105,"message":"already subscribed"}}`},
		{name: "unsubscribing twice does no harm", lines: greet + `
			a> {"id":2,"unsubscribe":{"channel":"c"}}
			a< {"id":2,"unsubscribe":{}}`},
		{name: "refused", configure: func(_ *Config, a *app) {
			a.options = func(channel string) (SubscribeOptions, error) {
				return SubscribeOptions{}, map[string]error{"u": ErrUnknownChannel, "p": ErrPermissionDenied, "x": ErrTooManyRequests}[channel]
			}
		}, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"u"}}
			a< {"id":2,"error":{"code":102,"message":"unknown channel"}}
			a> {"id":3,"subscribe":{"channel":"p"}}
			a< {"id":3,"error":{"code":103,"message":"permission denied"}}
			a> {"id":4,"subscribe":{"channel":"x"}}
			a< {"id":4,"error":{"code":111,"message":"too many requests","temporary":true}}
			a> {"id":5,"subscribe":{"channel":"fine"}}
			a< {"id":5,"subscribe":{}}`},
		{name: "channel names at the limit", configure: func(cfg *Config, _ *app) { cfg.MaxChannelLength = 4 }, lines: greet + `
			a> {"id":2,"subscribe":{"channel":""}}
			a< {"id":2,"error":{"code":107,"message":"bad request"}}
			a> {"id":3,"subscribe":{"channel":"ёёё"}}
			a< {"id":3,"error":{"code":107,"message":"bad request"}}
			a> {"id":4,"subscribe":{"channel":"ёё"}}
			a< {"id":4,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			a> {"id":5,"publish":{"channel":"","data":1}}
			a< {"id":5,"error":{"code":107,"message":"bad request"}}
			a> {"id":6,"publish":{"channel":"c"}}
			a< {"id":6,"error":{"code":107,"message":"bad request"}}`},
		{name: "too many channels", configure: func(cfg *Config, _ *app) { cfg.MaxChannels = 1 }, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			a> {"id":3,"subscribe":{"channel":"d"}}
			a< {"id":3,"error":{"code":106,"message":"limit exceeded"}}
			a> {"id":4,"unsubscribe":{"channel":"c"}}
			a< {"id":4,"unsubscribe":{}}
			a> {"id":5,"subscribe":{"channel":"d"}}
			a< {"id":5,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}`},
		{name: "join and leave", configure: func(_ *Config, a *app) {
			a.options = func(string) (SubscribeOptions, error) {
				return SubscribeOptions{JoinLeave: true, Info: []byte(`{"i":1}`)}, nil
			}
		}, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"subscribe":{}}
			a< {"push":{"channel":"c","join":{"info":{"user":"","client":"$a","chan_info":{"i":1}}}}}
			b> {"id":1,"connect":{"token":"боб"}}⏎{"id":2,"subscribe":{"channel":"c"}}
			b< {"id":1,"connect":{"client":"$b","version":"1.0","ping":25,"pong":true}}
			b< {"id":2,"subscribe":{}}
			b< {"push":{"channel":"c","join":{"info":{"user":"боб","client":"$b","chan_info":{"i":1}}}}}
			a< {"push":{"channel":"c","join":{"info":{"user":"боб","client":"$b","chan_info":{"i":1}}}}}
			b hangs up
			a< {"push":{"channel":"c","leave":{"info":{"user":"боб","client":"$b","chan_info":{"i":1}}}}}
			note unsubscribed c 1
			note disconnected 3000`},
	})
}

func TestLookups(t *testing.T) {
	long := strings.Repeat("x", 250)
	playAll(t, []transcript{
		{name: "presence", configure: func(_ *Config, a *app) {
			a.options = func(channel string) (SubscribeOptions, error) { return SubscribeOptions{Presence: channel == "c"}, nil }
		}, lines: greet + `
			a> {"id":2,"presence":{"channel":"c"}}
			a< {"id":2,"error":{"code":103,"message":"permission denied"}}
			a> {"id":3,"subscribe":{"channel":"c"}}⏎{"id":4,"subscribe":{"channel":"d"}}
			a< {"id":3,"subscribe":{}}
			a< {"id":4,"subscribe":{}}
			a> {"id":5,"presence":{"channel":"c"}}
			a< {"id":5,"presence":{"presence":{"$a":{"user":"","client":"$a"}}}}
			a> {"id":6,"presence_stats":{"channel":"c"}}
			a< {"id":6,"presence_stats":{"num_clients":1,"num_users":1}}
			a> {"id":7,"presence":{"channel":"d"}}
			a< {"id":7,"error":{"code":108,"message":"not available"}}
			a> {"id":8,"presence_stats":{"channel":"d"}}
			a< {"id":8,"error":{"code":108,"message":"not available"}}`},
		{name: "history", configure: func(cfg *Config, _ *app) { cfg.HistoryLimit = 2 }, lines: greet + `
			pub c 1
			pub c 2
			pub c 3
			a> {"id":2,"history":{"channel":"c"}}
			a< {"id":2,"error":{"code":103,"message":"permission denied"}}
			a> {"id":3,"subscribe":{"channel":"c"}}
			a< {"id":3,"subscribe":{"recoverable":true,"epoch":"эпоха","offset":3,"positioned":true}}
			a> {"id":4,"history":{"channel":"c"}}
			a< {"id":4,"history":{"publications":[],"epoch":"эпоха","offset":3}}
			a> {"id":5,"history":{"channel":"c","limit":-1}}
			a< {"id":5,"history":{"publications":[{"data":1,"offset":1},{"data":2,"offset":2}],"epoch":"эпоха","offset":3}}
			a> {"id":6,"history":{"channel":"c","limit":5,"since":{"offset":2,"epoch":"эпоха"}}}
			a< {"id":6,"history":{"publications":[{"data":3,"offset":3}],"epoch":"эпоха","offset":3}}
			a> {"id":7,"history":{"channel":"c","limit":1,"reverse":true}}
			a< {"id":7,"history":{"publications":[{"data":3,"offset":3}],"epoch":"эпоха","offset":3}}
			a> {"id":8,"history":{"channel":"c","limit":1,"reverse":true,"since":{"offset":3,"epoch":"эпоха"}}}
			a< {"id":8,"history":{"publications":[{"data":2,"offset":2}],"epoch":"эпоха","offset":3}}
			a> {"id":9,"history":{"channel":"c","limit":1,"since":{"offset":1,"epoch":"другая"}}}
			a< {"id":9,"error":{"code":112,"message":"unrecoverable position"}}
			a> {"id":10,"history":{"channel":"c","limit":1,"since":{"offset":9,"epoch":"эпоха"}}}
			a< {"id":10,"error":{"code":112,"message":"unrecoverable position"}}`},
		{name: "a page of history is bounded in bytes, but not empty", configure: func(cfg *Config, _ *app) { cfg.MaxQueue = 450 }, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"subscribe":{"recoverable":true,"epoch":"эпоха","positioned":true}}
			pub c "` + long + `"
			a< {"push":{"channel":"c","pub":{"data":"` + long + `","offset":1}}}
			a> {"id":3,"ping":{}}
			a< {"id":3,"ping":{}}
			a> {"id":4,"history":{"channel":"c","limit":5}}
			a< {"id":4,"history":{"publications":[{"data":"` + long + `","offset":1}],"epoch":"эпоха","offset":1}}`},
	})
}

// bare is a Handler that only admits.
type bare struct{}

func (bare) Connect(context.Context, *Conn, ConnectEvent) (ConnectReply, error) {
	return ConnectReply{}, nil
}

func TestHandlerThatOnlyAdmits(t *testing.T) {
	playAll(t, []transcript{
		{name: "commands", configure: func(cfg *Config, _ *app) { cfg.Handler, cfg.Stream = bare{}, nil }, lines: greet + `
			a> {"id":2,"subscribe":{"channel":"c"}}
			a< {"id":2,"error":{"code":108,"message":"not available"}}
			a> {"id":3,"publish":{"channel":"c","data":1}}
			a< {"id":3,"error":{"code":108,"message":"not available"}}
			a> {"id":4,"rpc":{"method":"m"}}
			a< {"id":4,"error":{"code":104,"message":"method not found"}}
			a> {"id":5,"refresh":{"token":"t"}}
			a< {"id":5,"error":{"code":108,"message":"not available"}}
			a> {"id":6,"sub_refresh":{"channel":"c"}}
			a< {"id":6,"error":{"code":103,"message":"permission denied"}}
			a> {"send":{"data":1}}
			a! 3508 not available`},
	})
}
