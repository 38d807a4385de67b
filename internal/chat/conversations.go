package chat

import "context"

// Listed is a conversation as lists show it.
type Listed struct {
	Conversation
	Client      *Client
	LastMessage *Message // nil when nothing was said yet
}

// Conversations lists the conversations of the actor's tenant by rising id:
// those that match f, up to f.Limit (at most 250) after f.After.
func (s *Service) Conversations(ctx context.Context, actor Actor, f ConversationFilter) ([]Listed, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	f.Limit = pageSize(f.Limit)
	var list []Listed
	err := s.store.View(ctx, func(r Reader) error {
		convs, err := r.Conversations(actor.TenantID, f)
		if err != nil {
			return err
		}
		list = make([]Listed, 0, len(convs))
		for _, c := range convs {
			l, err := listed(r, c)
			if err != nil {
				return err
			}
			list = append(list, l)
		}
		return nil
	})
	return list, err
}

// Conversation returns one conversation. Errors: CodeNotFound.
func (s *Service) Conversation(ctx context.Context, actor Actor, id ID) (Listed, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return Listed{}, err
	}
	var l Listed
	err := s.store.View(ctx, func(r Reader) error {
		c, err := r.Conversation(actor.TenantID, id)
		if err != nil {
			return err
		}
		l, err = listed(r, *c)
		return err
	})
	return l, err
}

func listed(r Reader, c Conversation) (l Listed, err error) {
	l.Conversation = c
	if l.Client, err = r.Client(c.TenantID, c.ClientID); err != nil {
		return l, err
	}
	if c.LastMessageID != 0 {
		l.LastMessage, err = r.Message(c.TenantID, c.LastMessageID)
	}
	return l, err
}

// Events returns entries of a conversation's log with Seq > after, rising, up
// to limit (at most 250). Errors: CodeNotFound.
func (s *Service) Events(ctx context.Context, actor Actor, conversation ID, after int64, limit int) ([]Entry, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var entries []Entry
	err := s.store.View(ctx, func(r Reader) error {
		if _, err := r.Conversation(actor.TenantID, conversation); err != nil {
			return err
		}
		var err error
		entries, err = r.Events(actor.TenantID, conversation, after, pageSize(limit))
		return err
	})
	return entries, err
}

// Typing tells whoever follows the conversation that somebody is typing. It is
// in no log and may get lost.
func (s *Service) Typing(tenant, conversation ID, who Author) {
	s.bus.Publish(Notice{TenantID: tenant, ConversationID: conversation, Typing: who})
}
