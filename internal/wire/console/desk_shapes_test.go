package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

func (d *desk) patch(t testing.TB, token, path, body string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: "PATCH", Path: "/console/api/" + path, Token: token, Body: body}.Do(t, d.handler)
}

// The shapes of an operator's tools, as the README shows them.
func TestDeskShapes(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	golden(t, "status", d.put(t, ann, "me/status", `{"status":"INACTIVE","reason":"lunch"}`).Must(http.StatusOK))
	golden(t, "me", d.get(t, ann, "me").Must(http.StatusOK))
	golden(t, "operators", d.get(t, ann, "operators").Must(http.StatusOK))
	golden(t, "canned_reply", d.post(t, ann, "canned", `{"shortcut":"hi","text":"Good day!"}`).Must(http.StatusOK))
	golden(t, "canned", d.get(t, ann, "canned").Must(http.StatusOK))
	a, err := d.ClientMessage(t.Context(), d.Actor(d.Acme), chat.ClientMessage{
		Incoming: chat.Incoming{TaskID: d.Acme.Task.ID, ExternalID: "123456789", Profile: map[string]string{"name": "Anna Petrova"}},
		Content:  chat.Content{Text: "Do you deliver?"},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Conversation(t.Context(), d.Actor(d.Acme), a.ConversationID)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "note", d.post(t, ann, path(a.ConversationID, "/notes"), `{"text":"a friend"}`).Must(http.StatusOK))
	golden(t, "read", d.post(t, ann, path(a.ConversationID, "/read"), fmt.Sprintf(`{"seq":%d}`, a.Seq)).Must(http.StatusOK))
	card := fmt.Sprint("clients/", l.ClientID)
	edit := fmt.Sprintf(`{"conversation":%d,"profile":{"phone":"+998901234567","name":"Anna"}}`, a.ConversationID)
	golden(t, "client_edited", d.patch(t, ann, card, edit).Must(http.StatusOK))
	golden(t, "client", d.get(t, ann, card).Must(http.StatusOK))
	golden(t, "log", d.get(t, ann, path(a.ConversationID, "/events?after=2")).Must(http.StatusOK))
}

func TestDeskRefusals(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	l, err := d.Conversation(t.Context(), d.Actor(d.Acme), id)
	if err != nil {
		t.Fatal(err)
	}
	file := func(more string) string { return `{"text":"x","attachments":[{"kind":"file",` + more + `}]}` }
	card := fmt.Sprint("clients/", l.ClientID)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code, field        string
	}{
		{"POST", path(id, "/messages"), file(`"url":"ftp://a.example/x"`), 400, "invalid", "attachments"},
		{"POST", path(id, "/messages"), file(`"url":"javascript:alert(1)"`), 400, "invalid", "attachments"},
		{"POST", path(id, "/messages"), file(`"url":"/x"`), 400, "invalid", "attachments"},
		{"POST", path(id, "/messages"), file(`"name":"x"`), 400, "missing", "attachments"},
		{"POST", path(id, "/messages"), file(`"url":"https://a.example/x","path":"/etc"`), 400, "invalid", "attachments"},
		{"POST", path(id, "/messages"), `{"text":"x","attachments":[{"kind":"virus","url":"https://a.example"}]}`, 400, "invalid", "attachments"},
		{"POST", path(id, "/messages"), `{"attachments":[]}`, 400, "missing", "text"},
		{"POST", path(id, "/messages"), `{"attachments":[` + strings.TrimSuffix(strings.Repeat(`{"kind":"file","url":"https://a.example"},`, 11), ",") + `]}`,
			413, "too_large", "attachments"},
		{"POST", path(id, "/transfer"), `{}`, 400, "missing", "operator"},
		{"POST", path(id, "/transfer"), `{"operator":1,"queue":true}`, 400, "invalid", "operator"},
		{"POST", path(id, "/read"), `{}`, 400, "missing", "seq"},
		{"POST", path(id, "/notes"), `{"text":""}`, 400, "missing", "text"},
		{"POST", path(id, "/typing"), `{"now":true}`, 400, "invalid", "now"},
		{"PUT", "me/status", `{}`, 400, "missing", "status"},
		{"PUT", "me/status", `{"status":"BUSY"}`, 400, "invalid", "status"},
		{"POST", "canned", `{"text":"x"}`, 400, "missing", "shortcut"},
		{"POST", "canned", `{"shortcut":"x","text":"x","shared":true}`, 403, "forbidden", ""},
		{"DELETE", "canned/999", ``, 404, "not_found", ""},
		{"PATCH", card, `{"conversation":1}`, 400, "missing", "profile"},
		{"PATCH", card, `{"profile":{}}`, 400, "missing", "conversation"},
		{"PATCH", card, `{"profile":{"name":1},"conversation":1}`, 400, "invalid", "profile"},
		{"GET", "conversations?status=ended", ``, 400, "invalid", "status"},
		{"GET", "conversations?flag=success&flag=won", ``, 400, "invalid", "flag"},
		{"GET", "conversations?owner=queue&operator=1", ``, 400, "invalid", "operator"},
		{"GET", "conversations?text=" + strings.Repeat("x", 257), ``, 400, "invalid", "text"},
	} {
		a := wiretest.Ask{Method: tt.method, Path: "/console/api/" + tt.path, Token: ann, Body: tt.body}.Do(t, d.handler)
		if a.Status != tt.status || a.At("error", "code") != tt.code || tt.field != "" && a.At("error", "field") != tt.field {
			t.Errorf("%s %s %.80s: %d %s", tt.method, tt.path, tt.body, a.Status, a.Body)
		}
	}
}

// A search is a filter like any other, and flags add up.
func TestConversationSearch(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	first, second := int64(d.Say(d.Acme, "one", "Hello There").ConversationID), int64(d.Say(d.Acme, "two", "hi").ConversationID)
	d.post(t, ann, path(chat.ID(first), "/flags"), `{"interest":true,"success":true}`).Must(http.StatusOK)
	d.post(t, ann, path(chat.ID(second), "/flags"), `{"interest":true}`).Must(http.StatusOK)
	d.post(t, ann, path(chat.ID(second), "/close"), "").Must(http.StatusOK)
	for query, want := range map[string]string{
		"text=hello+there": fmt.Sprint([]int64{first}), "text=TWO": fmt.Sprint([]int64{second}), "text=nothing": "[]",
		"flag=interest": fmt.Sprint([]int64{first, second}), "flag=interest&flag=success": fmt.Sprint([]int64{first}),
		"status=open": fmt.Sprint([]int64{first}), "status=closed": fmt.Sprint([]int64{second}), "status=closed&text=one": "[]",
		"operator=999": "[]",
	} {
		if got := fmt.Sprint(ids(t, d.get(t, ann, "conversations?"+query))); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestAttachments(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	d.post(t, ann, path(id, "/messages"),
		`{"attachments":[{"kind":"image","url":"https://a.example/b.png?c=d&e","name":"b.png","mime_type":"image/png","size":5}]}`).Must(http.StatusOK)
	last := d.get(t, ann, path(id, "")).Must(http.StatusOK)
	if !strings.Contains(last.Body, `"attachments":[{"kind":"image","url":"https://a.example/b.png?c=d&e","name":"b.png","mime_type":"image/png","size":5}]`) {
		t.Error(last.Body)
	}
}
