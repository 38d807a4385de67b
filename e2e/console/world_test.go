// Package console_test drives the console's API of the built binary, with
// several operators at once and connections that stay open.
package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

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
  - name: /Operator
    patterns: ["operator"]
    replies: [{text: one moment}]
    handover: {}
fallback:
  name: /CatchAll
  replies: [{text: what?}]
`

var setup = fmt.Sprintf(`
tenant: local
channels: [{name: messenger, kind: page_messenger}]
bots: [{name: demo, kind: scenario, file: scenario.yaml}]
operators:
  - {login: ann, name: Anna, password: correct-horse-1, role: operator}
  - {login: bob, name: Robert, password: correct-horse-2, role: operator}
  - {login: sue, name: Susan, password: correct-horse-3, role: supervisor}
tasks: [{name: shop, selarti_id: %s, channel: messenger, bot: demo}]
api_keys: [{name: bridge, key: k-demo, scopes: [messages:write, conversations:read]}]
`, taskID)

// client speaks as the end users do, through the bridge.
type client struct {
	t   testing.TB
	url string
	tok string
}

func bridge(t testing.TB, s *harness.Server) *client {
	t.Helper()
	r := harness.Call(t, "POST", s.URL+"/api/1.1/wf/auth", map[string]any{"key": "k-demo"}).JSON(t)
	return &client{t, s.URL, r["response"].(map[string]any)["token"].(string)}
}

func (c *client) say(chat, text string) {
	c.t.Helper()
	r := harness.Call(c.t, "POST", c.url+"/api/1.1/wf/send_external_message",
		map[string]any{"task_id": taskID, "chat_id": chat, "message": text}, "Authorization", "Bearer "+c.tok)
	if r.Status != http.StatusOK {
		c.t.Fatalf("saying %q: %d %s", text, r.Status, r.Body)
	}
}

// operator is somebody at the console.
type operator struct {
	t     testing.TB
	url   string // …/console/api
	token string
}

func signIn(t testing.TB, s *harness.Server, login, password string) *operator {
	t.Helper()
	r := harness.Call(t, "POST", s.URL+"/console/api/login", map[string]any{"login": login, "password": password})
	token, ok := r.JSON(t)["token"].(string)
	if r.Status != http.StatusOK || !ok {
		t.Fatalf("login answered %d %s", r.Status, r.Body)
	}
	return &operator{t, s.URL + "/console/api/", token}
}

// try makes a call that may be refused.
func (o *operator) try(method, path string, body any) harness.Reply {
	o.t.Helper()
	return harness.Call(o.t, method, o.url+path, body, "Authorization", "Bearer "+o.token)
}

// call makes one that must work.
func (o *operator) call(method, path string, body any) map[string]any {
	o.t.Helper()
	r := o.try(method, path, body)
	if r.Status != http.StatusOK {
		o.t.Fatalf("%s %s answered %d %s", method, path, r.Status, r.Body)
	}
	return r.JSON(o.t)
}

// conversation waits until a client's conversation is listed, and returns it.
func (o *operator) conversation(chat string) (id int64) {
	o.t.Helper()
	items := o.call("GET", "conversations?external_id="+chat, nil)["items"].([]any)
	if len(items) != 1 {
		o.t.Fatalf("%d conversations of %s", len(items), chat)
	}
	return int64(items[0].(map[string]any)["id"].(float64))
}

func (o *operator) path(id int64, rest string) string {
	return fmt.Sprintf("conversations/%d/%s", id, rest)
}

// message is what a live connection says.
type message struct {
	Type         string
	ID           int64
	Position     int64
	Epoch        string
	Conversation int64
	Reason       string
	Event        struct {
		Seq     int64
		Kind    string
		Author  string
		Message *struct{ Text string }
	}
}

func (m message) text() string {
	if m.Event.Message == nil {
		return ""
	}
	return m.Event.Message.Text
}

// line is a live connection.
type line struct {
	t     testing.TB
	said  chan message
	ended chan error
	cut   func()
}

// live opens one: by WebSocket or as a stream.
func (o *operator) live(kind, query string) *line {
	o.t.Helper()
	l := &line{t: o.t, said: make(chan message, 100_000), ended: make(chan error, 1)}
	if kind == "WebSocket" {
		o.dial(l, query)
	} else {
		o.stream(l, query)
	}
	o.t.Cleanup(l.cut)
	return l
}

func (o *operator) dial(l *line, query string) {
	o.t.Helper()
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"Authorization": {"Bearer " + o.token}}}
	conn, early, _, err := d.Dial(context.Background(), strings.Replace(o.url, "http", "ws", 1)+"live"+query)
	if err != nil {
		o.t.Fatal(err)
	}
	l.cut = func() { _ = conn.Close() }
	from := io.Reader(conn)
	if early != nil {
		from = early
	}
	go func() {
		for {
			text, err := wsutil.ReadServerText(struct {
				io.Reader
				io.Writer
			}{from, conn})
			if err != nil {
				l.ended <- err
				return
			}
			l.hear(text)
		}
	}()
}

func (o *operator) stream(l *line, query string) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", o.url+"live"+query, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	r.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		o.t.Fatalf("opening the stream: %v, %v", resp, err)
	}
	l.cut = cancel
	go func() {
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewReader(resp.Body)
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				l.ended <- err
				return
			}
			if data, ok := strings.CutPrefix(text, "data: "); ok {
				l.hear([]byte(data))
			}
		}
	}()
}

func (l *line) hear(text []byte) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		l.t.Errorf("%v: %s", err, text)
	}
	l.said <- m
}

func (l *line) next() message {
	l.t.Helper()
	select {
	case m := <-l.said:
		return m
	case <-time.After(harness.Patience):
		l.t.Fatal("nothing came")
	}
	return message{}
}

// event is the next event that match wants.
func (l *line) event(match func(message) bool) message {
	l.t.Helper()
	for {
		if m := l.next(); m.Type == "event" && match(m) {
			return m
		}
	}
}

// over waits for the end and returns the code of a WebSocket's close frame.
func (l *line) over() ws.StatusCode {
	l.t.Helper()
	select {
	case err := <-l.ended:
		var closed wsutil.ClosedError
		if errors.As(err, &closed) {
			return closed.Code
		}
	case <-time.After(harness.Patience):
		l.t.Fatal("the connection stays open")
	}
	return 0
}
