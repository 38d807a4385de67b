package chat

import (
	"encoding/json"
	"strings"
	"time"
)

// TaskStatus is where a task stands (specs/selarti.md §2.2).
type TaskStatus string

// The task statuses. Awaiting and paused tasks store messages and answer none;
// stopped and completed ones take nothing.
const (
	TaskInProgress TaskStatus = "in_progress"
	TaskAwaiting   TaskStatus = "awaiting"
	TaskPaused     TaskStatus = "paused"
	TaskStopped    TaskStatus = "stopped"
	TaskCompleted  TaskStatus = "completed"
)

// Task joins a channel, a bot or route and integrations; its id is what API
// callers send. Keys: specs/setup.md.
//
// WhenNobody says what becomes of a bot's wish for people while no operator is
// READY. "queue": the conversation waits for somebody. "tell_bot": the bot keeps
// it and is asked about the event noLivechatOperatorsOnline. Unset: the vendor's
// rule (specs/chatapi.md §8), which is tell_bot for a wish with keys of a switch
// reply on a Chat API channel, and queue for every other one. Whatever it says,
// the conversation goes to the queue when the wish has ignoreOffline, when the
// bot can't be asked (a flag mutes it, a limit is reached), and when the wish is
// the answer to that very event.
//
// ClosePhrases end the talk with people when the client says one of them: the
// session goes back to the bot that gave it away. A switch reply may add others.
type Task struct {
	ID              ID         `json:"id,omitempty"`
	UUID            string     `json:"uuid,omitempty"`
	SelartiID       string     `json:"selarti_id,omitempty"`
	Name            string     `json:"name"`
	Type            string     `json:"type,omitempty"`
	Work            string     `json:"work,omitempty"`
	Status          TaskStatus `json:"status,omitempty"`
	Channel         string     `json:"channel"`
	Bot             string     `json:"bot,omitempty"`
	Route           TaskRoute  `json:"route,omitzero"`
	Manager         string     `json:"manager,omitempty"`
	Integrations    []string   `json:"integrations,omitempty"`
	SessionTTL      *Duration  `json:"session_ttl,omitempty"`
	RatingRequired  bool       `json:"rating_required,omitempty"`
	WhenNobody      string     `json:"when_nobody,omitempty"`
	ClosePhrases    []string   `json:"close_phrases,omitempty"`
	Limit           *TaskLimit `json:"limit,omitempty"`
	Reminders       []Reminder `json:"reminders,omitempty"`
	Lists           []List     `json:"lists,omitempty"`
	MaxQuickReplies *int       `json:"max_quick_replies,omitempty"`
	MaxQuickLength  *int       `json:"max_quick_reply_length,omitempty"`

	CreatedAt Micros `json:"-"`
	TenantID  ID     `json:"-"`
}

// TaskRoute is written either in place, as points, or by the name of a route
// of the setup file.
type TaskRoute struct {
	Name   string
	Points []Point
}

// IsZero lets an unset route be left out of JSON.
func (r TaskRoute) IsZero() bool { return r.Name == "" && r.Points == nil }

// MarshalJSON writes the form the owner wrote: a name or a list of points.
func (r TaskRoute) MarshalJSON() ([]byte, error) {
	if r.Name != "" {
		return json.Marshal(r.Name)
	}
	return json.Marshal(r.Points)
}

// UnmarshalJSON reads either form.
func (r *TaskRoute) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &r.Name)
	}
	return json.Unmarshal(data, &r.Points)
}

// TaskLimit bounds one conversation, in messages of all authors.
type TaskLimit struct {
	Messages int `json:"messages"`
}

// Reminder is a message the bot sends by itself after a silence counted from
// its last message (specs/selarti.md §2.3).
type Reminder struct {
	After       Duration `json:"after"`
	Type        string   `json:"type"` // static or smart
	Text        string   `json:"text"`
	CancelledBy []string `json:"cancelled_by,omitempty"`
}

// The reminder types: a fixed text, or one that a language model writes.
const (
	ReminderStatic = "static"
	ReminderSmart  = "smart"
)

// List names clients by id, username or phone. The bot serves only those on a
// white list, and nobody on a black one.
type List struct {
	Kind    string   `json:"kind"` // white or black
	Entries []string `json:"entries"`
}

// Has says whether any of the names is on the list; a leading @ and case don't
// count.
func (l *List) Has(names ...string) bool {
	for _, entry := range l.Entries {
		for _, name := range names {
			if name != "" && strings.EqualFold(strings.TrimPrefix(entry, "@"), strings.TrimPrefix(name, "@")) {
				return true
			}
		}
	}
	return false
}

// MaxSessionTTL is the longest life of an idle session.
const MaxSessionTTL = 12 * time.Hour

// SessionLife is the idle time after which the task's sessions expire; 0 is
// never. The default is an hour for widget channels and never for the others.
func (t *Task) SessionLife(kind ChannelKind) time.Duration {
	if t.SessionTTL != nil {
		return time.Duration(*t.SessionTTL)
	}
	if kind == ChannelWidget {
		return time.Hour
	}
	return 0
}
