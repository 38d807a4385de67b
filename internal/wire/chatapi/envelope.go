package chatapi

import (
	"encoding/json"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// envelope is an answer: of a call, of the webhook, or an event
// (specs/chatapi.md §2.2).
type envelope struct {
	Token      string      `json:"token"`
	ClientID   string      `json:"clientId"`
	QuestionID string      `json:"questionId"`
	Query      string      `json:"query,omitempty"`
	Event      string      `json:"event,omitempty"`
	CID        string      `json:"cid,omitempty"`
	Data       answerData  `json:"data"`
	Timestamp  string      `json:"timestamp"`
	BlockForm  bool        `json:"blockForm"`
	Operator   *operator   `json:"operator,omitempty"` // ours: who wrote it
	Status     chat.Status `json:"status,omitempty"`   // in the history only
}

type operator struct {
	ID   chat.ID `json:"id"`
	Name string  `json:"name"`
}

// answerData is what the bot said.
type answerData struct {
	NLPClass          string  `json:"nlpClass"`
	Confidence        float64 `json:"confidence"`
	Replies           []any   `json:"replies"` // never null
	Answer            string  `json:"answer"`
	NewSessionStarted bool    `json:"newSessionStarted"`
	DebugData         []any   `json:"debugData"`
	EndSession        bool    `json:"endSession"`
}

// request is a client's question as an event shows it (specs/chatapi.md §4).
type request struct {
	Token      string          `json:"token"`
	ClientID   string          `json:"clientId"`
	QuestionID string          `json:"questionId"`
	Query      string          `json:"query,omitempty"`
	Event      string          `json:"event,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	CID        string          `json:"cid,omitempty"`
	Timestamp  string          `json:"timestamp"`
	UserID     string          `json:"userId"`
}

// savedState is a saved state as an event shows it.
type savedState struct {
	ClientID  string          `json:"clientId"`
	CID       string          `json:"cid,omitempty"`
	Timestamp string          `json:"timestamp"`
	State     json.RawMessage `json:"state"`
}

// encoder writes what one client of a channel is shown.
type encoder struct {
	catalog *chat.Catalog
	channel *chat.Channel
	client  string
}

func (d *Dialect) encoder(channel *chat.Channel, client string) *encoder {
	return &encoder{catalog: d.Service.Catalog(), channel: channel, client: client}
}

// silence is the answer to a question that got none: the bot has nothing to
// say, or people have the session.
func (e *encoder) silence(a chat.Accepted) envelope {
	return envelope{
		Token: e.channel.Token, ClientID: e.client, QuestionID: a.QuestionID, Timestamp: timestamp(a.At),
		Data: answerData{Replies: []any{}, DebugData: []any{}, NewSessionStarted: a.NewSession},
	}
}

// answer is the envelope of an answer's entries, from its head on.
func (e *encoder) answer(entries []chat.Entry) envelope {
	head := &entries[0]
	out := envelope{
		Token: e.channel.Token, ClientID: e.client, QuestionID: head.Data.QuestionID, CID: head.Data.CID, Timestamp: timestamp(head.At),
		Data: answerData{Replies: []any{}, DebugData: []any{}},
	}
	if out.QuestionID == "" { // of a channel whose callers don't collect answers
		out.QuestionID = head.ID.String()
	}
	blocks, plain := e.channel.BlockInput && head.Author == chat.AuthorBot, false
	var texts []string
	for i := range entries {
		m := entries[i].Message
		if m == nil {
			continue
		}
		for _, r := range replies(&m.Content) {
			out.Data.Replies = append(out.Data.Replies, r)
			if text, ok := textOf(r); ok {
				texts = append(texts, text)
			}
		}
		offered, _ := buttons(&m.Content)
		plain = plain || len(offered) > 0
		if asked := m.Content.BlockInput; asked != nil && *asked {
			blocks = true
		}
	}
	out.BlockForm = blocks && plain
	out.Data.Answer = strings.Join(texts, "\n\n")
	if meta := head.Data.Answer; meta != nil {
		out.Data.NLPClass, out.Data.Confidence = meta.Class, meta.Confidence
		out.Data.NewSessionStarted, out.Data.EndSession = meta.NewSession, meta.EndSession
		if meta.Handover {
			out.Data.Replies = append(out.Data.Replies, switchReply(meta))
		}
	}
	out.Operator = e.operator(head)
	return out
}

func (e *encoder) operator(head *chat.Entry) *operator {
	if head.Author != chat.AuthorOperator {
		return nil
	}
	o := &operator{ID: head.AuthorID}
	if known := e.catalog.Operator(head.TenantID, head.AuthorID); known != nil {
		o.Name = known.DisplayName()
	}
	return o
}

// request is the event of a client's question.
func (e *encoder) request(asked *chat.Entry) request {
	out := request{
		Token: e.channel.Token, ClientID: e.client, QuestionID: asked.Data.QuestionID, Event: asked.Data.Name,
		Data: asked.Data.Payload, CID: asked.Data.CID, Timestamp: timestamp(asked.At), UserID: e.client,
	}
	if asked.Message != nil {
		out.Query = asked.Message.Content.Text
	}
	if out.QuestionID == "" { // it came another way than by this API
		out.QuestionID = asked.ID.String()
	}
	return out
}

// event is one item of /events and of the history.
type event struct {
	Type  chat.EnvelopeType `json:"type"`
	Event any               `json:"event"`
}

// event writes an envelope of the core; withStatus says how far it came.
func (e *encoder) event(v *chat.Envelope, withStatus bool) event {
	head := v.Head()
	switch v.Type {
	case chat.EnvelopeRequest:
		return event{v.Type, e.request(head)}
	case chat.EnvelopeState:
		return event{v.Type, savedState{ClientID: e.client, CID: head.Data.CID, Timestamp: timestamp(head.At), State: v.State}}
	}
	out := e.answer(v.Entries)
	if withStatus {
		out.Status = v.Status
	}
	return event{v.Type, out}
}
