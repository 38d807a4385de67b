package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Hook is one webhook that came in.
type Hook struct {
	Path   string
	ID     string
	Header http.Header
	Body   []byte
	Status int // what it was answered
	At     time.Time

	fields map[string]any // the body, decoded once
}

// Fields decodes the body.
func (h Hook) Fields(t testing.TB) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(h.Body, &fields); err != nil {
		t.Fatalf("a webhook's body is no JSON object: %v: %s", err, h.Body)
	}
	return fields
}

// Text is a field of the body as text, "" when it is missing.
func (h Hook) Text(field string) string {
	if v, ok := h.fields[field]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// Receiver records webhooks and answers them as told. Every accepted or
// refused call is recorded in the order of arrival.
type Receiver struct {
	URL    string
	t      testing.TB
	answer func(Hook) int

	mu      sync.Mutex
	hooks   []Hook
	changed chan struct{} // closed and replaced at every call
	server  *http.Server
	addr    string
}

// Receive starts a receiver; answer chooses the status of each call, nil is
// always 200. It is closed when the test ends.
func Receive(t testing.TB, answer func(Hook) int) *Receiver {
	t.Helper()
	if answer == nil {
		answer = func(Hook) int { return http.StatusOK }
	}
	r := &Receiver{t: t, answer: answer, changed: make(chan struct{}), addr: "127.0.0.1:0"}
	r.Open()
	r.URL = "http://" + r.addr
	t.Cleanup(r.Shut)
	return r
}

// Open listens, again on the same port after Shut.
func (r *Receiver) Open() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = l.Addr().String()
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: Patience}
	server := r.server
	go func() { _ = server.Serve(l) }() // ends with Shut
}

// Shut stops listening: connections are refused from here on.
func (r *Receiver) Shut() { _ = r.server.Close() }

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	h := Hook{Path: req.URL.Path, ID: req.Header.Get("webhook-id"), Header: req.Header, Body: body, At: time.Now()}
	if json.Unmarshal(body, &h.fields) != nil {
		h.fields = nil // no object: Fields tells the test that asks
	}
	h.Status = r.answer(h)
	r.mu.Lock()
	r.hooks = append(r.hooks, h)
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(h.Status)
}

// Hooks returns what came so far.
func (r *Receiver) Hooks() []Hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Hook(nil), r.hooks...)
}

// Wait returns the hooks that match once there are n of them.
func (r *Receiver) Wait(t testing.TB, n int, what string, match func(Hook) bool) []Hook {
	t.Helper()
	deadline := time.After(Patience)
	var found []Hook
	for looked := 0; ; {
		r.mu.Lock()
		changed, news := r.changed, r.hooks[looked:]
		r.mu.Unlock()
		looked += len(news)
		for _, h := range news {
			if match == nil || match(h) {
				found = append(found, h)
			}
		}
		if len(found) >= n {
			return found
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s: %d of %d webhooks came", what, len(found), n)
		}
	}
}

// Quiet fails if a matching webhook comes before the marker does. The marker
// must be caused after whatever could have caused the unwanted one, on the
// same lane, so that waiting for it is waiting for a fact.
func (r *Receiver) Quiet(t testing.TB, what string, marker, unwanted func(Hook) bool) {
	t.Helper()
	r.Wait(t, 1, what+": the marker", marker)
	for _, h := range r.Hooks() {
		if marker(h) {
			return
		}
		if unwanted(h) {
			t.Errorf("%s: came all the same: %s", what, h.Body)
		}
	}
}
