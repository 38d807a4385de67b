package chat_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestRefusals: every limit and every malformed input has its code and names
// its field, and leaves nothing behind.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	k.hears("hi")
	message := k.conv().LastMessageID
	session := k.conv().SessionID
	long := func(n int) string { return strings.Repeat("x", n+1) }
	client := func(edit func(m *chat.ClientMessage)) func() error {
		return func() error {
			m := chat.ClientMessage{Incoming: k.incoming(), Content: chat.Content{Text: "hi"}}
			edit(&m)
			_, err := w.ClientMessage(w.ctx, w.bridge(), m)
			return err
		}
	}
	event := func(edit func(e *chat.ClientEvent)) func() error {
		return func() error {
			e := chat.ClientEvent{Incoming: k.incoming(), Name: "ping"}
			edit(&e)
			_, err := w.ClientEvent(w.ctx, w.bridge(), e)
			return err
		}
	}
	operator := func(actor chat.Actor, edit func(m *chat.OperatorMessage)) func() error {
		return func() error {
			m := chat.OperatorMessage{ConversationID: k.id, Content: chat.Content{Text: "hi"}}
			edit(&m)
			_, err := w.OperatorMessage(w.ctx, actor, m)
			return err
		}
	}
	ann := w.operator("ann")
	tests := []struct {
		name  string
		do    func() error
		code  chat.Code
		field string
	}{
		{"no client", client(func(m *chat.ClientMessage) { m.ExternalID = "" }), chat.CodeMissing, "chat_id"},
		{"long client", client(func(m *chat.ClientMessage) { m.ExternalID = long(chat.MaxExternalID) }), chat.CodeTooLarge, "chat_id"},
		{"long key", client(func(m *chat.ClientMessage) { m.Key = long(chat.MaxKey) }), chat.CodeTooLarge, "Idempotency-Key"},
		{"no text", client(func(m *chat.ClientMessage) { m.Content.Text = "" }), chat.CodeMissing, "message"},
		{"long text", client(func(m *chat.ClientMessage) { m.Content.Text = long(chat.MaxText) }), chat.CodeTooLarge, "message"},
		{"long data", client(func(m *chat.ClientMessage) { m.Payload = []byte(`"` + long(chat.MaxText) + `"`) }), chat.CodeTooLarge, "data"},
		{"broken data", client(func(m *chat.ClientMessage) { m.Payload = []byte(`{"a"`) }), chat.CodeInvalid, "data"},
		{"long name", client(func(m *chat.ClientMessage) { m.Profile = map[string]string{"name": long(chat.MaxProfileValue)} }), chat.CodeTooLarge, "name"},
		{"unknown task", client(func(m *chat.ClientMessage) { m.TaskID = 1 << 40 }), chat.CodeNotFound, "task_id"},
		{"no event", event(func(e *chat.ClientEvent) { e.Name = "" }), chat.CodeMissing, "event"},
		{"long event", event(func(e *chat.ClientEvent) { e.Name = long(chat.MaxEventName) }), chat.CodeTooLarge, "event"},
		{"long data of an event", event(func(e *chat.ClientEvent) { e.Payload = []byte(`"` + long(chat.MaxText) + `"`) }), chat.CodeTooLarge, "data"},
		{"broken data of an event", event(func(e *chat.ClientEvent) { e.Payload = []byte(`]`) }), chat.CodeInvalid, "data"},
		{"event without a client", event(func(e *chat.ClientEvent) { e.ExternalID = "" }), chat.CodeMissing, "chat_id"},
		{"no operator", operator(w.bridge(), func(*chat.OperatorMessage) {}), chat.CodeForbidden, ""},
		{"operator without a text", operator(ann, func(m *chat.OperatorMessage) { m.Content = chat.Content{} }), chat.CodeMissing, "text"},
		{"long text of an operator", operator(ann, func(m *chat.OperatorMessage) { m.Content.Text = long(chat.MaxText) }), chat.CodeTooLarge, "text"},
		{"long key of an operator", operator(ann, func(m *chat.OperatorMessage) { m.Key = long(chat.MaxKey) }), chat.CodeTooLarge, "key"},
		{"unknown conversation", operator(ann, func(m *chat.OperatorMessage) { m.ConversationID = 1 << 40 }), chat.CodeNotFound, ""},
		{"take by a key", func() error { _, err := w.Take(w.ctx, w.bridge(), k.id); return err }, chat.CodeForbidden, ""},
		{"long result", func() error { _, err := w.Close(w.ctx, ann, k.id, long(chat.MaxResult)); return err }, chat.CodeTooLarge, "result"},
		{"rating 0", func() error { return w.Rate(w.ctx, w.bridge(), session, 0, "") }, chat.CodeInvalid, "rating"},
		{"rating 6", func() error { return w.Rate(w.ctx, w.bridge(), session, 6, "") }, chat.CodeInvalid, "rating"},
		{"long comment", func() error { return w.Rate(w.ctx, w.bridge(), session, 5, long(chat.MaxResult)) }, chat.CodeTooLarge, "comment"},
		{"unknown session", func() error { return w.Rate(w.ctx, w.bridge(), 1<<40, 5, "") }, chat.CodeNotFound, ""},
		{"unknown status", func() error { _, err := w.SetStatus(w.ctx, w.bridge(), message, "SEEN"); return err }, chat.CodeInvalid, "status"},
		{"unknown message", func() error { _, err := w.SetStatus(w.ctx, w.bridge(), 1<<40, chat.StatusRead); return err }, chat.CodeNotFound, ""},
		{"unknown flag", func() error {
			_, err := w.SetFlags(w.ctx, ann, k.id, map[string]bool{"success": true, "sucess": true})
			return err
		}, chat.CodeInvalid, "sucess"},
		{"long value of a profile", func() error {
			_, err := w.ChangeProfile(w.ctx, ann, k.id, map[string]string{"email": long(chat.MaxProfileValue)})
			return err
		}, chat.CodeTooLarge, "email"},
		{"no target", func() error { return w.AddTarget(w.ctx, w.bridge(), k.incoming().TaskID, "") }, chat.CodeMissing, "target"},
		{"long target", func() error { return w.AddTarget(w.ctx, w.bridge(), k.incoming().TaskID, long(chat.MaxTarget)) }, chat.CodeTooLarge, "target"},
		{"target of no task", func() error { return w.AddTarget(w.ctx, w.bridge(), 1<<40, "@eve") }, chat.CodeNotFound, "task"},
		{"unknown question", func() error {
			_, err := w.Answer(w.ctx, w.bot("demo"), chat.Answer{ConversationID: k.id, Question: 99, Version: 1})
			return err
		}, chat.CodeNotFound, ""},
		{"odd state of a replay", func() error {
			_, err := w.Replay(w.ctx, w.bridge(), chat.DeliveryFilter{State: chat.DeliveryVoid})
			return err
		}, chat.CodeInvalid, "state"},
	}
	before := k.conv()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			wantCode(t, err, tt.code)
			if got := chat.ErrorField(err); got != tt.field {
				t.Errorf("the error names %q, want %q: %v", got, tt.field, err)
			}
			if chat.ErrorMessage(err) == "" {
				t.Error("the error says nothing")
			}
		})
	}
	if after := k.conv(); !reflect.DeepEqual(after, before) {
		t.Errorf("refusals changed %+v to %+v", before, after)
	}
}

// TestLargestInputs are accepted: the limits themselves.
func TestLargestInputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.client = strings.Repeat("c", chat.MaxExternalID)
	m := keyed(k, strings.Repeat("k", chat.MaxKey), strings.Repeat("x", chat.MaxText))
	m.Payload = []byte(`"` + strings.Repeat("x", chat.MaxText-2) + `"`)
	m.Profile = map[string]string{"name": strings.Repeat("n", chat.MaxProfileValue)}
	a, err := w.ClientMessage(w.ctx, w.bridge(), m)
	k.must(err)
	k.id = a.ConversationID
	_, err = w.ClientEvent(w.ctx, w.bridge(), chat.ClientEvent{Incoming: k.incoming(), Name: strings.Repeat("e", chat.MaxEventName), Payload: m.Payload})
	k.must(err)
	_, err = w.OperatorMessage(w.ctx, w.operator("ann"), chat.OperatorMessage{ConversationID: k.id, Content: m.Content, Key: m.Key})
	k.must(err)
	_, err = w.Close(w.ctx, w.operator("ann"), k.id, strings.Repeat("r", chat.MaxResult))
	k.must(err)
	k.must(w.AddTarget(w.ctx, w.bridge(), m.TaskID, strings.Repeat("t", chat.MaxTarget)))
}

// TestMessagesWithoutText: what is shown need not be a text.
func TestMessagesWithoutText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	for name, c := range map[string]chat.Content{
		"markdown":   {Markdown: "*hi*"},
		"attachment": {Attachments: []chat.Attachment{{Kind: "file", URL: "http://a/b"}}},
		"buttons":    {Buttons: []chat.Button{{Text: "yes"}}},
		"list":       {List: &chat.ListPicker{Title: "t"}},
		"native":     {Native: []byte(`{"type":"odd"}`)},
	} {
		if _, err := k.send(chat.ClientMessage{Content: c}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := k.send(chat.ClientMessage{Content: chat.Content{Header: "h", Footer: "f", Payload: "p", State: "/s"}})
	wantCode(t, err, chat.CodeMissing)
}
