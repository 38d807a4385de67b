package chat

import "encoding/json"

// EventKind is what happened.
type EventKind string

// The kinds of events. Each one names the fields of EventData it fills.
const (
	EventMessageCreated EventKind = "message.created" // Question, Answer, Silence; the text is in the message row
	EventMessageStatus  EventKind = "message.status"  // Status, Through
	EventClientEvent    EventKind = "client.event"    // Name, Payload: not a text, e.g. fileEvent; also what the core tells a bot
	EventClientChanged  EventKind = "client.changed"  // Title, Contacts are the new ones
	EventFlagSet        EventKind = "flag.set"        // Flag, CausedBy
	EventFlagCleared    EventKind = "flag.cleared"    // Flag
	EventSessionOpened  EventKind = "session.opened"  // To
	EventSessionClosed  EventKind = "session.closed"  // From, Reason, Result
	EventSessionRated   EventKind = "session.rated"   // Rating
	EventOwnerChanged   EventKind = "owner.changed"   // From, To, Reason
	EventNoteAdded      EventKind = "note.added"      // Note: for colleagues, never shown to the client
	EventClientState    EventKind = "client.state"    // CID: the application's state was saved; it is in ClientState
	EventBotSilent      EventKind = "bot.silent"      // Question, Answer: the bot took its turn without a message
)

// Event is one entry of a conversation's log. Seq counts without gaps from 1
// in its conversation, At rises strictly per client, ID rises over the whole
// installation. What readers must not see change is in here (Flags, Title,
// Contacts); a text lives in the message row only.
type Event struct {
	ID             ID
	TenantID       ID
	ConversationID ID
	ClientID       ID
	SessionID      ID
	Seq            int64
	At             Micros
	Kind           EventKind
	MessageID      ID     // 0 when the event is about no message
	Author         Author // of the message or deed
	AuthorID       ID
	Flags          Flags // the flags after this event
	BotID          ID    // the bot that is asked by it, 0 when none
	Version        int64 // the session's ownership version when it was appended
	Data           EventData
}

// EventData is the snapshot an event carries; which fields are set depends on
// the kind.
type EventData struct {
	Title      string          `json:"title,omitempty"`
	Contacts   string          `json:"contacts,omitempty"`
	CausedBy   ID              `json:"caused_by,omitempty"` // message that led to it
	Flag       string          `json:"flag,omitempty"`
	From       *Owner          `json:"from,omitempty"`
	To         *Owner          `json:"to,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Result     string          `json:"result,omitempty"`
	Silence    string          `json:"silence,omitempty"`     // why the bot is not asked
	NewSession bool            `json:"new_session,omitempty"` // it opened the session
	Status     Status          `json:"status,omitempty"`
	Name       string          `json:"name,omitempty"`
	Payload    json.RawMessage `json:"payload,omitempty"`
	Rating     int             `json:"rating,omitempty"`
	Comment    string          `json:"comment,omitempty"`
	Question   int64           `json:"question,omitempty"` // seq of what is answered, or asked again
	AnswerID   ID              `json:"answer_id,omitempty"`
	Answer     *AnswerMeta     `json:"answer,omitempty"`
	Note       string          `json:"note,omitempty"`
	Through    int64           `json:"through,omitempty"`     // seq up to which an operator has read
	QuestionID string          `json:"question_id,omitempty"` // of the exchange that it opens or answers: on the question, and on the head of an answer
	CID        string          `json:"cid,omitempty"`         // the connection that asked (specs/chatapi.md §5)
	Synced     bool            `json:"synced,omitempty"`      // the answer went back in the call that asked
	Headers    json.RawMessage `json:"headers,omitempty"`     // of the call that asked, as a JSON object, for the bot
	Trace      string          `json:"trace,omitempty"`       // W3C traceparent of what appended it, of any kind; see Tracing
}

// AnswerMeta is what a bot says about an answer; the first message of the
// answer carries it (specs/chatapi.md §2.2).
type AnswerMeta struct {
	Class      string          `json:"class,omitempty"`
	Confidence float64         `json:"confidence"`
	NewSession bool            `json:"new_session,omitempty"`
	EndSession bool            `json:"end_session,omitempty"`
	Late       bool            `json:"late,omitempty"`     // came later by itself
	Handover   bool            `json:"handover,omitempty"` // people take over after it
	Switch     json.RawMessage `json:"switch,omitempty"`   // the rest of the bot's switch reply
}

// Entry is an event with the message it is about, as readers get it.
type Entry struct {
	Event
	Message *Message // nil when the event is about no message
}
