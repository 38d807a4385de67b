package chat

import (
	"context"
	"strings"
)

// Listed is a conversation as lists show it.
type Listed struct {
	Conversation
	Client      *Client
	LastMessage *Message // nil when nothing was said yet
}

// maxExamined is how many conversations one search looks at, and searchStep how
// many at a time.
const (
	maxExamined = 2000
	searchStep  = 500
)

// ConversationSearch selects conversations. What ConversationFilter says is
// found by an index; the rest is looked for among what that leaves.
type ConversationSearch struct {
	ConversationFilter
	Flags Flags  // all of them are set
	Text  string // in the client's title, contacts or external id, or in the last message, whatever the case
}

// Conversations lists the conversations of the actor's tenant by rising id:
// those that match f, up to f.Limit (at most 250) after f.After.
func (s *Service) Conversations(ctx context.Context, actor Actor, f ConversationFilter) ([]Listed, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	f.Limit = pageSize(f.Limit)
	var list []Listed
	err := s.store.View(ctx, func(r Reader) (err error) {
		list, err = r.Conversations(actor.TenantID, f)
		return err
	})
	return list, err
}

// SearchConversations is Conversations with a search. It looks at 2,000
// conversations at most: a page may have fewer items than its limit, or none,
// and still not be the last one. next is the After of the next page, 0 after
// the last one.
func (s *Service) SearchConversations(ctx context.Context, actor Actor, f ConversationSearch) (list []Listed, next ID, err error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, 0, err
	}
	limit := pageSize(f.Limit)
	f.Limit = limit
	if f.Flags != 0 || f.Text != "" {
		f.Limit = searchStep
	}
	said := strings.ToLower(f.Text)
	err = s.store.View(ctx, func(r Reader) error {
		page := f.ConversationFilter
		list, next = nil, 0
		for examined := 0; ; examined += page.Limit {
			if examined >= maxExamined {
				next = page.After
				return nil
			}
			found, err := r.Conversations(actor.TenantID, page)
			if err != nil {
				return err
			}
			for i := range found {
				page.After = found[i].ID
				if found[i].Flags.Has(f.Flags) && found[i].says(said) {
					list = append(list, found[i])
				}
				if len(list) == limit {
					next = page.After
					return nil
				}
			}
			if len(found) < page.Limit {
				return nil
			}
		}
	})
	return list, next, err
}

// says whether a folded text is in what a list shows of the conversation.
func (l *Listed) says(folded string) bool {
	in := func(text string) bool { return strings.Contains(strings.ToLower(text), folded) }
	return folded == "" || in(l.Client.Title()) || in(l.Client.Contacts()) || in(l.ExternalID) ||
		l.LastMessage != nil && in(l.LastMessage.Content.Text)
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

// OperatorTyping tells whoever follows a conversation that the acting operator
// is typing. Errors: CodeNotFound, CodeForbidden for anybody but an operator.
func (s *Service) OperatorTyping(ctx context.Context, actor Actor, conversation ID) error {
	if actor.Kind != ActorOperator {
		return Errorf(CodeForbidden, "only an operator types")
	}
	err := s.store.View(ctx, func(r Reader) error {
		_, err := r.Conversation(actor.TenantID, conversation)
		return err
	})
	if err == nil {
		s.Typing(actor.TenantID, conversation, AuthorOperator)
	}
	return err
}
