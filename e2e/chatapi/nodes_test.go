package chatapi_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// twoNodes is two servers on one PostgreSQL and a caller of each.
func twoNodes(t *testing.T, r *harness.Receiver, scenario string) (first, second *harness.Server, a, b *app) {
	t.Helper()
	c := channel{name: "app", keys: ", events_default: outside, webhook_url: " + r.URL}
	first = harness.PostgreSQL.Start(t, setup(c), scenario)
	second = first.Neighbour(t)
	return first, second, newApp(t, first, c), newApp(t, second, c)
}

// Whichever server the bot is asked by, who waits for its answer gets it.
func TestNodesAnswerEachOthersCallers(t *testing.T) {
	r := harness.Receive(t, nil)
	_, _, a, b := twoNodes(t, r, scenario)
	t.Run("at once", func(t *testing.T) {
		var all sync.WaitGroup
		for c := range 10 {
			all.Go(func() {
				for n := range 6 {
					node := []*app{a, b}[(c+n)%2]
					if got := node.ask(fmt.Sprintf("c%d", c), fmt.Sprintf("echo %d", n)); got.Data.Answer != fmt.Sprint(n) {
						t.Errorf("c%d asked %d and was answered %+v", c, n, got)
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("behind the other's work", func(t *testing.T) {
		for n := range 5 {
			who := fmt.Sprintf("behind%d", n)
			b.async(who, "slow") // the bot's lane is held there until it has no more
			if got := a.ask(who, "echo mine"); got.Data.Answer != "mine" {
				t.Errorf("%s was answered %+v", who, got)
			}
			b.async(who, "echo marker")
			r.Quiet(t, "an answer that went back in its call", said(t, who, "marker"), said(t, who, "mine"))
		}
	})
}

// A long poll at one server hears of what the other accepted, within a second.
func TestNodesWakeEachOthersPolls(t *testing.T) {
	r := harness.Receive(t, nil)
	_, _, a, b := twoNodes(t, r, scenario)
	a.ask("u", "hello")
	var late []time.Duration
	for n := range 7 {
		woken := make(chan time.Time, 1)
		found := make(chan []event, 1)
		known := b.everything("u", "0", "all", "true")
		since := next(t, known[len(known)-1].Event.Timestamp)
		go func() {
			list := b.events("u", "ts", since, "all", "true")
			woken <- time.Now()
			found <- list.Events
		}()
		a.ask("u", fmt.Sprintf("echo %d", n))
		answered := time.Now()
		late = append(late, (<-woken).Sub(answered))
		if list := <-found; len(list) == 0 || list[0].Event.Query != fmt.Sprintf("echo %d", n) {
			t.Fatalf("the poll is told %+v", list)
		}
	}
	slices.Sort(late)
	t.Logf("woken after %v", late)
	if median := late[len(late)/2]; median > time.Second {
		t.Errorf("polls at the other server are woken %v after the answer", median)
	}
}

// A server is killed while somebody waits there for an answer: it comes late, by
// the other server.
func TestNodeKilledUnderCaller(t *testing.T) {
	t.Parallel() // it waits for leases to end
	n := newDoomed(t)
	n.ask("call")
	<-n.bot.asked
	n.first.Kill()
	n.bot.letGo()
	n.comesLate(0, "called")
}

// The same when the bot is asked by the server that lives on, and answers right
// after the other one's death.
func TestNodeKilledUnderCallerAnsweredAtOnce(t *testing.T) {
	n := newDoomed(t)
	n.first.Freeze()
	n.second.async("u", "call") // so that the second one asks the bot, and holds its lane
	<-n.bot.asked
	n.first.Thaw()
	n.ask("echo mine")
	n.second.until("u", "the question", func(found []event) bool {
		return slices.ContainsFunc(found, func(e event) bool { return e.Event.QuestionID == "q-1" })
	}, "all", "true")
	n.first.Kill()
	n.bot.letGo()
	n.comesLate(1, "mine")
}

// doomed is two servers, of which the first will be killed while somebody waits.
type doomed struct {
	t        *testing.T
	first    *harness.Server
	url      string // of the channel there
	second   *app
	receiver *harness.Receiver
	bot      thinking
	query    string
	waits    chan error
}

func newDoomed(t *testing.T) *doomed {
	n := &doomed{t: t, receiver: harness.Receive(t, nil), bot: newThinking(t), waits: make(chan error, 1)}
	first, _, a, b := twoNodes(t, n.receiver, n.bot.scenario)
	n.first, n.url, n.second = first, a.url, b
	return n
}

// ask lets somebody ask the first server, and wait.
func (n *doomed) ask(query string) {
	n.query = query
	go func() {
		_, err := harness.TryCall("POST", n.url, object{"clientId": "u", "query": query, "questionId": "q-1"})
		n.waits <- err
	}()
}

// comesLate demands the answer at the second server, behind so many others.
func (n *doomed) comesLate(before int, answer string) {
	n.t.Helper()
	if err := <-n.waits; err == nil {
		n.t.Fatal("the caller was answered although the server was killed")
	}
	found := n.second.until("u", "the late answer", func(found []event) bool { return len(found) == before+1 })
	late := found[before].Event
	if late.Data.Answer != answer || late.QuestionID == "q-1" {
		n.t.Errorf("the late answer is %+v", late)
	}
	n.receiver.Wait(n.t, 1, "the late answer", said(n.t, "u", answer))
	again := decode[envelope](n.t, n.second.post("", object{"clientId": "u", "query": n.query, "questionId": "q-1"}).Body)
	if again.QuestionID != late.QuestionID || again.Data.Answer != answer {
		n.t.Errorf("the same question again is answered %+v", again)
	}
}
