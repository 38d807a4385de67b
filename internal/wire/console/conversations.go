package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// conversations lists by rising id, filtered by owner, external_id, task and
// channel.
func (a *API) conversations(c *call) (any, error) {
	f, err := c.conversationFilter()
	if err != nil {
		return nil, err
	}
	list, err := a.Service.Conversations(c.Context(), c.actor, f)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	items := make([]conversation, 0, len(list))
	for _, l := range list {
		items = append(items, s.listed(l))
	}
	return newPage(items, f.Limit, func(v conversation) int64 { return int64(v.ID) }), nil
}

func (c *call) conversationFilter() (chat.ConversationFilter, error) {
	q := c.query
	f := chat.ConversationFilter{
		After: q.id("after"), Limit: q.limit(), ExternalID: q.text("external_id"), TaskID: q.id("task"), ChannelID: q.id("channel"),
	}
	who := q.oneOf("owner", "me", "queue", "bot", "operator", "all")
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
	return f, nil
}

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
