package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const botFile = `
states:
  - name: /Menu
    patterns: ["menu"]
    replies:
      - text: Choose
      - buttons: [One, {text: Site, url: "https://example.com"}]
      - image: https://example.com/map.png
        text: Map
  - name: /Later
    patterns: ["later"]
    replies:
      - text: now
      - text: soon
        after: 1s
  - name: /Set
    patterns: ["my phone is *"]
    set: {n: "{{ int(vars.n ?? 0) + 1 }}"}
    client: {phone: "{{ match[1] }}"}
    flags: [get_contact, operator]
    replies: [{text: "{{ client.name }}"}]
  - name: /Bye
    patterns: ["bye"]
    replies: [{text: bye}]
    close: true
  - name: /Call
    patterns: ["call"]
    http: {get: "http://example.com/x", into: x}
    replies: [{text: "{{ x.status }}"}]
events:
  fileEvent:
    replies: [{text: "got {{ data.eventData[0].name }}"}]
`

type failingDoer struct{}

func (failingDoer) Do(*http.Request) (*http.Response, error) { return nil, errors.New("no network") }

// question is what the delivery engine hands to a bot.
func question(text, event, payload string) *chat.Work {
	w := &chat.Work{
		Lane:         chat.Lane{TenantID: 1, EndpointID: 7, ConversationID: 20},
		Endpoint:     chat.Endpoint{ID: 7, TenantID: 1, Kind: chat.EndpointBot, Name: "demo", Bot: &chat.Bot{ID: 7, Kind: chat.BotScenario, File: "bot.yaml", Scenario: botFile}},
		Conversation: &chat.Conversation{ID: 20, ExternalID: "42", Vars: map[string]any{"n": 1.0, "kept": "yes"}},
		Client:       &chat.Client{ID: 30, Profile: map[string]string{"name": "Anna"}},
		Session:      &chat.Session{ID: 40, UUID: "u", State: "/Old", Owner: chat.Owner{Kind: chat.OwnerBot, ID: 7}, Version: 3},
	}
	w.Entry = chat.Entry{Event: chat.Event{ID: 50, Seq: 5, At: 1_700_000_000_000_000, Version: 3}}
	if event == "" {
		w.Entry.Message = &chat.Message{Content: chat.Content{Text: text}}
	}
	w.Entry.Data.Name = event
	if payload != "" {
		w.Entry.Data.Payload = json.RawMessage(payload)
	}
	w.Asked = w.Entry
	return w
}

func turnOf(t *testing.T, w *chat.Work) (chat.Answer, int) {
	t.Helper()
	typed := 0
	bots := NewBots(failingDoer{}, func(tenant, conversation chat.ID, who chat.Author) {
		if tenant == 1 && conversation == 20 && who == chat.AuthorBot {
			typed++
		}
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, err := bots.Turn(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	if a.ConversationID != 20 || a.Question != 5 || a.Version != 3 {
		t.Errorf("the answer is to question %d of conversation %d under version %d", a.Question, a.ConversationID, a.Version)
	}
	return a, typed
}

func TestButtonsJoinTheMessageBeforeThem(t *testing.T) {
	a, _ := turnOf(t, question("menu", "", ""))
	want := []chat.Content{
		{Text: "Choose", State: "/Menu", Buttons: []chat.Button{{Text: "One"}, {Text: "Site", URL: "https://example.com"}}},
		{Text: "Map", State: "/Menu", Attachments: []chat.Attachment{{Kind: "image", URL: "https://example.com/map.png"}}},
	}
	if !reflect.DeepEqual(a.Messages, want) {
		t.Errorf("messages %+v\nwant %+v", a.Messages, want)
	}
	if a.State != "/Menu" || a.Class != "/Menu" || a.Confidence != 1 || a.Vars != nil {
		t.Errorf("state %q, class %q, confidence %v, vars %v", a.State, a.Class, a.Confidence, a.Vars)
	}
}

func TestLateRepliesAreLateAnswers(t *testing.T) {
	a, _ := turnOf(t, question("later", "", ""))
	want := []chat.LateAnswer{{After: chat.Duration(time.Second), Messages: []chat.Content{{Text: "soon", State: "/Later"}}, Class: "/Later"}}
	if len(a.Messages) != 1 || !reflect.DeepEqual(a.Late, want) {
		t.Errorf("now %+v, late %+v", a.Messages, a.Late)
	}
}

func TestWhatATurnDecides(t *testing.T) {
	a, _ := turnOf(t, question("my phone is 555", "", ""))
	if a.Profile["phone"] != "555" || a.Handover == nil || a.Close {
		t.Errorf("profile %v, handover %+v, close %v", a.Profile, a.Handover, a.Close)
	}
	if !reflect.DeepEqual(a.Flags, []chat.Flags{chat.FlagGetContact, chat.FlagOperator}) {
		t.Errorf("flags %v", a.Flags)
	}
	if len(a.Vars) != 2 || a.Vars["kept"] != "yes" || textOf(a.Vars["n"]) != "2" {
		t.Errorf("vars %v, want all of them with n raised", a.Vars)
	}
	if bye, _ := turnOf(t, question("bye", "", "")); !bye.Close {
		t.Error("close was lost")
	}
}

func TestEventsReachTheBotWithTheirData(t *testing.T) {
	a, _ := turnOf(t, question("", "fileEvent", `{"eventData":[{"name":"a.pdf"}]}`))
	if len(a.Messages) != 1 || a.Messages[0].Text != "got a.pdf" || a.Class != "/fileEvent" {
		t.Errorf("%+v", a)
	}
	silent, _ := turnOf(t, question("", "unheard_of", ""))
	if len(silent.Messages) != 0 || silent.State != "/Old" || silent.Vars != nil {
		t.Errorf("an unlisted event did something: %+v", silent)
	}
}

func TestTypingIsShownDuringCalls(t *testing.T) {
	a, typed := turnOf(t, question("call", "", ""))
	if typed == 0 || a.Messages[0].Text != "0" {
		t.Errorf("typing shown %d times, answer %+v", typed, a.Messages)
	}
}

func TestAChangedFileIsParsedAnew(t *testing.T) {
	bots := NewBots(failingDoer{}, func(chat.ID, chat.ID, chat.Author) {}, slog.New(slog.DiscardHandler))
	w := question("menu", "", "")
	if _, err := bots.Turn(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	changed := *w.Endpoint.Bot
	changed.Scenario = strings.ReplaceAll(botFile, "Choose", "Pick")
	w.Endpoint.Bot = &changed
	a, err := bots.Turn(t.Context(), w)
	if err != nil || a.Messages[0].Text != "Pick" {
		t.Errorf("the new file: %+v, %v", a.Messages, err)
	}
	changed.Scenario = "states: 7"
	if _, err := bots.Turn(t.Context(), w); err == nil {
		t.Error("a broken file answered")
	}
}

// TestWhatPeopleSaid: a bot that gets the session back knows of people.
func TestWhatPeopleSaid(t *testing.T) {
	const file = `
states:
  - name: /Any
    patterns: ["*"]
    replies: [{text: "{{ session.livechat }}: {{ join(session.operator_said, ', ') }}"}]
events:
  livechatFinished:
    replies: [{text: "{{ data.operator.name }} said {{ join(data.messages, ', ') }}: {{ data.result }}"}]
`
	for name, c := range map[string]struct {
		livechat int64
		said     []string
		event    string
		payload  string
		want     string
	}{
		"never with people": {0, nil, "", "", "false: "},
		"nothing new":       {3, []string{}, "", "", "true: "},
		"something new":     {3, []string{"hello", "it is fixed"}, "", "", "true: hello, it is fixed"},
		"finished": {3, nil, "livechatFinished", `{"operator":{"id":9,"name":"Ann"},"result":"done","messages":["hello","bye"]}`,
			"Ann said hello, bye: done"},
	} {
		t.Run(name, func(t *testing.T) {
			w := question("hi", c.event, c.payload)
			w.Endpoint.Bot.Scenario, w.Session.Livechat, w.OperatorSaid = file, c.livechat, c.said
			a, _ := turnOf(t, w)
			if len(a.Messages) != 1 || a.Messages[0].Text != c.want {
				t.Errorf("it says %+v, want %q", a.Messages, c.want)
			}
		})
	}
}
