package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// sent is a body of the plain format and a call that carried it.
type sent struct {
	Client string
	Seq    int64
	Text   string

	At    time.Time     `json:"-"`
	Call  delivery.Call `json:"-"`
	Class delivery.Class
}

// plain is the format of the tests.
type plain struct{}

func (plain) Encode(w *chat.Work) ([]byte, error) {
	body := sent{Client: w.Conversation.ExternalID, Seq: w.Entry.Seq}
	if w.Entry.Message != nil {
		body.Text = w.Entry.Message.Content.Text
	}
	switch body.Text {
	case "unencodable":
		return nil, fmt.Errorf("no body for this one")
	case "panic":
		panic("at the disco")
	}
	return json.Marshal(body)
}

// receiver is a Sender with all the endpoints of the world behind it.
type receiver struct {
	mu       sync.Mutex
	calls    []sent
	inflight map[string]int // by URL
	most     map[string]int
	talking  map[string]bool // URL and client with a call under way
	overlaps int

	// reply decides what the endpoint answers; nil: 200 at once. took is how
	// long the exchange takes.
	reply func(s sent) (status int, took time.Duration, retryAfter time.Duration)
}

func newReceiver() *receiver {
	return &receiver{inflight: map[string]int{}, most: map[string]int{}, talking: map[string]bool{}}
}

// answers replaces the reply.
func (r *receiver) answers(reply func(s sent) int) {
	r.replies(func(s sent) (int, time.Duration, time.Duration) { return reply(s), 0, 0 })
}

// replies does so with the time an exchange takes, and a Retry-After.
func (r *receiver) replies(reply func(s sent) (status int, took, retryAfter time.Duration)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply = reply
}

func (r *receiver) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	s := sent{At: time.Now(), Call: c}
	if err := json.Unmarshal(c.Body, &s); err != nil {
		return delivery.Outcome{Error: "not the body of a test: " + err.Error()}
	}
	status, took, retryAfter := r.begin(s)
	class, text := classOf(status), ""
	if !passes(ctx, min(took, c.Timeout)) {
		status, class, text = 0, delivery.Retry, "interrupted"
	} else if took > c.Timeout {
		status, class, text = 0, delivery.Retry, "no answer in time"
	}
	if class != delivery.Delivered && text == "" {
		text = fmt.Sprintf("answered %d", status)
	}
	s.Class = class
	r.end(s)
	return delivery.Outcome{Status: status, Class: class, RetryAfter: retryAfter, Took: min(took, c.Timeout), Error: text}
}

// passes lets the time of an exchange pass, unless ctx ends first. No time is
// no timer: those that have run out when they are made run on whoever looks at
// them, and a bubble has one race detector context for all (golang/go#78156).
func passes(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *receiver) begin(s sent) (status int, took, retryAfter time.Duration) {
	r.mu.Lock()
	reply := r.reply
	key := s.Call.URL + " " + s.Client
	if r.talking[key] {
		r.overlaps++
	}
	r.talking[key] = true
	r.inflight[s.Call.URL]++
	r.most[s.Call.URL] = max(r.most[s.Call.URL], r.inflight[s.Call.URL])
	r.mu.Unlock()
	if reply == nil {
		return 200, 0, 0
	}
	return reply(s)
}

func (r *receiver) end(s sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.talking[s.Call.URL+" "+s.Client] = false
	r.inflight[s.Call.URL]--
	r.calls = append(r.calls, s)
}

func classOf(status int) delivery.Class {
	switch {
	case status >= 200 && status < 300:
		return delivery.Delivered
	case status == 410:
		return delivery.Gone
	case status == 408 || status == 425 || status == 429 || status < 400 || status >= 500:
		return delivery.Retry
	default:
		return delivery.Refused
	}
}

// seen returns the calls so far that match, in the order of their ends.
func (r *receiver) seen(match func(s sent) bool) []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []sent
	for _, s := range r.calls {
		if match == nil || match(s) {
			list = append(list, s)
		}
	}
	return list
}

// of matches the calls about one client.
func of(client string) func(sent) bool { return func(s sent) bool { return s.Client == client } }

// texts are the texts of calls.
func texts(list []sent) string {
	var all []string
	for _, s := range list {
		all = append(all, s.Text)
	}
	return strings.Join(all, " ")
}

// arrived are the texts that a client's receiver took, in order.
func (r *receiver) arrived(client string) string {
	return texts(r.seen(func(s sent) bool { return s.Client == client && s.Class == delivery.Delivered }))
}

// gaps are the times between calls, from the start on.
func gaps(list []sent, from time.Time) []time.Duration {
	var all []time.Duration
	for _, s := range list {
		all = append(all, s.At.Sub(from))
		from = s.At
	}
	return all
}
