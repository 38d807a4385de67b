package chat

import (
	"context"
	"iter"
	"time"
)

// FeedItem is an entry of a tenant's log on its way to operators.
type FeedItem struct {
	Entry
	Owner Owner // of the conversation, by the time the item is passed on; zero when no session is open
}

// Concerns says whether the item is an operator's business without his asking:
// the conversation is his or waits in the queue, or it has just come to be so
// or ceased to be.
func (i *FeedItem) Concerns(actor Actor) bool {
	if concerns(actor, i.Owner) {
		return true
	}
	for _, o := range []*Owner{i.Data.From, i.Data.To} {
		if o != nil && concerns(actor, *o) {
			return true
		}
	}
	return false
}

// FeedHint is a passing fact about a conversation; it is in no log.
type FeedHint struct {
	ConversationID ID
	Owner          Owner
	Typing         Author
}

// Concerns is that of an item.
func (h *FeedHint) Concerns(actor Actor) bool { return concerns(actor, h.Owner) }

func concerns(actor Actor, owner Owner) bool {
	return owner.Kind == OwnerQueue ||
		actor.Kind == ActorOperator && owner == Owner{Kind: OwnerOperator, ID: actor.ID}
}

// WatchesAll returns CodeForbidden unless the actor may be shown everything
// that happens in his company as it happens.
func (a Actor) WatchesAll() error {
	if a.Kind == ActorOperator && !a.leads() {
		return Errorf(CodeForbidden, "only a supervisor or an admin may watch all conversations; open those you want to see")
	}
	return nil
}

// FeedBatch is what came since the one before. Items rise by ID and are shared
// with other readers: they are not to be changed. Position is where to go on
// from after it.
type FeedBatch struct {
	Items    []*FeedItem
	Hints    []FeedHint
	Position ID
}

// maxFeedBacklog is how many entries a reader may be behind and still be told
// all of them.
const maxFeedBacklog = 5000

// FeedPosition is the end of the tenant's feed: what is there by now comes
// before it.
func (s *Service) FeedPosition(ctx context.Context, actor Actor) (ID, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return 0, err
	}
	var end ID
	err := s.store.View(ctx, func(r Reader) (err error) {
		end, err = r.FeedEnd(actor.TenantID)
		return err
	})
	return end, err
}

// FollowFeed yields the entries of all conversations of the actor's tenant with
// ID > after, rising by ID, without gap or repeat, as they are committed, until
// ctx ends (then it just stops). Each signal of wake, which may be nil, is
// answered by a batch, if need be an empty one. All who follow a tenant share
// one reading of its log.
//
// Errors, yielded once: CodeLostPosition for a position beyond the end of the
// log, or over 5,000 entries before it: the reader must reload and go on from
// FeedPosition. CodeForbidden. Any other: the log can't be read.
func (s *Service) FollowFeed(ctx context.Context, actor Actor, after ID, wake <-chan struct{}) iter.Seq2[FeedBatch, error] {
	return func(yield func(FeedBatch, error) bool) {
		if err := actor.Require(ScopeConversationsRead); err != nil {
			yield(FeedBatch{}, err)
			return
		}
		f := s.feeds.join(s, actor.TenantID)
		defer s.feeds.leave(f)
		r := feedReader{feed: f, at: after, next: -1, wake: wake}
		for {
			batch, err := r.read(ctx)
			if ctx.Err() != nil || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// feedReader is one run of FollowFeed.
type feedReader struct {
	feed    *feed
	at      ID    // of the last entry that was yielded
	next    int64 // its place in the ring; below the ring's first: to be found by at
	behind  int   // entries taken from the log since it was last up to date
	checked bool  // the position was found to be one of this log
	wake    <-chan struct{}
}

// read waits for the next batch.
func (r *feedReader) read(ctx context.Context) (FeedBatch, error) {
	for {
		batch, changed, state := r.feed.since(r)
		switch {
		case state == feedStarting: // nothing is known yet
		case !r.checked:
			if err := r.check(ctx); err != nil {
				return FeedBatch{}, err
			}
			r.checked = true
			continue
		case state == feedBehind:
			batch, err := r.catchUp(ctx)
			if err != nil || len(batch.Items) > 0 {
				return batch, err
			}
		case len(batch.Items)+len(batch.Hints) > 0:
			r.behind = 0
			return batch, nil
		}
		var again <-chan time.Time
		if state == feedBehind { // what is missing is on its way into the log's readable part
			again = time.After(feedIdle)
		}
		select {
		case <-ctx.Done():
			return FeedBatch{}, ctx.Err()
		case <-r.wake:
			return FeedBatch{Position: r.at}, nil
		case <-changed:
		case <-again:
		}
	}
}

// check refuses a position that is not of this log. What this node has read
// may be less than what the reader saw at another one: the log decides.
func (r *feedReader) check(ctx context.Context) error {
	if r.at <= r.feed.position() {
		return nil
	}
	var end ID
	err := r.feed.s.store.View(ctx, func(v Reader) (err error) {
		end, err = v.FeedEnd(r.feed.tenant)
		return err
	})
	if err == nil && r.at > end {
		err = Errorf(CodeLostPosition, "position %d is beyond the end of the log (%d); load the conversations again", r.at, end)
	}
	return err
}

// catchUp reads a page of the log.
func (r *feedReader) catchUp(ctx context.Context) (FeedBatch, error) {
	if r.behind >= maxFeedBacklog {
		return FeedBatch{}, Errorf(CodeLostPosition, "position %d is too far behind; load the conversations again", r.at)
	}
	items, err := r.feed.page(ctx, r.at)
	if err != nil || len(items) == 0 {
		return FeedBatch{}, err
	}
	r.behind += len(items)
	r.at, r.next = items[len(items)-1].ID, -1
	return FeedBatch{Items: items, Position: r.at}, nil
}
