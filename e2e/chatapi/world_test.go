package chatapi_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

//go:embed testdata/scenario.yaml
var scenario string

// channel is one Chat API channel of a set-up, with a task of its own.
type channel struct {
	name string
	keys string // more keys of the channel, each with a comma before it
}

// token is the channel's, in the vendor's form: it ends in the channel's name.
func (c channel) token() string {
	return "AbCdEfGh:" + strings.Repeat("0", 40-2*len(c.name)) + fmt.Sprintf("%x", c.name)
}

// setup is a set-up of channels that share a bot, an operator and an admin. An
// operator who is away makes nobody wait: what is handed over is queued. A bot's
// turn is short, and so is its lease.
func setup(channels ...channel) string {
	var list, tasks strings.Builder
	for _, c := range channels {
		fmt.Fprintf(&list, "  - {name: %s, kind: chat_api, token: %q%s}\n", c.name, c.token(), c.keys)
		fmt.Fprintf(&tasks, "  - {name: %s, channel: %[1]s, bot: demo, when_nobody: queue}\n", c.name)
	}
	return fmt.Sprintf(`
tenant: local
channels:
%sbots: [{name: demo, kind: scenario, file: scenario.yaml, call_timeout: 5s}]
operators:
  - {login: ann, name: Anna, password: correct-horse-1, role: operator}
  - {login: root, name: Admin, password: correct-horse-2, role: admin}
tasks:
%s`, &list, &tasks)
}

// app is a caller of one channel.
type app struct {
	t     testing.TB
	url   string // of the channel
	token string
}

func newApp(t testing.TB, s *harness.Server, c channel) *app {
	return &app{t, s.URL + "/chatapi/" + c.token(), c.token()}
}

// thinking is a bot that can be watched, by the other end of a call that it
// makes: it tells when it is asked, and thinks until it is let go.
type thinking struct {
	scenario string
	asked    chan struct{}
	letGo    func()
}

func newThinking(t testing.TB) thinking {
	asked, free := make(chan struct{}, 10), make(chan struct{})
	r := harness.Receive(t, func(harness.Hook) int {
		asked <- struct{}{}
		<-free
		return 200
	})
	letGo := sync.OnceFunc(func() { close(free) })
	t.Cleanup(letGo)
	return thinking{strings.Replace(scenario, "http://helper.invalid", r.URL, 1), asked, letGo}
}

type object = map[string]any

// post calls a path of the channel, "" for the channel itself, and demands 200.
func (a *app) post(path string, body any) harness.Reply {
	a.t.Helper()
	return a.demand(harness.Call(a.t, "POST", a.url+path, body), "POST", path)
}

func (a *app) get(path string) harness.Reply {
	a.t.Helper()
	return a.demand(harness.Call(a.t, "GET", a.url+path, nil), "GET", path)
}

func (a *app) demand(r harness.Reply, method, path string) harness.Reply {
	a.t.Helper()
	if r.Status != 200 {
		a.t.Fatalf("%s %s answered %d %s", method, path, r.Status, r.Body)
	}
	return r
}

// ask sends a question and returns the answer.
func (a *app) ask(client, query string) envelope {
	a.t.Helper()
	return decode[envelope](a.t, a.post("", object{"clientId": client, "query": query}).Body)
}

// async sends a question without waiting and returns its id.
func (a *app) async(client, query string) string {
	a.t.Helper()
	return decode[envelope](a.t, a.post("/async", object{"clientId": client, "query": query}).Body).QuestionID
}

// envelope is what the tests read of an answer or a request (spec §2.2).
type envelope struct {
	ClientID   string `json:"clientId"`
	QuestionID string `json:"questionId"`
	Query      string `json:"query"`
	CID        string `json:"cid"`
	Data       struct {
		Answer  string            `json:"answer"`
		Replies []json.RawMessage `json:"replies"`
	} `json:"data"`
	Timestamp string `json:"timestamp"`
	Status    string `json:"status"`
}

// event is one item of /events and of the history (spec §4).
type event struct {
	Type  string   `json:"type"`
	Event envelope `json:"event"`
}

// key tells an event from every other of its client.
func (e event) key() string { return e.Type + " " + e.Event.QuestionID }

type eventList struct {
	HasMore bool    `json:"hasMore"`
	Events  []event `json:"events"`
}

// events polls once. params are names and values.
func (a *app) events(client string, params ...string) eventList {
	a.t.Helper()
	q := url.Values{"clientId": {client}}
	for i := 0; i+1 < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	return decode[eventList](a.t, a.get("/events?"+q.Encode()).Body)
}

// everything reads all events of a client since a moment, page by page. Only what
// is of the very moment that a page begins with may be there already.
func (a *app) everything(client, since string, params ...string) []event {
	a.t.Helper()
	var all []event
	seen := map[string]bool{}
	for {
		page := a.events(client, append([]string{"ts", since}, params...)...)
		for _, e := range page.Events {
			switch {
			case !seen[e.key()]:
				all = append(all, e)
			case e.Event.Timestamp != since:
				a.t.Errorf("%s of %s is twice in /events", e.key(), client)
			}
			seen[e.key()] = true
		}
		if !page.HasMore {
			return all
		}
		last := page.Events[len(page.Events)-1].Event.Timestamp
		if last == since {
			a.t.Fatalf("more than a page of events at %s: a poll can't get past them", since)
		}
		since = last
	}
}

// until polls all events of a client until one that is wanted is there, and
// returns them.
func (a *app) until(client, what string, wanted func([]event) bool, params ...string) []event {
	a.t.Helper()
	deadline := time.Now().Add(harness.Patience)
	for {
		found := a.everything(client, "0", params...)
		if wanted(found) {
			return found
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%s: not on /events: %+v", what, found)
		}
		if len(found) > 0 { // wait for the next one
			a.events(client, append(params, "ts", next(a.t, found[len(found)-1].Event.Timestamp))...)
		}
	}
}

const timeLayout = "2006-01-02T15:04:05.000"

// moment reads a timestamp: UTC without a zone.
func moment(t testing.TB, timestamp string) time.Time {
	t.Helper()
	at, err := time.Parse(timeLayout, timestamp)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// next is the millisecond after a timestamp.
func next(t testing.TB, timestamp string) string {
	return moment(t, timestamp).Add(time.Millisecond).Format(timeLayout)
}

func decode[T any](t testing.TB, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// hooked is the envelopes of a webhook: its body is always an array.
func hooked(t testing.TB, h harness.Hook) []envelope {
	t.Helper()
	return decode[[]envelope](t, h.Body)
}

// person is an operator at the console's API.
type person struct {
	t     testing.TB
	url   string
	token string
}

func signIn(t testing.TB, s *harness.Server, login string) *person {
	t.Helper()
	passwords := map[string]string{"ann": "correct-horse-1", "root": "correct-horse-2"}
	r := harness.Call(t, "POST", s.URL+"/console/api/login", object{"login": login, "password": passwords[login]})
	token, ok := r.JSON(t)["token"].(string)
	if r.Status != 200 || !ok {
		t.Fatalf("login answered %d %s", r.Status, r.Body)
	}
	return &person{t, s.URL + "/console/api", token}
}

func (p *person) call(method, path string, body any) harness.Reply {
	p.t.Helper()
	r := harness.Call(p.t, method, p.url+path, body, "Authorization", "Bearer "+p.token)
	if r.Status >= 300 {
		p.t.Fatalf("%s %s answered %d %s", method, path, r.Status, r.Body)
	}
	return r
}

// conversation returns the id of the conversation with a client.
func (p *person) conversation(client string) int64 {
	p.t.Helper()
	type page struct{ Items []struct{ ID int64 } }
	found := decode[page](p.t, p.call("GET", "/conversations?external_id="+url.QueryEscape(client), nil).Body)
	if len(found.Items) != 1 {
		p.t.Fatalf("%d conversations with %s, want 1", len(found.Items), client)
	}
	return found.Items[0].ID
}

// say writes to a client.
func (p *person) say(conversation int64, text string) {
	p.t.Helper()
	p.call("POST", fmt.Sprintf("/conversations/%d/messages", conversation), object{"text": text})
}
