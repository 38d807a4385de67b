package centrifuge

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// mute is a link that takes everything.
type mute struct{}

func (mute) name() string             { return "websocket" }
func (mute) write([][]byte) error     { return nil }
func (mute) goodbye(Disconnect) error { return nil }
func (mute) expire(time.Duration)     {}
func (mute) hangUp()                  {}

// FuzzFrames feeds frames to an admitted client of either wire form: nothing may
// panic, and nothing may stay behind when it is gone.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		`{"id":2,"subscribe":{"channel":"c","recover":true,"offset":1}}` + "\n" + `{"id":3,"publish":{"channel":"c","data":1}}`,
		`{"id":2,"history":{"channel":"c","limit":-1,"since":{"offset":9}}}`, `{"id":2,"presence":{"channel":"c"}}`,
		`{"id":2,"presence_stats":{"channel":"c"}}`, `{"id":2,"rpc":{"data":null}}`, `{"send":{}}`, `{"id":2,"refresh":{"token":"t"}}`,
		`{"id":2,"sub_refresh":{"channel":"c"}}`, `{"id":2,"unsubscribe":{"channel":"c"}}`, `{}`, "\x00", "\x06\x08\x02\x2a\x02\x0a\x00",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, frame string, binary bool) {
		a := &app{stream: NewMemoryStream("e", 10)}
		var log strings.Builder
		server, err := New(Config{Handler: a, Stream: a.stream, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		a.server = server
		form, hello := formJSON, `{"id":1,"connect":{}}`
		if binary {
			form, hello = formProtobuf, "\x04\x08\x01\x22\x00"
		}
		c := server.newConn(form, mute{})
		if err := c.start(); err != nil {
			t.Fatal(err)
		}
		c.process([]byte(hello))
		if !c.open() {
			t.Fatal("the client was not admitted")
		}
		if !binary {
			c.process([]byte(`{"id":9,"subscribe":{"channel":"c"}}`))
		}
		c.process([]byte(frame))
		c.finish()
		server.wg.Wait()
		if strings.Contains(log.String(), "panic") {
			t.Fatal(log.String())
		}
		if n := server.hub.count(); n != 0 || server.Connections() != 0 {
			t.Fatalf("%d channels and %d connections stay behind", n, server.Connections())
		}
	})
}
