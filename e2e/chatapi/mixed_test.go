package chatapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// TestMixedTraffic is one client on two connections, A and B, and one operator,
// who all write at once, what waits for its answer and what does not at random.
// Whichever way one looks at it afterwards, or looked at it meanwhile, it was
// the same talk: the log of the console, the history, /events from any moment
// on, two that polled all the time, and the webhook.
func TestMixedTraffic(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		m := newMix(t, on)
		m.run()
		t.Logf("%d questions, %d of them asynchronous, %d later replies, %d messages of the operator; seed %d",
			*messages, m.async.Load(), m.later.Load(), m.human.Load(), m.seed)
		log, history := m.log(), m.history()
		m.compare("the history and the log", history, log)
		m.answeredInOrder(history)
		m.compare("/events from the beginning and the history", m.app.everything("u", "0", "all", "true"), history)
		m.fromAnywhere(history)
		m.compare("who polls with a moment and the history", m.byMoment, history[2:]) // it began after the first question
		m.compare("who polls without and the outside of the history", m.byCursor, m.outside(history))
		m.compare("/events by default and the outside of the history", m.app.everything("u", "0"), m.outside(history))
		m.compare("/events but A's own and the history", m.app.everything("u", "0", "all", "true", "cid", "A"), m.notOwn(history, "A"))
		m.compare("the webhook and the outside of the history", m.pushed(), m.outside(history))
	})
}

// mix is the talk.
type mix struct {
	t            *testing.T
	seed         uint64
	app          *app
	ann          *person
	receiver     *harness.Receiver
	conversation int64

	number              atomic.Int64 // of the question that is asked next
	async, later, human atomic.Int64
	mu                  sync.Mutex
	synced              map[string]bool // ids of the answers that went back in the call
	byMoment, byCursor  []event
	begun               string // when the polls begin
}

func newMix(t *testing.T, on harness.Engine) *mix {
	r := harness.Receive(t, nil)
	c := channel{name: "app", keys: ", events_default: outside, sync_timeout: 1m, webhook_url: " + r.URL}
	s := on.Start(t, setup(c), scenario)
	m := &mix{t: t, seed: rand.Uint64(), app: newApp(t, s, c), ann: signIn(t, s, "ann"), receiver: r, synced: map[string]bool{}}
	first := m.ask("B", "hello")
	m.begun = next(t, first.Timestamp)
	m.conversation = m.ann.conversation("u")
	return m
}

const theEnd = "the end"

// run is the talk, and who listens to it.
func (m *mix) run() {
	var polls, talk sync.WaitGroup
	news := make(chan struct{}, 1)
	polls.Go(func() { m.pollByCursor(news) })
	polls.Go(func() { m.pollByMoment(news) })
	turn := make(chan int, *messages)
	for w := range 8 {
		random := rand.New(rand.NewPCG(m.seed, uint64(w)))
		talk.Go(func() { m.write(string("AB"[w%2]), random, turn) })
	}
	operator := make(chan struct{})
	go func() {
		defer close(operator)
		for n := range turn {
			m.say(fmt.Sprintf("anna %d", n))
		}
	}()
	talk.Wait()
	close(turn)
	<-operator
	m.receiver.Wait(m.t, int(m.async.Load()+m.later.Load()+m.human.Load()), "what was not answered in its call", nil)
	m.say(theEnd)
	polls.Wait()
	m.receiver.Wait(m.t, 1, theEnd, said(m.t, "u", theEnd))
}

// write asks until all questions are asked.
func (m *mix) write(cid string, random *rand.Rand, turn chan<- int) {
	for {
		n := int(m.number.Add(1))
		if n > *messages {
			return
		}
		if n%50 == 0 {
			turn <- n
		}
		query, answer := fmt.Sprintf("echo %d", n), strconv.Itoa(n)
		if random.IntN(50) == 0 {
			query, answer = "later", "All right."
			m.later.Add(1)
		}
		if random.IntN(2) == 0 {
			m.async.Add(1)
			m.app.post("/async", object{"clientId": "u", "query": query, "cid": cid})
			continue
		}
		if got := m.ask(cid, query); got.Data.Answer != answer {
			m.t.Errorf("%q was answered %q", query, got.Data.Answer)
		}
	}
}

func (m *mix) ask(cid, query string) envelope {
	e := decode[envelope](m.t, m.app.post("", object{"clientId": "u", "query": query, "cid": cid}).Body)
	m.mu.Lock()
	m.synced[e.QuestionID] = true
	m.mu.Unlock()
	return e
}

// say lets the operator write beside the bot.
func (m *mix) say(text string) {
	m.human.Add(1)
	m.ann.call("POST", fmt.Sprintf("/conversations/%d/messages", m.conversation), object{"text": text, "take": false})
}

// ended says whether a list goes on to the last thing said.
func ended(list []event) bool {
	return len(list) > 0 && list[len(list)-1].Event.Data.Answer == theEnd
}

// pollByCursor is connection B, which lets the server remember what it has: it
// must get all once. It tells the other one that there is news.
func (m *mix) pollByCursor(news chan<- struct{}) {
	defer close(news)
	for !ended(m.byCursor) && !m.t.Failed() {
		m.byCursor = append(m.byCursor, m.app.events("u", "cid", "B").Events...)
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// pollByMoment goes on from the last event it knows, which comes again.
func (m *mix) pollByMoment(news <-chan struct{}) {
	since, seen := m.begun, map[string]bool{}
	for range news {
		for more := true; more; {
			page := m.app.events("u", "ts", since, "all", "true")
			for _, e := range page.Events {
				switch at := e.Event.Timestamp; {
				case at < since:
					m.t.Errorf("asked for what is new since %s and got what was said at %s", since, at)
				case seen[e.key()] && at != since:
					m.t.Errorf("%s came again although only what is new since %s was asked for", at, since)
				case !seen[e.key()]:
					m.byMoment = append(m.byMoment, e)
				}
				seen[e.key()] = true
			}
			if n := len(page.Events); n > 0 {
				since = page.Events[n-1].Event.Timestamp
			}
			more = page.HasMore
		}
	}
}

// history reads the channel's, page by page.
func (m *mix) history() []event {
	m.t.Helper()
	var all []event
	seen := map[string]bool{}
	from := "0"
	for {
		page := decode[eventList](m.t, m.app.get("/client/u/history?limit=1000&from="+url.QueryEscape(from)).Body)
		for _, e := range page.Events {
			if !seen[e.key()] {
				seen[e.key()] = true
				all = append(all, e)
			}
			from = e.Event.Timestamp
		}
		if !page.HasMore {
			return all
		}
	}
}

// log reads the console's and shows what was said as the history would. Ids of
// questions are none of its business.
func (m *mix) log() []event {
	m.t.Helper()
	types := map[string]string{"CLIENT": "request", "BOT": "botResponse", "OPERATOR": "humanResponse"}
	var all []event
	for after := int64(0); ; {
		page := decode[struct {
			Items []struct {
				Seq     int64
				At      time.Time
				Kind    string
				Author  string
				Message struct{ Text string }
			}
			Next *int64
		}](m.t, m.ann.call("GET", fmt.Sprintf("/conversations/%d/events?after=%d", m.conversation, after), nil).Body)
		for _, i := range page.Items {
			if i.Kind != "message.created" {
				continue
			}
			e := event{Type: types[i.Author]}
			e.Event.Timestamp = i.At.UTC().Format(timeLayout)
			if e.Type == "request" {
				e.Event.Query = i.Message.Text
			} else {
				e.Event.Data.Answer = i.Message.Text
			}
			all = append(all, e)
		}
		if page.Next == nil {
			return all
		}
		after = *page.Next
	}
}

// pushed is what the webhook was told.
func (m *mix) pushed() []event {
	var all []event
	for _, h := range m.receiver.Hooks() {
		e := event{Type: "botResponse", Event: hooked(m.t, h)[0]}
		if _, byOperator := decode[[]object](m.t, h.Body)[0]["operator"]; byOperator {
			e.Type = "humanResponse"
		}
		all = append(all, e)
	}
	return all
}

// outside is what did not go back in the call that asked for it.
func (m *mix) outside(history []event) []event {
	return keep(history, func(e event) bool {
		return e.Type == "humanResponse" || e.Type == "botResponse" && !m.synced[e.Event.QuestionID]
	})
}

// notOwn is all but what a connection has asked and was answered.
func (m *mix) notOwn(history []event, cid string) []event {
	own := map[string]bool{}
	for _, e := range history {
		if e.Type == "request" && e.Event.CID == cid {
			own[e.Event.QuestionID] = true
		}
	}
	return keep(history, func(e event) bool {
		id := e.Event.QuestionID
		return !own[id] || e.Type == "botResponse" && !m.synced[id]
	})
}

func keep(list []event, wanted func(event) bool) []event {
	return slices.DeleteFunc(slices.Clone(list), func(e event) bool { return !wanted(e) })
}

// compare demands the same events in the same order: type, words and moment,
// and the id where both have one.
func (m *mix) compare(what string, a, b []event) {
	m.t.Helper()
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x.Event.QuestionID == "" || y.Event.QuestionID == "" {
			x.Event.QuestionID, y.Event.QuestionID = "", ""
		}
		if x.key() != y.key() || x.Event.Timestamp != y.Event.Timestamp || x.words() != y.words() {
			m.t.Errorf("%s part at %d of %d and %d: %+v and %+v", what, i, len(a), len(b), a[i], b[i])
			return
		}
	}
	if len(a) != len(b) {
		m.t.Errorf("%s: %d and %d events", what, len(a), len(b))
	}
}

// words are what was said; the webhook does not repeat the question.
func (e event) words() string {
	if e.Type == "request" {
		return e.Event.Query
	}
	return e.Event.Data.Answer
}

// answeredInOrder demands one answer for each question, in the order of the
// questions.
func (m *mix) answeredInOrder(history []event) {
	m.t.Helper()
	var asked, answered []string
	known := map[string]bool{}
	for _, e := range history {
		switch id := e.Event.QuestionID; {
		case e.Type == "request":
			asked, known[id] = append(asked, id), true
		case e.Type == "botResponse" && known[id]:
			answered = append(answered, id)
		}
	}
	if len(asked) != *messages+1 || !slices.Equal(asked, answered) {
		m.t.Errorf("%d questions, %d answers, want %d of each in the same order", len(asked), len(answered), *messages+1)
	}
}

// fromAnywhere demands that /events since a moment is the history since then:
// that of an event, and the one after it.
func (m *mix) fromAnywhere(history []event) {
	m.t.Helper()
	random := rand.New(rand.NewPCG(m.seed, 99))
	for range 20 {
		at := history[random.IntN(len(history))].Event.Timestamp
		for _, since := range []string{at, next(m.t, at)} {
			want := keep(history, func(e event) bool { return e.Event.Timestamp >= since })
			page := m.app.events("u", "ts", since, "all", "true")
			m.compare("/events since "+since+" and the history", page.Events, want[:min(len(want), 250)])
			if page.HasMore != (len(want) > 250) {
				m.t.Errorf("since %s: hasMore is %v of %d events", since, page.HasMore, len(want))
			}
		}
	}
}
