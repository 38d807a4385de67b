package chatapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/chatapi"
)

var update = flag.Bool("update", false, "write the golden bodies anew")

// catalog knows the operator Anna.
func catalog(t *testing.T) *chat.Catalog {
	t.Helper()
	c, err := chat.NewCatalog(1, []chat.Tenant{{ID: 1, Name: "acme"}}, []chat.Setting{
		{ID: 5, TenantID: 1, Kind: chat.KindOperator, Name: "ann", Body: json.RawMessage(`{"login":"ann","name":"Anna","role":"operator"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said is the work of an answer of these messages, as the delivery engine hands
// it over.
func said(edit func(w *chat.Work), contents ...chat.Content) *chat.Work {
	w := &chat.Work{
		Endpoint:     chat.Endpoint{ID: 11, Kind: chat.EndpointChannel},
		Task:         &chat.BoundTask{Task: &chat.Task{ID: 10}, Channel: &chat.Channel{ID: 11, Token: mine}},
		Conversation: &chat.Conversation{ID: 30, ExternalID: "u-2"},
		Client:       &chat.Client{ID: 29},
	}
	for i, c := range contents {
		id := chat.ID(40 + i)
		e := chat.Entry{
			Event: chat.Event{
				ID: id, TenantID: 1, Seq: int64(i + 4), At: chat.Micros(1_714_557_602_000_999 + i), Kind: chat.EventMessageCreated, MessageID: id,
				Author: chat.AuthorBot, Data: chat.EventData{AnswerID: 39},
			},
			Message: &chat.Message{ID: id, Author: chat.AuthorBot, Content: c},
		}
		if i == 0 {
			e.Data.QuestionID, e.Data.Answer = "q-9", &chat.AnswerMeta{Class: "/Slow", Confidence: 0.8, NewSession: true}
		}
		w.Answer = append(w.Answer, e)
	}
	w.Entry = w.Answer[0]
	if edit != nil {
		edit(w)
		w.Entry = w.Answer[0]
	}
	return w
}

func blocked(w *chat.Work) { w.Task.Channel.BlockInput = true }

func plainReplies() map[string]*chat.Work {
	native := json.RawMessage(`{"type":"carousel","text":"<Title> & co","content":[{"title":"A","btnText":"B","x":[1,null]}],"state":"/S"}`)
	return map[string]*chat.Work{
		"text":          said(nil, chat.Content{Text: "done", State: "/Slow"}),
		"texts":         said(nil, chat.Content{Text: "one"}, chat.Content{Text: "two"}, chat.Content{Text: "three"}),
		"markdown":      said(nil, chat.Content{Text: "Yes, see the page", Markdown: "**Yes**, see [the page](https://example.com)"}),
		"image":         said(nil, chat.Content{Text: "The map", Attachments: []chat.Attachment{{Kind: "image", URL: "https://example.com/map.png?a=1&b=2"}}}),
		"audio":         said(nil, chat.Content{Attachments: []chat.Attachment{{Kind: "audio", URL: "https://example.com/a.mp3", Name: "a.mp3"}}}),
		"file":          said(nil, chat.Content{Text: "Read it", Attachments: []chat.Attachment{{Kind: "file", URL: "https://example.com/a.pdf", Name: "a.pdf", MimeType: "application/pdf", Size: 9}}}),
		"two images":    said(nil, chat.Content{Text: "Both", Attachments: []chat.Attachment{{Kind: "image", URL: "https://example.com/1"}, {Kind: "image", URL: "https://example.com/2"}}}),
		"video":         said(nil, chat.Content{Attachments: []chat.Attachment{{Kind: "video", URL: "https://example.com/v.mp4", MimeType: "video/mp4"}}}),
		"header footer": said(nil, chat.Content{Header: "Above", Text: "between", Footer: "below"}),
		"native":        said(nil, chat.Content{Native: native}),
		"native text":   said(nil, chat.Content{Native: json.RawMessage(`{"type":"text","text":"Hi!","tts":"Hi-i!"}`)}),
		"native among":  said(nil, chat.Content{Text: "before"}, chat.Content{Native: native}, chat.Content{Text: "after"}),
		"list": said(nil, chat.Content{Text: "Which?", List: &chat.ListPicker{
			Header: "Our cities", Title: "Cities", Footer: "All of them",
			Sections: []chat.ListSection{{Title: "South", Items: []chat.ListItem{{Title: "Bukhara", SubTitle: "3 days"}, {Title: "Termez"}}}},
		}}),
	}
}

func specialReplies() map[string]*chat.Work {
	yes := true
	no := false
	buttons := []chat.Button{{Text: "Yes", Payload: "y"}, {Text: "Site", URL: "https://example.com"}, {Text: "My phone", Contact: true}}
	handover := func(terms string) func(w *chat.Work) {
		return func(w *chat.Work) {
			w.Answer[0].Data.Answer.Handover, w.Answer[0].Data.Answer.Switch = true, json.RawMessage(terms)
		}
	}
	return map[string]*chat.Work{
		"buttons":               said(nil, chat.Content{Text: "Pick one", Buttons: buttons, State: "/Menu"}),
		"buttons blocked":       said(blocked, chat.Content{Text: "Pick one", Buttons: buttons}),
		"links are not blocked": said(blocked, chat.Content{Text: "Look", Buttons: buttons[1:2]}),
		"text is not blocked":   said(blocked, chat.Content{Text: "Look", BlockInput: &yes}),
		"message blocks":        said(nil, chat.Content{Text: "Pick one", Buttons: buttons[:1], BlockInput: &yes}),
		"message need not":      said(blocked, chat.Content{Text: "Pick one", Buttons: buttons[:1], BlockInput: &no}),
		"blocked in the second": said(blocked, chat.Content{Text: "First"}, chat.Content{Text: "Pick one", Buttons: buttons[:1]}),
		"list blocked": said(blocked, chat.Content{List: &chat.ListPicker{
			Title: "Cities", Sections: []chat.ListSection{{Items: []chat.ListItem{{Title: "Bukhara"}}}},
		}}),
		"switch":         said(handover(""), chat.Content{Text: "Wait"}),
		"switch as said": said(handover(`{"type":"switch","firstMessage":"hello","closeChatPhrases":["bye"],"x":{"y":12345678901234567890.10},"state":"/Own"}`), chat.Content{Text: "Wait"}),
		"switch alone": said(func(w *chat.Work) {
			handover("")(w)
			w.Answer[0].Kind, w.Answer[0].Message, w.Answer[0].MessageID = chat.EventBotSilent, nil, 0
		}, chat.Content{}),
		"end of session": said(func(w *chat.Work) { w.Answer[0].Data.Answer.EndSession = true }, chat.Content{Text: "bye"}),
		"of a connection": said(func(w *chat.Work) {
			w.Answer[0].Data.CID, w.Answer[0].Data.Answer.Confidence = "tab-A", -0.010999999999999979
		}, chat.Content{Text: "done"}),
		"operator": said(func(w *chat.Work) {
			blocked(w)
			e := &w.Answer[0]
			e.Author, e.AuthorID, e.Data.Answer, e.Data.AnswerID = chat.AuthorOperator, 5, nil, 0
		}, chat.Content{Text: "I am here", Buttons: []chat.Button{{Text: "End the talk"}}}),
		"client": said(func(w *chat.Work) {
			e := &w.Answer[0]
			e.Author, e.Data = chat.AuthorClient, chat.EventData{QuestionID: "q", CID: "A", Payload: json.RawMessage(`{"b":1,"a":"<&>"}`)}
		}, chat.Content{Text: "hello"}),
		"session closed": said(func(w *chat.Work) {
			e := &w.Answer[0]
			e.Kind, e.Message, e.Data, e.Author = chat.EventSessionClosed, nil, chat.EventData{Reason: chat.ReasonClosed}, chat.AuthorSystem
		}, chat.Content{}),
	}
}

// TestWebhookBodies: an array of one envelope, the same bytes every time.
func TestWebhookBodies(t *testing.T) {
	known := catalog(t)
	format := &chatapi.Format{Catalog: func() *chat.Catalog { return known }}
	for _, works := range []map[string]*chat.Work{plainReplies(), specialReplies()} {
		for name, w := range works {
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
			})
		}
	}
}

// golden compares with the body that was read and agreed upon, line by line.
func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", "webhook", strings.ReplaceAll(name, " ", "_")+".json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the body is\n%s\nwant\n%s", pretty.Bytes(), want)
	}
}

// TestWebhookOfAGoneTask says what to do.
func TestWebhookOfAGoneTask(t *testing.T) {
	w := said(nil, chat.Content{Text: "x"})
	w.Task = nil
	format := &chatapi.Format{Catalog: func() *chat.Catalog { return catalog(t) }}
	if body, err := format.Encode(w); chat.ErrorCode(err) != chat.CodeNotFound || body != nil {
		t.Errorf("%s, %v", body, err)
	}
}
