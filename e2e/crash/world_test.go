package crash_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

const taskID = "1721129985149x478019552540622850"

const scenario = `
language: en
states:
  - name: /Echo
    patterns: ["~^echo (.*)$"]
    replies: [{text: "{{ match[1] }}"}]
fallback:
  name: /CatchAll
  replies: [{text: what?}]
`

// newWorld is an installation in a directory of its own, or in the given one.
func newWorld(t *testing.T, data string) *world {
	t.Helper()
	w := &world{t: t, receiver: receive(t), load: newLoad()}
	w.receiver.calm()
	dir := harness.ShortDir(t)
	if data == "" {
		data = filepath.Join(dir, "data")
	}
	w.data, w.setup = data, writeSetup(t, dir, w.receiver.url)
	return w
}

// serve starts the server of the installation.
func (w *world) serve(failpoint string) *process {
	return serve(w.t, w.data, w.setup, failpoint, w.env()...)
}

// audit audits the installation of a dead server, as the kill left it.
func (w *world) audit() audit {
	if w.cluster != nil {
		return auditDatabase(w.t, w.database, w.acked)
	}
	return auditCopy(w.t, w.data, w.acked)
}

// writeSetup writes the set-up: a bot that answers every message, and an
// integration that is told of all of them and gives up on one soon.
func writeSetup(t *testing.T, dir, receiver string) string {
	t.Helper()
	setup := fmt.Sprintf(`
tenant: local
channels: [{name: messenger, kind: page_messenger}]
bots: [{name: echo, kind: scenario, file: scenario.yaml, call_timeout: 10s}]
integrations:
  - {name: all, format: selarti, url: %s/all, events: [all_messages], max_inflight: %d,
     retry: {event: [10ms, 20ms], endpoint: [10ms, 20ms]}}
operators: [{login: ann, password: correct-horse-1, role: admin}]
tasks: [{name: shop, selarti_id: %s, channel: messenger, bot: echo, integrations: [all]}]
api_keys: [{name: bridge, key: k-crash, scopes: [messages:write, conversations:read]}]
`, receiver, maxInflight, taskID)
	for name, content := range map[string]string{"scenario.yaml": scenario, "setup.yaml": setup} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "setup.yaml")
}

// finish lets the installation come to rest: everything is delivered or
// parked, every question is answered, and the API shows what was promised.
func (w *world) finish() {
	w.receiver.calm()
	p := w.serve("")
	p.mustBeUp(w.t)
	w.load.start(p.url, writers*chats*2) // whoever was left without an answer gets one now
	w.await(p)
	w.load.end()
	api := signIn(w.t, p.url)
	api.drained()
	stored := 0
	for writer := range writers {
		for c := range chats {
			stored += api.checkChat(chatName(writer, c), w.acked(chatName(writer, c)))
		}
	}
	p.stop(w.t)
	a := w.audit()
	repeated, problems := w.receiver.report()
	w.receiver.settle(w.t, a.ids)
	_, more := w.receiver.report()
	for _, problem := range append(append(a.problems, problems...), more...) {
		w.t.Error(problem)
	}
	if a.pending != 0 || a.stored != w.ackedOfAll() || a.answers != a.stored || stored != a.stored {
		w.t.Errorf("at rest: %d acknowledged, %d stored, %d by the API, %d answered, %d pending",
			w.ackedOfAll(), a.stored, stored, a.answers, a.pending)
	}
	w.t.Logf("total: %d rounds, %d backups finished; %d acknowledged, %d stored, %d lost, %d inverted; delivered %d + parked %d = %d; in flight at kills %d, repeated %d",
		w.total.rounds, w.total.backups, w.ackedOfAll(), a.stored, w.total.lost+a.lost, w.total.inverted+a.inverted+w.receiver.inverted, a.delivered, a.parked, a.accepted, w.total.inFlight, w.total.repeated+repeated)
}

// console reads through the API.
type console struct {
	t     *testing.T
	url   string
	token string
}

func signIn(t *testing.T, url string) *console {
	t.Helper()
	r := harness.Call(t, "POST", url+"/console/api/login", map[string]any{"login": "ann", "password": "correct-horse-1"})
	token, ok := r.JSON(t)["token"].(string)
	if !ok {
		t.Fatalf("login answered %d %s", r.Status, r.Body)
	}
	return &console{t, url + "/console/api", token}
}

func get[T any](c *console, path string) (v T) {
	c.t.Helper()
	r := harness.Call(c.t, "GET", c.url+path, nil, "Authorization", "Bearer "+c.token)
	if err := json.Unmarshal(r.Body, &v); err != nil || r.Status != 200 {
		c.t.Fatalf("GET %s answered %d %s", path, r.Status, r.Body)
	}
	return v
}

// drained waits until no endpoint is behind. The leases of claims that nobody
// knows of may have to end first.
func (c *console) drained() {
	c.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * patience)
	for {
		page := get[struct {
			Items []struct {
				Waiting int `json:"waiting"`
			} `json:"items"`
		}](c, "/endpoints")
		waiting := 0
		for _, e := range page.Items {
			waiting += e.Waiting
		}
		if waiting == 0 && len(page.Items) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			c.t.Fatalf("%d lanes still wait", waiting)
		}
	}
}

// checkChat demands a chat's messages 0…n-1 of the API, in order.
func (c *console) checkChat(chat string, n int) (stored int) {
	c.t.Helper()
	list := get[struct{ Items []struct{ ID int64 } }](c, "/conversations?external_id="+chat)
	if len(list.Items) != 1 {
		c.t.Fatalf("%d conversations with %s, want 1", len(list.Items), chat)
	}
	after := int64(0)
	for {
		page := get[struct {
			Items []struct {
				Seq     int64
				Message *struct{ Author, Text string }
			}
			Next *int64
		}](c, fmt.Sprintf("/conversations/%d/events?after=%d", list.Items[0].ID, after))
		for _, e := range page.Items {
			if e.Message == nil || e.Message.Author != "CLIENT" {
				continue
			}
			if want := fmt.Sprintf("echo %d", stored); e.Message.Text != want {
				c.t.Errorf("%s: the API shows %q where %q was acknowledged", chat, e.Message.Text, want)
				return stored
			}
			stored++
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if stored != n {
		c.t.Errorf("%s: the API shows %d messages, %d were acknowledged", chat, stored, n)
	}
	return stored
}
