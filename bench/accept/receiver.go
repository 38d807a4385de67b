package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// receiver counts webhooks, checks their order and notes when each came.
type receiver struct {
	url    string
	server *http.Server

	mu       sync.Mutex
	refuse   bool
	next     map[string]int // chat/author → the number that must come next
	ordered  bool           // demand 0, 1, 2 … in each chat
	came     map[string]time.Time
	count    int
	ids      map[string]bool
	repeated int
	wrong    error
	news     chan struct{}
}

func receive(ordered bool) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		url: "http://" + l.Addr().String() + "/hook", ordered: ordered, next: map[string]int{}, came: map[string]time.Time{},
		ids: map[string]bool{}, news: make(chan struct{}, 1),
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 30 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := time.Now()
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.note(req.Header.Get("webhook-id"), content, at)
	select {
	case r.news <- struct{}{}:
	default:
	}
}

func (r *receiver) note(id string, content []byte, at time.Time) {
	var b struct {
		Chat   string `json:"external_chat_id"`
		Author string `json:"message_type"`
		Text   string `json:"message_text"`
	}
	if err := json.Unmarshal(content, &b); err != nil {
		r.wrong = err
		return
	}
	if r.ids[id] {
		r.repeated++
		return
	}
	r.ids[id] = true
	r.count++
	number, _, _ := strings.Cut(b.Text, " ")
	lane := b.Chat + "/" + b.Author
	if want := fmt.Sprint(r.next[lane]); r.ordered && number != want {
		r.wrong = errors.Join(r.wrong, fmt.Errorf("%s: message %s came where %s was due", lane, number, want))
	}
	r.next[lane]++
	if b.Author == "user" {
		r.came[b.Chat+"/"+number] = at
	}
}

// wait returns when n webhooks have come.
func (r *receiver) wait(ctx context.Context, n int) error {
	limit := time.NewTimer(5 * time.Minute)
	defer limit.Stop()
	for {
		r.mu.Lock()
		count, wrong := r.count, r.wrong
		r.mu.Unlock()
		switch {
		case wrong != nil:
			return wrong
		case count > n:
			return fmt.Errorf("%d webhooks came for %d messages", count, n)
		case count == n:
			return nil
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("%d of %d webhooks came", count, n)
		}
	}
}
