package engineio

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for a fact; nothing waits that long unless it fails.
const patience = 10 * time.Second

// house is a server under test with the application it serves.
type house struct {
	t      *testing.T
	server *Server
	url    string
	stop   func() // drains and waits

	conns  chan *Conn
	closed chan Reason
}

// recorder echoes, and reports how connections end. Some messages make it misbehave.
type recorder struct {
	h *house
	c *Conn
}

func (r recorder) Message(data []byte, binary bool) {
	switch {
	case string(data) == "panic":
		panic("asked for")
	case binary:
		_ = r.c.Send(Binary(data)) // the test sees what arrives
	default:
		_ = r.c.Send(Text(data))
	}
}

func (r recorder) Closed(reason Reason) { r.h.closed <- reason }

func open(t *testing.T, config Config) *house {
	t.Helper()
	config.CloseTimeout = cmp.Or(config.CloseTimeout, 200*time.Millisecond) // most clients here leave without a word
	h := &house{t: t, conns: make(chan *Conn, 100), closed: make(chan Reason, 100)}
	server, err := New(config, func(c *Conn, _ *http.Request) (Receiver, error) {
		h.conns <- c
		return recorder{h, c}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server = server
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	web := httptest.NewServer(server)
	h.url = web.URL
	h.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		web.Close()
	})
	t.Cleanup(func() {
		h.stop()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

// conn is the server's end of the connection opened last.
func (h *house) conn() *Conn { return receive(h.t, h.conns) }

// ended waits for a connection to end and checks why.
func (h *house) ended(want Reason) {
	h.t.Helper()
	if got := receive(h.t, h.closed); got != want {
		h.t.Fatalf("the connection ended with %q, want %q", got, want)
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

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) request(method, query, contentType, body string) answer {
	h.t.Helper()
	r, err := http.NewRequest(method, h.url+"/engine.io/?"+query, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return h.do(r)
}

func (h *house) do(r *http.Request) answer {
	h.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (h *house) get(query string) answer { h.t.Helper(); return h.request("GET", query, "", "") }
func (h *house) post(query, body string) answer {
	h.t.Helper()
	return h.request("POST", query, "text/plain;charset=UTF-8", body)
}

// session finds the server's end of a polling session.
func (h *house) session(query string) *Conn {
	_, sid, _ := strings.Cut(query, "sid=")
	return h.server.sessions.find(sid)
}

// polling opens a polling session and returns the query of its further requests.
func (h *house) polling(protocol string) string {
	h.t.Helper()
	query := "EIO=" + protocol + "&transport=polling"
	if a := h.get(query); a.status != http.StatusOK {
		h.t.Fatalf("handshake: %d %s", a.status, a.body)
	}
	return query + "&sid=" + h.conn().ID()
}

// peer is a WebSocket client.
type peer struct {
	t    *testing.T
	c    *Conn // the server's end
	conn interface {
		io.ReadWriteCloser
		SetReadDeadline(time.Time) error
	}
}

func (h *house) dial(query string) *peer {
	h.t.Helper()
	conn, early, _, err := ws.Dial(context.Background(), strings.Replace(h.url, "http", "ws", 1)+"/engine.io/?transport=websocket&"+query)
	if err != nil {
		h.t.Fatal(err)
	}
	p := &peer{t: h.t, conn: conn}
	if early != nil { // frames that came with the handshake
		p.conn = earlyConn{Conn: conn, first: early}
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() }) // it may be closed
	return p
}

// websocket opens a WebSocket session and takes its open packet.
func (h *house) websocket(protocol string) *peer {
	h.t.Helper()
	p := h.dial("EIO=" + protocol)
	if hello := p.read(); !strings.HasPrefix(hello, "0{") {
		h.t.Fatalf("first frame %q", hello)
	}
	p.c = h.conn()
	return p
}

func (p *peer) write(text string) {
	p.t.Helper()
	if err := wsutil.WriteClientText(p.conn, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) read() string {
	p.t.Helper()
	data, _, err := wsutil.ReadServerData(p.conn)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// closed reads on until the close frame and checks its code.
func (p *peer) closed(want ws.StatusCode) {
	p.t.Helper()
	for {
		frame, err := ws.ReadFrame(p.conn)
		if err != nil {
			p.t.Fatalf("no close frame: %v", err)
		}
		if frame.Header.OpCode == ws.OpClose {
			if code, _ := ws.ParseCloseFrameData(frame.Payload); code != want {
				p.t.Fatalf("closed with %d, want %d", code, want)
			}
			return
		}
	}
}
