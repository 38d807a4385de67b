package console

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

// moment is a time as the API writes it: RFC 3339, milliseconds, UTC; null for
// a time that has not come.
type moment chat.Micros

// MarshalJSON writes the moment.
func (m moment) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(chat.Micros(m).Time().Format("2006-01-02T15:04:05.000Z"))
}

// page is one page of a list. Next is the `after` of the next page, null after
// the last one.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  *int64 `json:"next"`
}

// newPage makes a page of a list that was asked for at most limit items. key
// is what the list is paged by.
func newPage[T any](items []T, limit int, key func(T) int64) page[T] {
	p := page[T]{Items: items}
	if p.Items == nil {
		p.Items = []T{}
	}
	if len(items) >= limit {
		next := key(items[len(items)-1])
		p.Next = &next
	}
	return p
}

// named is a setting by id and name; the name is "" when it was removed.
type named struct {
	ID   chat.ID `json:"id"`
	Name string  `json:"name"`
}

// conversation is a conversation as it stands. Lists and single reads add the
// client and the last message.
type conversation struct {
	ID          chat.ID         `json:"id"`
	Task        named           `json:"task"`
	Channel     named           `json:"channel"`
	ExternalID  string          `json:"external_id"`
	Key         string          `json:"key"`
	Owner       *owner          `json:"owner"` // null when no session is open
	SessionID   *chat.ID        `json:"session_id"`
	Flags       map[string]bool `json:"flags"`
	Seq         int64           `json:"seq"`
	Messages    int64           `json:"messages"`
	Unread      int64           `json:"unread"`
	CreatedAt   moment          `json:"created_at"`
	LastAt      moment          `json:"last_at"`
	Client      *client         `json:"client,omitempty"`
	LastMessage *message        `json:"last_message,omitempty"`
}

type owner struct {
	Kind chat.OwnerKind `json:"kind"`
	ID   chat.ID        `json:"id,omitempty"`
	Name string         `json:"name,omitempty"`
}

type client struct {
	ID       chat.ID           `json:"id"`
	Title    string            `json:"title"`
	Contacts string            `json:"contacts"`
	Profile  map[string]string `json:"profile"`
	Metadata map[string]any    `json:"metadata"`
}

// message is one bubble with everything it says.
type message struct {
	ID         chat.ID     `json:"id"`
	Seq        int64       `json:"seq"`
	At         moment      `json:"at"`
	Author     chat.Author `json:"author"`
	AuthorID   chat.ID     `json:"author_id,omitempty"`
	AuthorName string      `json:"author_name,omitempty"`
	AnswerID   chat.ID     `json:"answer_id,omitempty"`
	ReplyTo    chat.ID     `json:"reply_to,omitempty"`
	Status     chat.Status `json:"status"`
	chat.Content
}

// event is one entry of a conversation's log.
type event struct {
	ID        chat.ID         `json:"id"`
	Seq       int64           `json:"seq"`
	At        moment          `json:"at"`
	Kind      chat.EventKind  `json:"kind"`
	Author    chat.Author     `json:"author,omitempty"`
	AuthorID  chat.ID         `json:"author_id,omitempty"`
	SessionID chat.ID         `json:"session_id,omitempty"`
	BotID     chat.ID         `json:"bot_id,omitempty"` // the bot that is asked by it
	Flags     map[string]bool `json:"flags"`            // after the event
	Message   *message        `json:"message,omitempty"`
	Data      chat.EventData  `json:"data"`
}

// shaper writes the core's rows in the API's shapes, with the names of one
// state of the settings.
type shaper struct {
	catalog *chat.Catalog
	tenant  chat.ID
}

func (a *API) shaper(c *call) shaper {
	return shaper{catalog: a.Service.Catalog(), tenant: c.actor.TenantID}
}

func (s shaper) conversation(c *chat.Conversation) conversation {
	out := conversation{
		ID: c.ID, Task: s.task(c.TaskID), Channel: s.channel(c.ChannelID), ExternalID: c.ExternalID, Key: c.Key,
		Flags: flags(c.Flags), Seq: c.Seq, Messages: c.Messages, Unread: c.Unread,
		CreatedAt: moment(c.CreatedAt), LastAt: moment(c.LastAt),
	}
	if c.SessionID != 0 {
		out.SessionID = &c.SessionID
		out.Owner = &owner{Kind: c.Owner.Kind, ID: c.Owner.ID, Name: s.ownerName(c.Owner)}
	}
	return out
}

func (s shaper) listed(l chat.Listed) conversation {
	out := s.conversation(&l.Conversation)
	client := newClient(l.Client)
	out.Client = &client
	if l.LastMessage != nil {
		out.LastMessage = s.message(l.LastMessage)
	}
	return out
}

func newClient(c *chat.Client) client {
	return client{ID: c.ID, Title: c.Title(), Contacts: c.Contacts(), Profile: c.Profile, Metadata: c.Metadata}
}

func (s shaper) message(m *chat.Message) *message {
	return &message{
		ID: m.ID, Seq: m.Seq, At: moment(m.At), Author: m.Author, AuthorID: m.AuthorID, AuthorName: s.authorName(m),
		AnswerID: m.AnswerID, ReplyTo: m.ReplyTo, Status: m.Status, Content: m.Content,
	}
}

func (s shaper) event(e chat.Entry) event {
	out := event{
		ID: e.ID, Seq: e.Seq, At: moment(e.At), Kind: e.Kind, Author: e.Author, AuthorID: e.AuthorID,
		SessionID: e.SessionID, BotID: e.BotID, Flags: flags(e.Flags), Data: e.Data,
	}
	if e.Message != nil {
		out.Message = s.message(e.Message)
	}
	return out
}

func (s shaper) task(id chat.ID) named {
	if t := s.catalog.Task(s.tenant, id); t != nil {
		return named{ID: id, Name: t.Name}
	}
	return named{ID: id}
}

func (s shaper) channel(id chat.ID) named {
	if c := s.catalog.Channel(s.tenant, id); c != nil {
		return named{ID: id, Name: c.Name}
	}
	return named{ID: id}
}

func (s shaper) ownerName(o chat.Owner) string {
	switch o.Kind {
	case chat.OwnerBot:
		return s.botName(o.ID)
	case chat.OwnerOperator:
		return s.operatorName(o.ID)
	default:
		return ""
	}
}

func (s shaper) authorName(m *chat.Message) string {
	switch m.Author {
	case chat.AuthorBot:
		return s.botName(m.AuthorID)
	case chat.AuthorOperator:
		return s.operatorName(m.AuthorID)
	default:
		return ""
	}
}

func (s shaper) botName(id chat.ID) string {
	if b := s.catalog.Bot(s.tenant, id); b != nil {
		return b.Name
	}
	return ""
}

func (s shaper) operatorName(id chat.ID) string {
	if o := s.catalog.Operator(s.tenant, id); o != nil {
		return o.DisplayName()
	}
	return ""
}

func flags(fs chat.Flags) map[string]bool {
	all := map[string]bool{}
	for _, name := range chat.FlagNames() {
		flag, _ := chat.FlagByName(name) // its own name
		all[name] = fs.Has(flag)
	}
	return all
}
