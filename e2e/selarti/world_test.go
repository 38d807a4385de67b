// Package selarti_test holds the built binary to the exchanges of
// specs/selarti.md §6 and to the promises of the delivery policy.
package selarti_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/e2e/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Clean()
	os.Exit(code)
}

const taskID = "1721129985149x478019552540622850"

const scenario = `
language: en
states:
  - name: /Count
    patterns: ["count"]
    set: {n: "{{ int(vars.n ?? 0) + 1 }}"}
    replies: [{text: "{{ vars.n }}"}]
  - name: /Slow
    patterns: ["slow"]
    delay: 700ms
    replies: [{text: done}]
  - name: /Echo
    patterns: ["~^echo (.*)$"]
    replies: [{text: "{{ match[1] }}"}]
  - name: /Contact
    patterns: ["~(\\+?\\d[\\d ()-]{9,}\\d)"]
    client: {phone: "{{ match[1] }}"}
    flags: [get_contact]
    replies: [{text: noted}]
  - name: /Operator
    patterns: ["operator"]
    replies: [{text: one moment}]
    handover: {}
  - name: /Mute
    patterns: ["mute"]
    flags: [close]
    replies: [{text: bye}]
fallback:
  name: /CatchAll
  replies: [{text: what?}]
`

// setup is a set-up with one integration of every message at the receiver,
// plus more integrations and keys of the task as YAML lines.
func setup(receiver string, moreIntegrations string, taskKeys string) string {
	names := []string{"all"}
	for _, line := range strings.Split(moreIntegrations, "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- name: "); ok {
			names = append(names, name)
		}
	}
	return fmt.Sprintf(`
tenant: local
channels: [{name: messenger, kind: page_messenger}]
bots: [{name: demo, kind: scenario, file: scenario.yaml}]
managers: [{name: Virtual sales}]
integrations:
  - name: all
    format: selarti
    url: %[1]s/all
    events: [all_messages]
    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    retry: {event: [100ms, 200ms, 400ms, 400ms, 400ms, 400ms, 400ms, 400ms, 1h], endpoint: [100ms, 200ms, 400ms]}
%[2]s
operators: [{login: ann, name: Anna, password: correct-horse-1, role: operator}]
tasks:
  - name: shop
    selarti_id: %[3]s
    channel: messenger
    bot: demo
    manager: Virtual sales
    integrations: [%[4]s]
%[5]s
api_keys: [{name: bridge, key: k-demo, scopes: [messages:write, conversations:read]}]
`, receiver, moreIntegrations, taskID, strings.Join(names, ", "), taskKeys)
}

// bridge is a caller of the API.
type bridge struct {
	t      testing.TB
	server *harness.Server
	token  string
}

func logIn(t testing.TB, s *harness.Server) *bridge {
	t.Helper()
	r := harness.Call(t, "POST", s.URL+"/api/1.1/wf/auth", map[string]any{"key": "k-demo"})
	response, ok := r.JSON(t)["response"].(map[string]any)
	if r.Status != 200 || !ok {
		t.Fatalf("auth answered %d %s", r.Status, r.Body)
	}
	return &bridge{t, s, response["token"].(string)}
}

func (b *bridge) post(body any, headers ...string) harness.Reply {
	b.t.Helper()
	return harness.Call(b.t, "POST", b.server.URL+"/api/1.1/wf/send_external_message", body,
		append([]string{"Authorization", "Bearer " + b.token}, headers...)...)
}

// send sends a message that must be accepted.
func (b *bridge) send(chat, text string) {
	b.t.Helper()
	r := b.post(map[string]any{"task_id": taskID, "chat_id": chat, "message": text})
	if r.Status != 200 || r.JSON(b.t)["status"] != "success" {
		b.t.Fatalf("sending %q to %s answered %d %s", text, chat, r.Status, r.Body)
	}
}

// said matches an all_messages webhook by chat, author and text; "" is any.
func said(chat, author, text string) func(harness.Hook) bool {
	return func(h harness.Hook) bool {
		return h.Text("wh_type") == "all_messages" &&
			(chat == "" || h.Text("external_chat_id") == chat) &&
			(author == "" || h.Text("message_type") == author) &&
			(text == "" || h.Text("message_text") == text)
	}
}

// console is an operator at the console's API.
type console struct {
	t     testing.TB
	url   string
	token string
}

func signIn(t testing.TB, s *harness.Server) *console {
	t.Helper()
	r := harness.Call(t, "POST", s.URL+"/console/api/login", map[string]any{"login": "ann", "password": "correct-horse-1"})
	token, ok := r.JSON(t)["token"].(string)
	if r.Status != 200 || !ok {
		t.Fatalf("login answered %d %s", r.Status, r.Body)
	}
	return &console{t, s.URL + "/console/api", token}
}

func (c *console) call(method, path string, body any) harness.Reply {
	c.t.Helper()
	r := harness.Call(c.t, method, c.url+path, body, "Authorization", "Bearer "+c.token)
	if r.Status >= 300 {
		c.t.Fatalf("%s %s answered %d %s", method, path, r.Status, r.Body)
	}
	return r
}

// conversation returns the id of the conversation with a client.
func (c *console) conversation(chat string) string {
	c.t.Helper()
	items := c.call("GET", "/conversations?external_id="+chat, nil).JSON(c.t)["items"].([]any)
	if len(items) != 1 {
		c.t.Fatalf("%d conversations with %s, want 1", len(items), chat)
	}
	return fmt.Sprintf("%.0f", items[0].(map[string]any)["id"].(float64))
}
