package chat

import (
	"context"
	"iter"
)

// Follow yields a conversation's entries with Seq > after, first those in the
// log, then each new one as it is committed, without gap or repeat, until ctx
// ends (then it just stops) or the log can't be read (then it yields the
// error once). A position beyond the end of the log is CodeLostPosition: it
// belongs to another history, and the reader must reload.
func (s *Service) Follow(ctx context.Context, actor Actor, conversation ID, after int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := actor.Require(ScopeConversationsRead); err != nil {
			yield(Entry{}, err)
			return
		}
		sub := s.bus.Subscribe(Topic{TenantID: actor.TenantID, ConversationID: conversation})
		defer sub.Close()
		f := follower{s: s, actor: actor, conversation: conversation, at: after, yield: yield}
		if err := f.checkPosition(ctx); err != nil {
			if ctx.Err() == nil {
				yield(Entry{}, err)
			}
			return
		}
		for f.catchUp(ctx) && f.live(ctx, sub) {
		}
	}
}

// follower is one run of Follow: at is the seq of the last entry yielded.
type follower struct {
	s            *Service
	actor        Actor
	conversation ID
	at           int64
	yield        func(Entry, error) bool
}

func (f *follower) checkPosition(ctx context.Context) error {
	return f.s.store.View(ctx, func(r Reader) error {
		conv, err := r.Conversation(f.actor.TenantID, f.conversation)
		if err == nil && f.at > conv.Seq {
			return Errorf(CodeLostPosition, "position %d is beyond the end of the log (%d); load the conversation again", f.at, conv.Seq)
		}
		return err
	})
}

// catchUp yields what the log has beyond the position.
func (f *follower) catchUp(ctx context.Context) bool {
	for {
		entries, err := f.s.Events(ctx, f.actor, f.conversation, f.at, MaxPage)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			f.yield(Entry{}, err)
			return false
		}
		for _, e := range entries {
			f.at = e.Seq
			if !f.yield(e, nil) {
				return false
			}
		}
		if len(entries) < MaxPage {
			return true
		}
	}
}

// live yields notices while they continue the log seamlessly; a gap ends it,
// and the log is read again. So does a buffer that was full when this notice
// left it: the last ones may have been dropped, with nothing after them to
// show the gap.
func (f *follower) live(ctx context.Context, sub Subscription) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case n := <-sub.C():
			full := len(sub.C()) >= cap(sub.C())-1
			for _, e := range n.Entries {
				if e.Seq <= f.at {
					continue
				}
				if e.Seq != f.at+1 {
					return true
				}
				f.at = e.Seq
				if !f.yield(e, nil) {
					return false
				}
			}
			if full {
				return true
			}
		}
	}
}
