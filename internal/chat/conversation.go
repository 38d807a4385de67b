package chat

import "encoding/json"

// Conversation is the timeline of one client on one task under one key. It
// owns the log: Seq is the number of its last event.
type Conversation struct {
	ID         ID
	TenantID   ID
	ClientID   ID
	TaskID     ID
	ChannelID  ID
	Key        string
	ExternalID string // the client's id in the caller's system, as the channel knows it
	ShareToken string // 128 random bits, hex: the only secret of the read-only link
	CreatedAt  Micros

	Seq       int64
	Flags     Flags
	Vars      map[string]any // the bot's variables
	SessionID ID             // of the open session, 0 when none is open
	Messages  int64          // messages of all authors
	LastAt    Micros         // At of the last event: the last activity

	// Projections of the console's lists, kept in the same transaction.
	Owner         Owner  // of the open session; zero when none is open
	OwnerSince    Micros // since when; the order of the queue
	LastMessageID ID
	ButtonsID     ID    // the latest message with buttons or a list
	Unread        int64 // client messages since a person or bot last answered, or a person last read
}

// OwnerKind is who a session belongs to.
type OwnerKind string

// The owners. OwnerNone is a conversation without an open session.
const (
	OwnerNone     OwnerKind = ""
	OwnerBot      OwnerKind = "bot"
	OwnerQueue    OwnerKind = "queue"
	OwnerOperator OwnerKind = "operator"
)

// Owner is who must answer. ID is of the bot or the operator, 0 for the queue.
type Owner struct {
	Kind OwnerKind `json:"kind"`
	ID   ID        `json:"id,omitempty"`
}

// People says whether the session is in people's hands: queued or taken. This
// and the flag operator are one fact.
func (o Owner) People() bool { return o.Kind == OwnerQueue || o.Kind == OwnerOperator }

// Flags are the independent tags of a conversation (specs/selarti.md §2.3).
type Flags uint32

// The flags, in the order in which they are listed and changed.
const (
	FlagSuccess Flags = 1 << iota
	FlagGetContact
	FlagInterest
	FlagClose
	FlagOperator
	FlagIsBot
)

// FlagMutes are the flags under which the bot is silent.
const FlagMutes = FlagClose | FlagOperator | FlagIsBot

var flagNames = [...]string{"success", "get_contact", "interest", "close", "operator", "is_bot"}

// FlagNames lists the names of the flags in their order.
func FlagNames() []string { return append([]string(nil), flagNames[:]...) }

// FlagByName returns the flag of a name, or false.
func FlagByName(name string) (Flags, bool) {
	for i, n := range flagNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Has says whether all flags of f are set.
func (fs Flags) Has(f Flags) bool { return fs&f == f }

// Names lists the set flags.
func (fs Flags) Names() []string {
	var names []string
	for i, n := range flagNames {
		if fs&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// Session is an episode of a conversation. At most one is open per
// conversation. Version rises with every change of owner, and an answer that
// names an older one is refused.
type Session struct {
	ID             ID
	TenantID       ID
	ConversationID ID
	UUID           string // random, version 4: where a dialect shows it, it is the only secret
	OpenedAt       Micros
	ClosedAt       Micros // 0 while open
	Owner          Owner
	Version        int64
	State          string // the bot's current state
	TTL            Duration
	Tried          []ID            // bots that gave the session away
	Wish           json.RawMessage // the Handover of the bot that gave it to people, nil without
	Livechat       int64           // people had it: what they said after this seq is new to the bot; 0: they never had it
	PassedBy       ID              // the operator who gave it back to the queue, and does not get it from there
	Result         string
	Rating         int // 1…5, 0 when not rated
	Comment        string
}

// Open says whether the session still takes messages.
func (s *Session) Open() bool { return s != nil && s.ClosedAt == 0 }
