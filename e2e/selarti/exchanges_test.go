package selarti_test

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
	"github.com/tolmach/tolmach/internal/webhook"
)

var bubble = regexp.MustCompile(`^\d{13}x\d{15,18}$`)

// E1: auth then send; the answer does not wait for the bot.
func TestE1AuthThenSend(t *testing.T) {
	r := harness.Receive(t, nil)
	s := harness.Start(t, setup(r.URL, "", ""), scenario)
	auth := harness.Call(t, "POST", s.URL+"/api/1.1/wf/auth", map[string]any{"key": "k-demo"})
	response := auth.JSON(t)["response"].(map[string]any)
	form := regexp.MustCompile(`^bus\|\d{13}x\d{15,18}\|\d{13}x\d{15,18}$`)
	if token := response["token"].(string); !form.MatchString(token) {
		t.Errorf("token %q is not of the form bus|id|id", token)
	}
	if user := response["user_id"].(string); !bubble.MatchString(user) {
		t.Errorf("user_id %q is no Bubble id", user)
	}
	if response["expires"] != 86400.0 {
		t.Errorf("expires %v, want 86400", response["expires"])
	}
	b := logIn(t, s)
	b.send("123456789", "slow")
	answered := time.Now()
	bot := r.Wait(t, 1, "the bot's answer", said("123456789", "bot", "done"))[0]
	if !bot.At.After(answered) {
		t.Error("the call was answered after the bot")
	}

	encoded := url.Values{"task_id": {taskID}, "chat_id": {"123456789"}, "message": {"echo form"}}.Encode()
	if reply := b.post(encoded, "Content-Type", "application/x-www-form-urlencoded"); reply.Status != 200 {
		t.Errorf("a form-encoded body answered %d %s", reply.Status, reply.Body)
	}
	if reply := b.post(`{"task_id":"` + taskID + `","chat_id":123456789,"message":"echo number"}`); reply.Status != 200 {
		t.Errorf("a numeric chat_id answered %d %s", reply.Status, reply.Body)
	}
	hooks := r.Wait(t, 3, "the bot's answers", said("123456789", "bot", ""))
	for _, h := range hooks {
		if h.Text("thread_id") != bot.Text("thread_id") {
			t.Errorf("another thread for the same chat_id: %s", h.Body)
		}
	}
}

var fields = []string{
	"wh_type", "company_id", "channel_id", "task_id", "manager_id", "thread_id", "external_chat_id", "message_id",
	"message_text", "message_type", "title", "contacts", "success", "get_contact", "interest", "close", "operator", "is_bot",
	"panel_url", "share_url",
}

// E2: two webhooks, in order, with the twenty fields, signed.
func TestE2Reply(t *testing.T) { harness.OnEach(t, testE2Reply) }

func testE2Reply(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, nil)
	s := on.Start(t, setup(r.URL, "", ""), scenario)
	b := logIn(t, s)
	reply := b.post(map[string]any{"task_id": taskID, "chat_id": "123456789", "message": "Do you deliver on Sunday?", "name": "Anna Petrova"})
	if reply.Status != 200 {
		t.Fatalf("send answered %d %s", reply.Status, reply.Body)
	}
	hooks := r.Wait(t, 2, "message and answer", nil)
	for i, author := range []string{"user", "bot"} {
		h := hooks[i]
		body := h.Fields(t)
		if body["message_type"] != author {
			t.Errorf("webhook %d is of %v, want %s", i+1, body["message_type"], author)
		}
		for _, f := range fields {
			if _, ok := body[f]; !ok {
				t.Errorf("webhook %d lacks %s: %s", i+1, f, h.Body)
			}
		}
		if len(body) != len(fields) {
			t.Errorf("webhook %d has %d keys, want the %d of the vendor: %s", i+1, len(body), len(fields), h.Body)
		}
		for _, f := range []string{"company_id", "channel_id", "task_id", "manager_id", "thread_id", "message_id"} {
			if id, _ := body[f].(string); !bubble.MatchString(id) {
				t.Errorf("%s is %v, no Bubble id", f, body[f])
			}
		}
		for _, f := range []string{"success", "get_contact", "interest", "close", "operator", "is_bot"} {
			if body[f] != false {
				t.Errorf("flag %s is %v, want false", f, body[f])
			}
		}
		if body["external_chat_id"] != "123456789" || body["task_id"] != taskID || body["title"] != "Anna Petrova" || body["contacts"] != "" {
			t.Errorf("webhook %d: %s", i+1, h.Body)
		}
		if want := s.URL + "/panel?menu=chats&thread=" + h.Text("thread_id"); body["panel_url"] != want {
			t.Errorf("panel_url %v, want %s", body["panel_url"], want)
		}
		if share := regexp.MustCompile(`/share/[0-9a-f]{32}$`); !share.MatchString(h.Text("share_url")) {
			t.Errorf("share_url %v has no random token", body["share_url"])
		}
		if err := webhook.Verify(h.Header, h.Body, time.Now(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"); err != nil {
			t.Errorf("webhook %d: %v", i+1, err)
		}
	}
	if hooks[0].Text("thread_id") != hooks[1].Text("thread_id") || hooks[0].Text("message_id") == hooks[1].Text("message_id") {
		t.Errorf("ids: %s and %s", hooks[0].Body, hooks[1].Body)
	}
}

// E3: the context joins by chat_id.
func TestE3Context(t *testing.T) {
	r := harness.Receive(t, nil)
	b := logIn(t, harness.Start(t, setup(r.URL, "", ""), scenario))
	b.send("lev", "count")
	b.send("lev", "count")
	b.send("other", "count")
	second := r.Wait(t, 1, "the second count of lev", said("lev", "bot", "2"))[0]
	first := r.Wait(t, 1, "the first count of lev", said("lev", "bot", "1"))[0]
	other := r.Wait(t, 1, "the count of the other", said("other", "bot", "1"))[0]
	if first.Text("thread_id") != second.Text("thread_id") || first.Text("thread_id") == other.Text("thread_id") {
		t.Errorf("threads %s, %s and %s", first.Text("thread_id"), second.Text("thread_id"), other.Text("thread_id"))
	}
}

// E4: the contact tag is told once, to who asked for it.
func TestE4ContactTag(t *testing.T) {
	r := harness.Receive(t, nil)
	tag := "  - name: contacts\n    format: selarti\n    url: " + r.URL + "/contacts\n    events: [get_contact]\n"
	b := logIn(t, harness.Start(t, setup(r.URL, tag, ""), scenario))
	b.send("c1", "call me +998901234567")
	event := r.Wait(t, 1, "the tag", func(h harness.Hook) bool { return h.Path == "/contacts" })[0]
	body := event.Fields(t)
	if body["wh_type"] != "get_contact" || body["get_contact"] != true || !strings.Contains(event.Text("contacts"), "+998901234567") {
		t.Errorf("the tag event: %s", event.Body)
	}
	if body["message_text"] != "" || body["message_type"] != "bot" {
		t.Errorf("a tag event has no text and is of the bot: %s", event.Body)
	}
	user := r.Wait(t, 1, "the user's message", said("c1", "user", ""))[0]
	if event.Text("message_id") != user.Text("message_id") {
		t.Errorf("the tag names message %s, want the one that caused it, %s", event.Text("message_id"), user.Text("message_id"))
	}
	b.send("c1", "again +998901234567")
	b.send("c1", "echo after")
	later := r.Wait(t, 1, "a later answer", said("c1", "bot", "after"))[0]
	if later.Fields(t)["get_contact"] != true {
		t.Errorf("a later event forgot the flag: %s", later.Body)
	}
	told := 0
	for _, h := range r.Hooks() {
		if h.Path == "/contacts" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the tag was told %d times, want once", told)
	}
}

// E5: handover silences the bot, removing the tag brings it back.
func TestE5HandoverAndReturn(t *testing.T) { harness.OnEach(t, testE5HandoverAndReturn) }

func testE5HandoverAndReturn(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, nil)
	tag := "  - name: handovers\n    format: selarti\n    url: " + r.URL + "/operator\n    events: [operator]\n"
	s := on.Start(t, setup(r.URL, tag, ""), scenario)
	b, ann := logIn(t, s), signIn(t, s)
	b.send("h1", "operator")
	r.Wait(t, 1, "the handover", func(h harness.Hook) bool { return h.Path == "/operator" && h.Text("operator") == "true" })
	b.send("h1", "echo are you there?")
	id := ann.conversation("h1")
	ann.call("POST", "/conversations/"+id+"/messages", map[string]any{"text": "I am here", "key": "k1"})
	operator := r.Wait(t, 1, "the operator", said("h1", "operator", "I am here"))[0]
	if operator.Fields(t)["operator"] != true {
		t.Errorf("the operator's message without the flag: %s", operator.Body)
	}
	r.Quiet(t, "a bot while people have the dialog", said("h1", "operator", "I am here"), said("h1", "bot", "are you there?"))
	ann.call("POST", "/conversations/"+id+"/flags", map[string]any{"operator": false})
	b.send("h1", "echo back")
	back := r.Wait(t, 1, "the bot again", said("h1", "bot", "back"))[0]
	if back.Fields(t)["operator"] != false {
		t.Errorf("the flag stayed: %s", back.Body)
	}

	// An operator who writes without taking over leaves the bot its turn.
	b.send("h2", "echo one")
	r.Wait(t, 1, "the bot", said("h2", "bot", "one"))
	ann.call("POST", "/conversations/"+ann.conversation("h2")+"/messages", map[string]any{"text": "by the way", "key": "k2"})
	r.Wait(t, 1, "the operator", said("h2", "operator", "by the way"))
	b.send("h2", "echo two")
	if h := r.Wait(t, 1, "the bot still", said("h2", "bot", "two"))[0]; h.Fields(t)["operator"] != false {
		t.Errorf("writing took over: %s", h.Body)
	}
}

// E6: the errors, none of which makes a dialog or a webhook.
func TestE6Errors(t *testing.T) {
	r := harness.Receive(t, nil)
	s := harness.Start(t, setup(r.URL, "", ""), scenario)
	b := logIn(t, s)
	missing := b.post(map[string]any{"task_id": taskID, "chat_id": "e1"})
	want := `{"statusCode":400,"body":{"status":"MISSING_DATA","message":"Missing parameter for workflow send_external_message: parameter message"}}`
	if missing.Status != 400 || strings.TrimSpace(string(missing.Body)) != want {
		t.Errorf("no message: %d %s", missing.Status, missing.Body)
	}
	wrong := harness.Call(t, "POST", s.URL+"/api/1.1/wf/send_external_message",
		map[string]any{"task_id": taskID, "chat_id": "e1", "message": "x"}, "Authorization", "Bearer bus|1x2|3x4")
	body := wrong.JSON(t)
	args, _ := body["args"].(map[string]any)
	code, _ := args["code"].(string)
	if wrong.Status != 401 || body["error_class"] != "Unauthorized" || !bubble.MatchString(code) || body["message"] != nil ||
		!strings.HasPrefix(body["translation"].(string), "Invalid or expired token: ") {
		t.Errorf("wrong bearer: %d %s", wrong.Status, wrong.Body)
	}
	unknown := harness.Call(t, "POST", s.URL+"/api/1.1/wf/no_such_method", map[string]any{}, "Authorization", "Bearer "+b.token)
	inner, _ := unknown.JSON(t)["body"].(map[string]any)
	if unknown.Status != 404 || unknown.JSON(t)["statusCode"] != 404.0 || inner["status"] != "NOT_FOUND" {
		t.Errorf("unknown method: %d %s", unknown.Status, unknown.Body)
	}
	task := b.post(map[string]any{"task_id": "1721129985149x000000000000000001", "chat_id": "e1", "message": "x"})
	if task.Status != 400 || task.JSON(t)["statusCode"] != 400.0 {
		t.Errorf("unknown task: %d %s", task.Status, task.Body)
	}
	b.send("fine", "echo marker")
	r.Wait(t, 1, "the marker", said("fine", "bot", "marker"))
	if i := slices.IndexFunc(r.Hooks(), func(h harness.Hook) bool { return h.Text("external_chat_id") == "e1" }); i >= 0 {
		t.Errorf("a refused call made a webhook: %s", r.Hooks()[i].Body)
	}
	if items := signIn(t, s).call("GET", "/conversations?external_id=e1", nil).JSON(t)["items"].([]any); len(items) != 0 {
		t.Errorf("a refused call made a dialog: %v", items)
	}
}

// E8: a reminder comes by itself, once a silence, and not after the tag that
// cancels it.
func TestE8Reminder(t *testing.T) {
	r := harness.Receive(t, nil)
	b := logIn(t, harness.Start(t, setup(r.URL, "",
		"    reminders: [{after: 300ms, type: static, text: still there?, cancelled_by: [close]}]"), scenario))
	b.send("r1", "echo one")
	r.Wait(t, 1, "the reminder", said("r1", "bot", "still there?"))
	b.send("r1", "echo two")
	r.Wait(t, 2, "the clock restarts with the next answer", said("r1", "bot", "still there?"))

	b.send("r2", "mute")
	r.Wait(t, 1, "the goodbye", said("r2", "bot", "bye"))
	b.send("r3", "echo three") // its reminder is due after the one that must not come
	r.Wait(t, 1, "the reminder of another dialog", said("r3", "bot", "still there?"))
	for _, h := range r.Hooks() {
		if said("r2", "bot", "still there?")(h) {
			t.Errorf("a reminder after close: %s", h.Body)
		}
	}
	if n := len(r.Wait(t, 2, "reminders of r1", said("r1", "bot", "still there?"))); n != 2 {
		t.Errorf("%d reminders for two silences", n)
	}
}

// E9: 503, 503, 200: the same bytes under the same id, order kept, other
// dialogs not held up.
func TestE9HookFailure(t *testing.T) { harness.OnEach(t, testE9HookFailure) }

func testE9HookFailure(t *testing.T, on harness.Engine) {
	failures := map[string]int{"ill": 2}
	r := harness.Receive(t, func(h harness.Hook) int {
		if chat := h.Text("external_chat_id"); failures[chat] > 0 && h.Text("message_text") == "echo first" {
			failures[chat]--
			return 503
		}
		return 200
	})
	b := logIn(t, on.Start(t, setup(r.URL, "", ""), scenario))
	b.send("well", "echo warm")
	r.Wait(t, 1, "a success of another dialog", said("well", "bot", "warm"))
	b.send("ill", "echo first")
	b.send("ill", "echo second")
	b.send("well", "echo meanwhile")
	r.Wait(t, 1, "the other dialog", said("well", "bot", "meanwhile"))
	r.Wait(t, 1, "the last answer", said("ill", "bot", "second"))
	var tries []harness.Hook
	var order []string
	for _, h := range r.Hooks() {
		if h.Text("external_chat_id") != "ill" {
			continue
		}
		if h.Text("message_text") == "echo first" {
			tries = append(tries, h)
		}
		if h.Status == 200 {
			order = append(order, h.Text("message_text"))
		}
	}
	if len(tries) != 3 {
		t.Fatalf("%d tries, want 3", len(tries))
	}
	for _, h := range tries[1:] {
		if h.ID != tries[0].ID || !bytes.Equal(h.Body, tries[0].Body) {
			t.Errorf("a try differs: %s %s, first %s %s", h.ID, h.Body, tries[0].ID, tries[0].Body)
		}
	}
	if len(order) != 4 || order[0] != "echo first" {
		t.Errorf("order %v", order)
	}
}
