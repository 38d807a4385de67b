package chat

import "encoding/json"

// EnvelopeType is what an envelope holds (specs/chatapi.md §4).
type EnvelopeType string

// The types of envelopes.
const (
	EnvelopeRequest  EnvelopeType = "request"       // the client asked or did something
	EnvelopeBot      EnvelopeType = "botResponse"   // an answer of the bot, or a reminder
	EnvelopeOperator EnvelopeType = "humanResponse" // a message of an operator
	EnvelopeState    EnvelopeType = "state"         // the application's state was saved
)

// Envelope is one thing that the callers of a channel see as a whole: a request,
// an answer with all its messages, or a saved state. Entries is never empty; the
// first one is its head and gives it its id and moment.
type Envelope struct {
	Type    EnvelopeType
	Entries []Entry
	State   json.RawMessage // of EnvelopeState: the state as it is now
	Status  Status          // of an answer, as it is now; "" of the rest
}

// Head is the entry that names the envelope.
func (e *Envelope) Head() *Entry { return &e.Entries[0] }

// Own says whether the envelope belongs to what the connection itself has asked
// or done, and has seen already: its request, its state, or the answer that went
// back in its own call (specs/chatapi.md §5).
func (e *Envelope) Own(cid string) bool {
	head := e.Head()
	if cid == "" || head.Data.CID != cid {
		return false
	}
	return e.Type == EnvelopeRequest || e.Type == EnvelopeState || head.Data.Synced
}

// nextEnvelope takes the first envelope off the entries of one client, in the
// order of time; nil when they show the channel's callers nothing more.
func nextEnvelope(entries []Entry) (e *Envelope, rest []Entry) {
	for len(entries) > 0 {
		kind := envelopeType(&entries[0])
		if kind == "" {
			entries = entries[1:]
			continue
		}
		n := 1
		if kind == EnvelopeBot {
			n = answerLength(entries)
		}
		return &Envelope{Type: kind, Entries: entries[:n:n]}, entries[n:]
	}
	return nil, nil
}

// envelopeType is what an entry opens, "" for what the callers of a channel do
// not see.
func envelopeType(e *Entry) EnvelopeType {
	switch e.Kind {
	case EventClientState:
		return EnvelopeState
	case EventClientEvent:
		if e.Author == AuthorClient {
			return EnvelopeRequest
		}
	case EventBotSilent:
		if e.Data.Answer.visible() {
			return EnvelopeBot
		}
	case EventMessageCreated:
		switch e.Author {
		case AuthorClient:
			return EnvelopeRequest
		case AuthorOperator:
			return EnvelopeOperator
		}
		if e.Data.AnswerID == 0 || e.Data.Answer != nil { // else its head is older than what is read
			return EnvelopeBot
		}
	}
	return ""
}

// visible says whether an answer without messages shows something all the same.
func (m *AnswerMeta) visible() bool { return m != nil && m.Handover }

// addNow fills in what an envelope shows as it is now.
func (e *Envelope) addNow(r Reader, channel ID) error {
	head := e.Head()
	switch e.Type {
	case EnvelopeState:
		s, err := r.ClientState(head.TenantID, channel, head.ClientID)
		if err == nil {
			e.State = s.State
		}
		return ignoreGone(err)
	case EnvelopeBot, EnvelopeOperator:
		if head.Message != nil {
			e.Status = head.Message.Status
			return nil
		}
		x, err := r.Exchange(head.TenantID, channel, head.ClientID, head.Data.QuestionID)
		if err == nil {
			e.Status = x.Status
		}
		return ignoreGone(err)
	}
	return nil
}
