package wiretest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// Hooks takes webhooks as the back ends of two companies would: acme's go to
// the transcripts of its clients, rival must get none.
type Hooks struct {
	t      testing.TB
	decode func(body []byte) ([]Heard, error)
	addr   string

	mu      sync.Mutex
	server  *http.Server // nil while it is away
	serving sync.WaitGroup
	clients map[string]*Transcript
	stalled map[string]chan struct{} // by client: closed when it reads again
	wrong   error
}

func newHooks(t testing.TB, decode func([]byte) ([]Heard, error)) *Hooks {
	h := &Hooks{
		t: t, decode: decode, addr: "127.0.0.1:0", clients: map[string]*Transcript{}, stalled: map[string]chan struct{}{},
	}
	h.Open()
	return h
}

// end closes it and says what went wrong.
func (h *Hooks) end() {
	h.mu.Lock()
	for client := range h.stalled {
		h.release(client)
	}
	h.mu.Unlock()
	h.Shut()
	h.serving.Wait()
	if h.wrong != nil {
		h.t.Error(h.wrong)
	}
}

// URL is where a company's webhooks go.
func (h *Hooks) URL(company string) string { return "http://" + h.addr + "/" + company }

// Open listens, on the same port every time.
func (h *Hooks) Open() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		return
	}
	l, err := net.Listen("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.addr = l.Addr().String()
	server := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	h.server = server
	h.serving.Go(func() { _ = server.Serve(l) }) // it ends with Shut
}

// Shut cuts calls off and refuses connections from here on.
func (h *Hooks) Shut() {
	h.mu.Lock()
	server := h.server
	h.server = nil
	h.mu.Unlock()
	if server != nil {
		_ = server.Close() // of the listener; nobody needs it any more
	}
}

// Stall leaves calls about a client unanswered until Release.
func (h *Hooks) Stall(client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stalled[client] == nil {
		h.stalled[client] = make(chan struct{})
	}
}

// Release ends a Stall, if there is one.
func (h *Hooks) Release(client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.release(client)
}

func (h *Hooks) release(client string) {
	if stall := h.stalled[client]; stall != nil {
		close(stall)
		delete(h.stalled, client)
	}
}

// Transcript is what a client was shown.
func (h *Hooks) Transcript(client string) *Transcript {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[client] == nil {
		h.clients[client] = NewTranscript()
	}
	return h.clients[client]
}

// ServeHTTP implements http.Handler.
func (h *Hooks) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off: it comes again
	}
	heard, err := h.decode(body)
	if err == nil && r.URL.Path != "/acme" {
		err = errors.New("another company was told")
	}
	if err != nil {
		h.fail(fmt.Errorf("a webhook to %s: %w: %s", r.URL.Path, err, body))
		return
	}
	for _, one := range heard {
		if !h.reads(r.Context(), one.Client) {
			return
		}
		h.Transcript(one.Client).Add(one.ID, one.Line)
	}
}

// reads waits while the client stalls; it is false when the call ended first.
func (h *Hooks) reads(ctx context.Context, client string) bool {
	h.mu.Lock()
	stall := h.stalled[client]
	h.mu.Unlock()
	if stall == nil {
		return true
	}
	select {
	case <-stall:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *Hooks) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = errors.Join(h.wrong, err)
}
