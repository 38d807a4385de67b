package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// conversations lists by rising id. A search for flags or a text may answer
// fewer than the limit, and still have a next page.
func (a *API) conversations(c *call) (any, error) {
	f, err := c.conversationSearch()
	if err != nil {
		return nil, err
	}
	list, next, err := a.Service.SearchConversations(c.Context(), c.actor, f)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	p := page[conversation]{Items: make([]conversation, 0, len(list))}
	for _, l := range list {
		p.Items = append(p.Items, s.listed(l))
	}
	if next != 0 {
		after := int64(next)
		p.Next = &after
	}
	return p, nil
}

func (c *call) conversationSearch() (chat.ConversationSearch, error) {
	q := c.query
	f := chat.ConversationSearch{ConversationFilter: chat.ConversationFilter{
		After: q.id("after"), Limit: q.limit(), ExternalID: q.text("external_id"), TaskID: q.id("task"), ChannelID: q.id("channel"),
		Session: chat.SessionState(q.oneOf("status", string(chat.SessionOpen), string(chat.SessionClosed))),
	}, Text: q.text("text")}
	for _, name := range q.manyOf("flag", chat.FlagNames()...) {
		flag, _ := chat.FlagByName(name) // one of them
		f.Flags |= flag
	}
	who, operator := q.oneOf("owner", "me", "queue", "bot", "operator", "all"), q.id("operator")
	if len(f.Text) > maxSearch {
		q.fail("text", "must be at most 256 bytes")
	}
	if operator != 0 && who != "" && who != "operator" {
		q.fail("operator", "goes with no owner but operator")
	}
	if err := c.complete(); err != nil {
		return f, err
	}
	switch who {
	case "me":
		if c.actor.Kind != chat.ActorOperator {
			return f, chat.Invalid("owner", "me is an operator who is signed in; an API key owns no conversations")
		}
		f.Owner = chat.Owner{Kind: chat.OwnerOperator, ID: c.actor.ID}
	case "queue", "bot", "operator":
		f.Owner.Kind = chat.OwnerKind(who)
	}
	if operator != 0 {
		f.Owner = chat.Owner{Kind: chat.OwnerOperator, ID: operator}
	}
	return f, nil
}

// maxSearch is the longest text to search for, in bytes.
const maxSearch = 256

func (a *API) conversation(c *call) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	l, err := a.Service.Conversation(c.Context(), c.actor, id)
	if err != nil {
		return nil, err
	}
	return a.shaper(c).listed(l), nil
}

// events lists the log of a conversation from a position on.
func (a *API) events(c *call) (any, error) {
	after, limit := c.query.integer("after"), c.query.limit()
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	entries, err := a.Service.Events(c.Context(), c.actor, id, after, limit)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	items := make([]event, 0, len(entries))
	for _, e := range entries {
		items = append(items, s.event(e))
	}
	return newPage(items, limit, func(e event) int64 { return e.Seq }), nil
}
