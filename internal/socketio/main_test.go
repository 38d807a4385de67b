package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

func raws(texts ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		out[i] = json.RawMessage(text)
	}
	return out
}

// open serves the namespaces until the test ends.
func open(t *testing.T, config Config, namespaces map[string]Handler) (*Server, string) {
	t.Helper()
	config.Engine.CloseTimeout = cmp.Or(config.Engine.CloseTimeout, 200*time.Millisecond)
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range namespaces {
		s.Of(name, handler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		cancel()
		running.Wait()
		web.Close()
	})
	return s, web.URL
}

// peer is a client that speaks by WebSocket, one packet at a time.
type peer struct {
	t    *testing.T
	conn net.Conn
	read func() (string, error)
}

func dial(t *testing.T, url, query string) *peer {
	t.Helper()
	conn, early, _, err := ws.Dial(context.Background(), strings.Replace(url, "http", "ws", 1)+"/socket.io/?transport=websocket&"+query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: conn}
	p.read = func() (string, error) {
		if early != nil && early.Buffered() > 0 { // frames that came with the handshake
			frame, err := ws.ReadFrame(early)
			return string(frame.Payload), err
		}
		data, _, err := wsutil.ReadServerData(conn)
		return string(data), err
	}
	p.next() // the open packet
	return p
}

func (p *peer) next() string {
	p.t.Helper()
	got, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// expect takes the next packets. A * stands for an id.
func (p *peer) expect(wants ...string) {
	p.t.Helper()
	for _, want := range wants {
		got := p.next()
		before, after, wild := strings.Cut(want, "*")
		if got != want && !(wild && strings.HasPrefix(got, before) && strings.HasSuffix(got, after)) {
			p.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func (p *peer) write(packets ...string) {
	p.t.Helper()
	for _, text := range packets {
		if err := wsutil.WriteClientText(p.conn, []byte(text)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *peer) writeBinary(data string) {
	p.t.Helper()
	if err := wsutil.WriteClientBinary(p.conn, []byte(data)); err != nil {
		p.t.Fatal(err)
	}
}

// closed reads on until the server has closed the connection.
func (p *peer) closed() {
	p.t.Helper()
	for {
		if _, err := p.read(); err != nil {
			var end wsutil.ClosedError
			if !asClosed(err, &end) {
				p.t.Fatalf("no close frame: %v", err)
			}
			return
		}
	}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}
