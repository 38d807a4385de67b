package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Limits of what a client may send.
const (
	MaxText       = 64 << 10 // bytes of one message's text
	MaxExternalID = 512      // bytes of a client's id in the caller's system
	MaxKey        = 256      // bytes of an idempotency key
	MaxMetadata   = 64 << 10 // bytes of a client's metadata, as JSON
)

// Incoming is where something of a client goes: the task, the client's id in
// the caller's system and the conversation key, with what the caller says of
// the client along the way.
type Incoming struct {
	TaskID          ID
	ExternalID      string
	ConversationKey string
	Profile         map[string]string
	Metadata        map[string]any
	Key             string    // idempotency key, "" for none
	Question        *Question // how the caller knows it; nil where callers don't collect their answers
}

// ClientMessage is a message of a client.
type ClientMessage struct {
	Incoming
	Content Content
	Payload json.RawMessage // any JSON beside the text, handed to the bot as it is
}

// Accepted is what became of something a client sent.
type Accepted struct {
	ConversationID ID
	CreatedAt      Micros // of the conversation
	MessageID      ID
	Seq            int64
	At             Micros
	Duplicate      bool   // the key, or the question's id, was known: nothing new was made
	QuestionID     string // of the question, when it was asked as one
	NewSession     bool   // the question opened a session
}

// ClientMessage appends a client's message, making the client, the
// conversation and the session as needed, and asks the bot if it may. It
// returns after the commit and does not wait for an answer.
//
// Errors: CodeMissing and CodeInvalid name the field; CodeNotFound for the
// task; CodeClosed for a stopped or completed task; CodeConflict for a key that
// made something else; CodeTooLarge.
func (s *Service) ClientMessage(ctx context.Context, actor Actor, in ClientMessage) (Accepted, error) {
	if err := in.check(actor); err != nil {
		return Accepted{}, err
	}
	if in.Content.Empty() {
		return Accepted{}, &Error{Code: CodeMissing, Field: "message", Message: "the message is empty; send a text or an attachment"}
	}
	if len(in.Content.Text) > MaxText {
		return Accepted{}, &Error{Code: CodeTooLarge, Field: "message", Message: "the text is over 64 KiB; send it in parts"}
	}
	if err := checkPayload(in.Payload); err != nil {
		return Accepted{}, err
	}
	fingerprint := in.fingerprint([]any{in.Content, in.Payload})
	said := in.Question.fingerprint("query", in.Content.Text)
	var out Accepted
	err := s.update(ctx, actor, func(u *unit) error {
		known, err := u.recall(in.Key, fingerprint)
		if err == nil && known == nil {
			known, err = u.recallQuestion(&in.Incoming, said)
		}
		if err != nil || known != nil {
			if known != nil {
				out = *known
			}
			return err
		}
		if err := u.receive(&in.Incoming); err != nil {
			return err
		}
		data, err := u.ask(&in.Incoming, in.Payload)
		if err != nil {
			return err
		}
		e, err := u.addClientMessage(in.Content, data)
		if err != nil {
			return err
		}
		if out, err = u.accepted(&in.Incoming, said, e); err != nil {
			return err
		}
		return u.remember(in.Key, fingerprint, e.MessageID)
	})
	return out, err
}

// ask is what the event of something that a client sends says of how it was
// asked.
func (u *unit) ask(in *Incoming, payload json.RawMessage) (EventData, error) {
	data := EventData{NewSession: u.opened, Payload: payload}
	if in.Question == nil {
		return data, nil
	}
	var err error
	data.CID, data.Headers = in.Question.CID, in.Question.Headers
	data.QuestionID, err = u.nameQuestion(in.Question)
	return data, err
}

// accepted notes the question of an appended event, if it was asked as one, and
// says what became of it.
func (u *unit) accepted(in *Incoming, said string, e *Event) (Accepted, error) {
	out := Accepted{
		ConversationID: u.conv.ID, CreatedAt: u.conv.CreatedAt, MessageID: e.MessageID, Seq: e.Seq, At: e.At,
	}
	if in.Question == nil {
		return out, nil
	}
	out.QuestionID, out.NewSession = e.Data.QuestionID, e.Data.NewSession
	return out, u.openExchange(in.Question, out.QuestionID, said, e)
}

// addClientMessage appends the message and addresses it to the bot, if the bot
// may be asked.
func (u *unit) addClientMessage(c Content, data EventData) (*Event, error) {
	if err := u.matchPress(&c); err != nil {
		return nil, err
	}
	if err := u.heedPhrase(c.Text); err != nil {
		return nil, err
	}
	m, err := u.newMessage(AuthorClient, c)
	if err != nil {
		return nil, err
	}
	var bot ID
	bot, data.Silence = u.asked() // the message counts for the task's limit
	e, err := u.append(Event{Kind: EventMessageCreated, BotID: bot, Data: data}, m)
	if err != nil {
		return nil, err
	}
	u.conv.Unread++
	return e, u.cancelReminders()
}

// newMessage makes a message of the conversation and counts it. Its seq and
// moment come with its event.
func (u *unit) newMessage(author Author, c Content) (*Message, error) {
	id, err := u.NextID()
	if err != nil {
		return nil, err
	}
	m := &Message{
		ID: id, TenantID: u.conv.TenantID, ConversationID: u.conv.ID,
		Author: author, Status: StatusSent, Content: c,
	}
	if u.session != nil {
		m.SessionID = u.session.ID
	}
	u.conv.Messages++
	u.conv.LastMessageID = id
	if author != AuthorClient && (len(c.Buttons) > 0 || c.List != nil) {
		u.conv.ButtonsID = id
	}
	return m, nil
}

// matchPress makes a text that equals a label of the latest buttons or list
// that press: it gets the payload, and the shown text (specs/mapping.md).
func (u *unit) matchPress(c *Content) error {
	if u.conv.ButtonsID == 0 || c.Text == "" || c.Payload != "" {
		return nil
	}
	m, err := u.Message(u.conv.TenantID, u.conv.ButtonsID)
	if err != nil {
		return err
	}
	said := strings.TrimSpace(c.Text)
	for _, b := range m.Content.Buttons {
		if strings.EqualFold(strings.TrimSpace(b.Text), said) {
			c.Payload, c.ShownText = b.Payload, b.ShownText
			return nil
		}
	}
	if m.Content.List == nil {
		return nil
	}
	for _, section := range m.Content.List.Sections {
		for _, item := range section.Items {
			if strings.EqualFold(strings.TrimSpace(item.Title), said) {
				c.Payload = item.Identifier
				return nil
			}
		}
	}
	return nil
}

// check refuses what no task could take.
func (in *Incoming) check(actor Actor) error {
	if actor.Kind != ActorChannel {
		if err := actor.Require(ScopeMessagesWrite); err != nil {
			return err
		}
	}
	switch {
	case in.ExternalID == "":
		return &Error{Code: CodeMissing, Field: "chat_id", Message: "the client's id is missing"}
	case len(in.ExternalID) > MaxExternalID:
		return &Error{Code: CodeTooLarge, Field: "chat_id", Message: "the client's id is over 512 bytes"}
	case len(in.Key) > MaxKey:
		return &Error{Code: CodeTooLarge, Field: "Idempotency-Key", Message: "the key is over 256 bytes"}
	}
	if err := in.Question.check(); err != nil {
		return err
	}
	return checkProfile(in.Profile)
}

// checkPayload refuses what is too long or no JSON.
func checkPayload(payload json.RawMessage) error {
	switch {
	case len(payload) > MaxText:
		return &Error{Code: CodeTooLarge, Field: "data", Message: "the data is over 64 KiB"}
	case len(payload) > 0 && !json.Valid(payload):
		return Invalid("data", "is not JSON")
	}
	return nil
}

// fingerprint is the same for the same request and no other.
func (in *Incoming) fingerprint(what any) string {
	if in.Key == "" {
		return ""
	}
	h := sha256.New()
	// Both parts are plain data that always encodes.
	if err := json.NewEncoder(h).Encode([]any{in.TaskID, in.ExternalID, in.ConversationKey, what}); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
