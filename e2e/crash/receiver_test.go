package crash_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is the integration's other end. It remembers what it took, and
// notices what is repeated or out of order.
type receiver struct {
	url    string
	active sync.WaitGroup

	mu       sync.Mutex
	took     map[string]bool  // webhook ids answered 200
	last     map[string]int64 // event id of the last one taken, by chat
	fresh    []string         // ids taken in this round
	mayAgain map[string]bool  // ids that were in flight at a kill and are not settled since
	repeated int              // of this round
	inverted int              // ever
	restored bool             // what it took before a restore is forgotten
	flapping bool             // answers 500 now and then
	calls    int
	problems []string
}

func receive(t *testing.T) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{url: "http://" + l.Addr().String(), took: map[string]bool{}, last: map[string]int64{}, flapping: true}
	s := &http.Server{Handler: r, ReadHeaderTimeout: patience}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return r
}

// ServeHTTP implements http.Handler. What it takes it has taken, whether the
// answer arrives or not.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.active.Add(1)
	defer r.active.Done()
	var body struct {
		Chat string `json:"external_chat_id"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return // the sender died in the middle
	}
	w.WriteHeader(r.judge(req.Header.Get("webhook-id"), body.Chat))
}

func (r *receiver) judge(id, chat string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	switch {
	case poisonous(id):
		return http.StatusBadRequest
	case r.flapping && r.calls%41 == 0:
		return http.StatusInternalServerError
	}
	event := eventOf(id)
	switch {
	case r.took[id] && !r.mayAgain[id]:
		r.problem("%s came again though it was settled, or for the second time after a kill", id)
	case r.took[id] && r.last[chat] != event:
		r.inverted++
		r.problem("%s came again after %s had moved on to %d", id, chat, r.last[chat])
	case r.took[id]:
		r.repeated++
		delete(r.mayAgain, id)
	case event <= r.last[chat]:
		r.inverted++
		r.problem("%s came after %d in %s", id, r.last[chat], chat)
	}
	r.took[id], r.last[chat] = true, event
	r.fresh = append(r.fresh, id)
	return http.StatusOK
}

func (r *receiver) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// settle waits for the calls of a dead server to end, and takes note of which
// of those taken the server does not know to be delivered: each of these, and
// nothing else, may come once more. inFlight is those of this round.
func (r *receiver) settle(t testing.TB, delivered map[string]bool) (inFlight int) {
	t.Helper()
	done := make(chan struct{})
	go func() { r.active.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("calls of a dead server do not end")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mayAgain = map[string]bool{}
	for id := range r.took {
		if !delivered[id] {
			r.mayAgain[id] = true
		}
	}
	for id := range delivered {
		if !r.took[id] && !r.restored {
			r.problem("%s counts as delivered and never came", id)
		}
	}
	for _, id := range r.fresh {
		if !delivered[id] {
			inFlight++
		}
	}
	r.fresh = nil
	return inFlight
}

// report returns and forgets the repetitions and problems of a round.
func (r *receiver) report() (repeated int, problems []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repeated, problems = r.repeated, r.problems
	r.repeated, r.problems = 0, nil
	return repeated, problems
}

func (r *receiver) calm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flapping = false
}

// poisonous webhooks are refused for ever, so that they are parked.
func poisonous(id string) bool {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()%97 == 0
}

// eventOf is the event's id in a webhook's: msg_<endpoint>_<event>.
func eventOf(id string) int64 {
	n, _ := strconv.ParseInt(id[strings.LastIndex(id, "_")+1:], 10, 64) // another form gives 0, and an inversion
	return n
}
