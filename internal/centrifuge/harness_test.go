package centrifuge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guard bounds every wait of a test; no test waits that long unless it fails.
const guard = 10 * time.Second

// clock is a time that moves when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ids hands out id1, id2, …
type ids struct {
	mu sync.Mutex
	n  int
}

func (s *ids) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return fmt.Sprintf("id%d", s.n)
}

// app is a Handler with everything; a nil field does what its method says.
type app struct {
	server  *Server
	stream  *MemoryStream
	connect func(*Conn, ConnectEvent) (ConnectReply, error)
	options func(channel string) (SubscribeOptions, error)
	rpc     func(context.Context, *Conn, string, []byte) ([]byte, error)
	expiry  time.Time

	mu    sync.Mutex
	notes []string
}

func (a *app) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

func (a *app) noted() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.notes, "\n")
}

// Connect admits everybody as the user the token names.
func (a *app) Connect(_ context.Context, c *Conn, e ConnectEvent) (ConnectReply, error) {
	if a.connect != nil {
		return a.connect(c, e)
	}
	return ConnectReply{User: e.Token, Data: e.Data}, nil
}

// Subscribe grants everything, recoverable with all options.
func (a *app) Subscribe(_ context.Context, _ *Conn, e SubscribeEvent) (SubscribeOptions, error) {
	if a.options != nil {
		return a.options(e.Channel)
	}
	return SubscribeOptions{Recoverable: true, History: true, Presence: true, Data: e.Data}, nil
}

func (a *app) Unsubscribed(c *Conn, channel string, u Unsubscribe) {
	a.note("unsubscribed %s %d", channel, u.Code)
}

func (a *app) Disconnected(c *Conn, d Disconnect) { a.note("disconnected %d", d.Code) }

// Publish keeps and delivers.
func (a *app) Publish(_ context.Context, _ *Conn, e PublishEvent) error {
	a.say(e.Channel, string(e.Data), &e.Info)
	return nil
}

func (a *app) say(channel, data string, info *ClientInfo) {
	a.stream.Append(channel, Publication{Data: []byte(data), Info: info}, func(p Publication) { a.server.Publish(channel, p) })
}

// RPC echoes.
func (a *app) RPC(ctx context.Context, c *Conn, method string, data []byte) ([]byte, error) {
	if a.rpc != nil {
		return a.rpc(ctx, c, method, data)
	}
	return data, nil
}

// Message comes back.
func (a *app) Message(_ context.Context, c *Conn, data []byte) error { return c.Send(data) }

func (a *app) Refresh(_ context.Context, _ *Conn, token string) (time.Time, error) {
	if token == "" {
		return time.Time{}, ErrTokenExpired
	}
	return a.expiry, nil
}

func (a *app) SubRefresh(_ context.Context, _ *Conn, _, _ string) (time.Time, error) {
	return a.expiry, nil
}

// world is a server with everything around it.
type world struct {
	*app
	clock  *clock
	web    *httptest.Server
	log    bytes.Buffer
	logged sync.Mutex
	stop   func() error // drains the server; may be called twice
}

func (w *world) Write(p []byte) (int, error) {
	w.logged.Lock()
	defer w.logged.Unlock()
	return w.log.Write(p)
}

func (w *world) logText() string {
	w.logged.Lock()
	defer w.logged.Unlock()
	return w.log.String()
}

// newWorld starts a server; configure may change anything before it does.
func newWorld(t *testing.T, configure func(*Config, *app)) *world {
	t.Helper()
	w := &world{
		app:   &app{stream: NewMemoryStream("эпоха", 10)},
		clock: &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	}
	cfg := Config{
		Handler: w.app, Stream: w.stream, Version: "1.0", Node: "node",
		Now: w.clock.Now, NewID: new(ids).next,
		Logger: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if configure != nil {
		configure(&cfg, w.app)
	}
	server, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	mux := http.NewServeMux()
	mux.HandleFunc("/websocket", server.ServeWebSocket)
	mux.HandleFunc("/http_stream", server.ServeHTTPStream)
	mux.HandleFunc("/sse", server.ServeSSE)
	mux.HandleFunc("/emulation", server.ServeEmulation)
	w.web = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return <-ran
	})
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		w.web.Close()
	})
	return w
}

// pass lets time pass and returns when everything due has been done.
func (w *world) pass(t *testing.T, d time.Duration) {
	t.Helper()
	w.clock.Advance(d)
	wheel := w.server.wheel
	tick := int64(w.clock.Now().Sub(wheel.start) / wheelTick)
	eventually(t, "the wheel turned", func() bool {
		wheel.mu.Lock()
		defer wheel.mu.Unlock()
		return wheel.rung >= tick || wheel.count == 0
	})
}

// client is one end of a connection in a test.
type client interface {
	// send brings a frame to the server.
	send(frame string) error
	// next returns the next reply, or an ended.
	next() (string, error)
	// hangUp leaves without a word.
	hangUp()
}

// ended is why the server ended a connection.
type ended struct {
	code   uint32
	reason string
}

func (e ended) Error() string { return fmt.Sprintf("%d %s", e.code, e.reason) }

var transports = map[string]func(t *testing.T, w *world) client{
	"websocket":   func(t *testing.T, w *world) client { return dialSocket(t, w, "", subprotocolJSON) },
	"http_stream": func(t *testing.T, w *world) client { return &streamClient{t: t, web: w.web, path: "/http_stream"} },
	"sse":         func(t *testing.T, w *world) client { return &streamClient{t: t, web: w.web, path: "/sse"} },
}

// everyTransport runs a test over each of them.
func everyTransport(t *testing.T, run func(t *testing.T, dial func(*testing.T, *world) client)) {
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, dial)
		})
	}
}

func mustSend(t *testing.T, c client, frame string) {
	t.Helper()
	if err := c.send(frame); err != nil {
		t.Fatalf("send %.100s: %v", frame, err)
	}
}

func mustNext(t *testing.T, c client) string {
	t.Helper()
	line, err := c.next()
	if err != nil {
		t.Fatalf("the connection ended: %v", err)
	}
	return line
}

// mustConnect sends a connect command and returns the connection's id.
func mustConnect(t *testing.T, c client) string {
	t.Helper()
	mustSend(t, c, `{"id":1,"connect":{}}`)
	reply := mustNext(t, c)
	_, rest, ok := strings.Cut(reply, `{"id":1,"connect":{"client":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the reply to connect is %s", reply)
	}
	return id
}

// mustEnd expects the connection to end with a disconnect, after any replies.
func mustEnd(t *testing.T, c client, want Disconnect) {
	t.Helper()
	for {
		_, err := c.next()
		if err == nil {
			continue
		}
		if !errors.Is(err, ended{want.Code, want.Reason}) {
			t.Fatalf("the connection ended with %v, want %d %s", err, want.Code, want.Reason)
		}
		return
	}
}

// eventually waits for a fact that comes about by itself.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !fact() {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}

var errGone = errors.Join(errors.New("the connection ended without a word"), io.EOF)
