package selarti_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

var update = flag.Bool("update", false, "write the golden bodies anew")

// at is the moment everything in the hand-made work happened, second by second.
func at(seconds int64) chat.Micros { return chat.Micros((1_732_700_000 + seconds) * 1_000_000) }

// work is a message of a client, as the delivery engine hands it over.
func work(edit func(w *chat.Work)) *chat.Work {
	message := &chat.Message{
		ID: 31, TenantID: 1, ConversationID: 30, Seq: 2, At: at(31), Author: chat.AuthorClient,
		Content: chat.Content{Text: "Do you deliver on Sunday?"},
	}
	w := &chat.Work{
		Endpoint: chat.Endpoint{ID: 20, Kind: chat.EndpointIntegration, Integration: &chat.Integration{ID: 20, Format: "selarti"}},
		Tenant:   &chat.Tenant{ID: 1, Name: "acme", CreatedAt: at(1)},
		Task: &chat.BoundTask{
			Task:    &chat.Task{ID: 10, Name: "shop", SelartiID: wiretest.Given, CreatedAt: at(10)},
			Channel: &chat.Channel{ID: 11, Name: "messenger", CreatedAt: at(11)},
			Manager: &chat.Manager{ID: 12, Name: "Virtual sales", CreatedAt: at(12)},
		},
		Entry: chat.Entry{
			Event: chat.Event{
				ID: 32, Seq: 2, At: at(31), Kind: chat.EventMessageCreated, MessageID: 31, Author: chat.AuthorClient,
				Data: chat.EventData{Title: "Anna Petrova", Contacts: "+998 90 123-45-67"},
			},
			Message: message,
		},
		Conversation: &chat.Conversation{ID: 30, ExternalID: "123456789", ShareToken: "9f2c6a0d5b7e4413a1c08e77d4b15f02", CreatedAt: at(30)},
		Client:       &chat.Client{ID: 29, Profile: map[string]string{"name": "Changed Since", "phone": "0"}},
	}
	if edit != nil {
		edit(w)
	}
	return w
}

// say makes the work a bot's message.
func say(c chat.Content) func(*chat.Work) {
	return func(w *chat.Work) { w.Entry.Message.Author, w.Entry.Message.Content = chat.AuthorBot, c }
}

// tag makes the work a flag that was set because of the client's message.
func tag(name string, flags chat.Flags) func(*chat.Work) {
	return func(w *chat.Work) {
		w.Cause, w.Entry.Message = w.Entry.Message, nil
		w.Entry.Event = chat.Event{
			ID: 33, Seq: 3, At: at(33), Kind: chat.EventFlagSet, Author: chat.AuthorBot, Flags: flags,
			Data: chat.EventData{Flag: name, CausedBy: 31, Title: "Anna Petrova", Contacts: "+998 90 123-45-67"},
		}
	}
}

func TestWebhookBodies(t *testing.T) {
	tests := map[string]*chat.Work{
		"user":     work(nil),
		"bot":      work(say(chat.Content{Text: "Yes, we do."})),
		"operator": work(func(w *chat.Work) { w.Entry.Message.Author, w.Entry.Flags = chat.AuthorOperator, chat.FlagOperator }),
		"system":   work(func(w *chat.Work) { w.Entry.Message.Author = chat.AuthorSystem }),
		"tag":      work(tag("get_contact", chat.FlagGetContact|chat.FlagInterest)),
		"tag_without_message": work(func(w *chat.Work) {
			tag("success", chat.FlagSuccess)(w)
			w.Cause, w.Entry.Data.CausedBy = nil, 0
		}),
		"buttons": work(say(chat.Content{
			Header: "Hello", Text: "Choose", Footer: "Bye",
			Buttons: []chat.Button{{Text: "Delivery", Payload: "d"}, {Text: "Returns", URL: "https://example.com/r?a=1&b=2"}, {Text: "My phone", Contact: true}},
		})),
		"attachments": work(say(chat.Content{
			Attachments: []chat.Attachment{
				{Kind: "image", URL: "https://example.com/map.png"},
				{Kind: "file", URL: "https://example.com/a.pdf", Name: "a.pdf", MimeType: "application/pdf", Size: 1024},
			},
		})),
		"list": work(say(chat.Content{Text: "Which?", List: &chat.ListPicker{
			Header: "Our cities", Title: "Cities", Footer: "All of them",
			Sections: []chat.ListSection{{Title: "South", Items: []chat.ListItem{{Title: "Bukhara", SubTitle: "3 days"}, {Title: "Termez"}}}},
		}})),
		"markdown": work(say(chat.Content{Markdown: "**Yes**, see [the page](https://example.com)"})),
		"native":   work(say(chat.Content{Native: json.RawMessage(`{"type":"carousel","secret":1}`)})),
		"yes_no": work(func(w *chat.Work) {
			w.Endpoint.Integration.BoolFormat, w.Entry.Flags = "yes_no", chat.FlagSuccess|chat.FlagIsBot
		}),
		"string": work(func(w *chat.Work) {
			w.Endpoint.Integration.BoolFormat, w.Entry.Flags = "string", chat.FlagClose
		}),
		"wh_types": work(func(w *chat.Work) {
			w.Endpoint.Integration.WhTypes = map[string]string{chat.AllMessages: "Все сообщения", "success": "Успех"}
		}),
		"computed_task_no_manager": work(func(w *chat.Work) { w.Task.SelartiID, w.Task.Manager = "", nil }),
		"session_closed": work(func(w *chat.Work) {
			w.Entry = chat.Entry{Event: chat.Event{ID: 35, Seq: 5, At: at(35), Kind: chat.EventSessionClosed}}
		}),
	}
	format := selarti.NewFormat("https://host/")
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			body, err := format.Encode(w)
			if err != nil {
				t.Fatal(err)
			}
			again, err := format.Encode(w)
			if err != nil || !bytes.Equal(body, again) {
				t.Fatalf("the second encoding differs: %s, %v", again, err)
			}
			golden(t, name, body)
			checkTwenty(t, body)
		})
	}
}

// golden compares with the body that was read and agreed upon, line by line.
func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatalf("not JSON: %v: %s", err, body)
	}
	pretty.WriteByte('\n')
	path := filepath.Join("testdata", "webhook", name+".json")
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("got %s\nwant %s", pretty.Bytes(), want)
	}
}

// twenty are the vendor's fields (specs/selarti.md §4.2): the flags apart, all
// are strings, and the ids have the vendor's form.
var twenty = map[string]string{
	"wh_type": "text", "company_id": "id", "channel_id": "id", "task_id": "id", "manager_id": "id or nothing", "thread_id": "id",
	"external_chat_id": "text", "message_id": "id", "message_text": "any", "message_type": "text", "title": "any", "contacts": "any",
	"success": "flag", "get_contact": "flag", "interest": "flag", "close": "flag", "operator": "flag", "is_bot": "flag",
	"panel_url": "text", "share_url": "text",
}

func checkTwenty(t *testing.T, body []byte) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	for name, form := range twenty {
		v, there := fields[name]
		text, isText := v.(string)
		_, isBool := v.(bool)
		ok := there && isText
		switch form {
		case "id":
			ok = vendorForm.MatchString(text)
		case "id or nothing":
			ok = isText && (text == "" || vendorForm.MatchString(text))
		case "text":
			ok = text != ""
		case "flag":
			ok = isBool || text == "yes" || text == "no" || text == "true" || text == "false"
		}
		if !ok {
			t.Errorf("%s is %#v, want %s", name, v, form)
		}
	}
	for name := range fields {
		if twenty[name] == "" && name != "attachments" && name != "buttons" {
			t.Errorf("%s is not a field of the vendor's", name)
		}
	}
}

func TestWebhookOfATaskThatIsGone(t *testing.T) {
	for name, edit := range map[string]func(*chat.Work){
		"task":   func(w *chat.Work) { w.Task = nil },
		"tenant": func(w *chat.Work) { w.Tenant = nil },
	} {
		if body, err := selarti.NewFormat("https://host").Encode(work(edit)); chat.ErrorCode(err) != chat.CodeNotFound {
			t.Errorf("%s: %s, %v", name, body, err)
		}
	}
}

// queue returns everything that waits for the integration of acme's shop, as
// the delivery engine would send it, in order.
func queue(t *testing.T, w *wiretest.World) []map[string]any {
	t.Helper()
	endpoint, ok := w.Catalog().Endpoint(w.Acme.Tenant.ID, w.Acme.Task.Integrations[0].ID)
	if !ok {
		t.Fatal("no endpoint")
	}
	lanes, err := w.ClaimLanes(t.Context(), endpoint, 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	format := selarti.NewFormat(wiretest.PublicURL)
	var bodies []map[string]any
	for i := range lanes {
		for lane := &lanes[i]; lane != nil; {
			head, err := w.NextWork(t.Context(), *lane)
			if err != nil {
				t.Fatal(err)
			}
			if head == nil {
				break
			}
			body, err := format.Encode(head)
			if err != nil {
				t.Fatal(err)
			}
			checkTwenty(t, body)
			var fields map[string]any
			if err := json.Unmarshal(body, &fields); err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, fields)
			if lane, err = w.Settle(t.Context(), chat.Settlement{
				Work: head, State: chat.DeliveryDelivered, Until: chat.MicrosOf(w.Clock.Now().Add(time.Minute)),
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return bodies
}

// A tag is told with the message that led to it, and later messages carry the
// flag and the contacts they found (specs/selarti.md §6, E4).
func TestWebhooksOfAConversation(t *testing.T) {
	w := wiretest.New(t)
	a := w.Say(w.Acme, "123456789", "call me +998901234567")
	bot := chat.Actor{Kind: chat.ActorBot, TenantID: w.Acme.Tenant.ID, ID: w.Acme.Task.Stops[0].Bot.ID}
	answer := chat.Answer{
		ConversationID: a.ConversationID, Question: a.Seq, Version: 1, Flags: []chat.Flags{chat.FlagGetContact},
		Profile: map[string]string{"phone": "+998901234567"}, Messages: []chat.Content{{Text: "We will."}},
	}
	if _, err := w.Answer(t.Context(), bot, answer); err != nil {
		t.Fatal(err)
	}
	bodies := queue(t, w)
	if len(bodies) != 3 {
		t.Fatalf("%d webhooks, want the user's, the tag's and the bot's: %v", len(bodies), bodies)
	}
	user, tag, said := bodies[0], bodies[1], bodies[2]
	want(t, user, map[string]any{
		"wh_type": "all_messages", "message_type": "user", "message_text": "call me +998901234567", "get_contact": false, "contacts": "",
		"message_id": selarti.BubbleID(a.At, a.MessageID), "thread_id": selarti.BubbleID(a.CreatedAt, a.ConversationID),
		"external_chat_id": "123456789", "task_id": selarti.TaskID(w.Acme.Task.Task),
	})
	want(t, tag, map[string]any{
		"wh_type": "get_contact", "message_type": "bot", "message_text": "", "get_contact": true, "contacts": "+998901234567",
		"message_id": user["message_id"], "thread_id": user["thread_id"],
	})
	want(t, said, map[string]any{
		"wh_type": "all_messages", "message_type": "bot", "message_text": "We will.", "get_contact": true, "contacts": "+998901234567",
		"thread_id": user["thread_id"],
	})
	if said["message_id"] == user["message_id"] {
		t.Error("two messages with one id")
	}
}

func want(t *testing.T, body, fields map[string]any) {
	t.Helper()
	for name, value := range fields {
		if body[name] != value {
			t.Errorf("%s is %#v, want %#v", name, body[name], value)
		}
	}
}
