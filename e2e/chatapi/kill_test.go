package chatapi_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// A server is killed in the middle of a thousand asynchronous questions and
// started again; who got no answer asks again under the same id. Each question
// is answered exactly once on /events and in the history, and at least once on
// the webhook. Who waited for an answer when the server died finds it there, too.
func TestKill(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		t.Parallel() // it may wait for leases to end
		r := harness.Receive(t, nil)
		c := channel{name: "app", keys: ", events_default: outside, webhook_url: " + r.URL}
		bot := newThinking(t)
		s := on.Start(t, setup(c), bot.scenario)
		a := newApp(t, s, c)

		l := &asyncLoad{url: a.url}
		half, finished := make(chan struct{}), make(chan struct{})
		go func() { defer close(finished); l.run(half) }()
		<-half
		waits := make(chan error, 1)
		go func() {
			_, err := harness.TryCall("POST", a.url, object{"clientId": "waits", "query": "call", "questionId": "q-call"})
			waits <- err
		}()
		<-bot.asked
		s.Kill()
		bot.letGo()
		<-finished
		if err := <-waits; err == nil {
			t.Error("the caller who waited got an answer from a server that was killed")
		}
		s.Restart()
		a.url = newApp(t, s, c).url
		l.url = a.url
		acknowledged := l.acknowledged()
		l.run(make(chan struct{}, 1))
		if got := l.acknowledged(); got != killWriters*killEach {
			t.Fatalf("%d of %d questions were acknowledged after the restart", got, killWriters*killEach)
		}
		t.Logf("killed after %d of %d acknowledgements", acknowledged, killWriters*killEach)
		for w := range killWriters {
			l.check(t, a, r, w)
		}
		late := a.until("waits", "the late answer", func(found []event) bool { return len(found) == 1 })[0]
		if late.Event.Data.Answer != "called" || late.Event.QuestionID == "q-call" {
			t.Errorf("who waited is told %+v", late)
		}
		r.Wait(t, 1, "the late answer", said(t, "waits", "called"))
		checkHistory(t, a, "waits", "request", "botResponse")
	})
}

const killWriters, killEach = 8, 125

// asyncLoad is callers who each ask questions as one client, one after the other.
type asyncLoad struct {
	url   string
	next  [killWriters]int // the first question without an acknowledgement
	total atomic.Int64
}

func (l *asyncLoad) acknowledged() int { return int(l.total.Load()) }

// run asks what is not acknowledged yet, until all is or the server is gone. It
// tells when half is.
func (l *asyncLoad) run(half chan<- struct{}) {
	var all sync.WaitGroup
	for w := range killWriters {
		all.Go(func() {
			for ; l.next[w] < killEach; l.next[w]++ {
				r, err := harness.TryCall("POST", l.url+"/async", object{
					"clientId": client(w), "query": fmt.Sprintf("echo %d", l.next[w]), "questionId": question(w, l.next[w]),
				})
				if err != nil || r.Status != 200 {
					return // it is not known what became of it
				}
				if l.total.Add(1) == killWriters*killEach/2 {
					half <- struct{}{}
				}
			}
		})
	}
	all.Wait()
}

func client(writer int) string { return fmt.Sprintf("w%d", writer) }

func question(writer, n int) string { return fmt.Sprintf("q-%d-%d", writer, n) }

// check demands the answers of one writer's questions.
func (l *asyncLoad) check(t *testing.T, a *app, r *harness.Receiver, w int) {
	t.Helper()
	deadline := time.Now().Add(3 * harness.Patience) // leases of a dead server are up to 45 s long
	var found []event
	for len(found) < killEach && time.Now().Before(deadline) {
		since := "0"
		if len(found) > 0 {
			since = next(t, found[len(found)-1].Event.Timestamp)
		}
		found = append(found, a.everything(client(w), since)...) // waits for one
	}
	for n, e := range found {
		if n >= killEach || e.Type != "botResponse" || e.Event.QuestionID != question(w, n) || e.Event.Data.Answer != fmt.Sprint(n) {
			t.Fatalf("event %d of %s is %+v", n, client(w), e)
		}
	}
	if len(found) != killEach {
		t.Fatalf("%s has %d answers, want %d", client(w), len(found), killEach)
	}
	ours := func(h harness.Hook) bool { return hooked(t, h)[0].QuestionID == question(w, killEach-1) }
	r.Wait(t, 1, "the last webhook of "+client(w), ours)
	pushed, last := map[string]int{}, -1
	for _, h := range r.Hooks() {
		e := hooked(t, h)[0]
		if e.ClientID != client(w) {
			continue
		}
		pushed[e.QuestionID]++
		var n int
		if _, err := fmt.Sscan(e.Data.Answer, &n); err != nil || n < last || n > last+1 {
			t.Errorf("the webhook is told %s of %s after %d", e.Data.Answer, client(w), last)
		}
		last = n
	}
	if len(pushed) != killEach {
		t.Errorf("the webhook was told %d answers of %s, want %d", len(pushed), client(w), killEach)
	}
	history := decode[eventList](t, a.get("/client/"+client(w)+"/history?limit=1000").Body)
	if len(history.Events) != 2*killEach {
		t.Errorf("the history of %s has %d entries, want %d", client(w), len(history.Events), 2*killEach)
	}
}
