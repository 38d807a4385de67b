package chat

import (
	"context"
	"sync"
	"time"
)

const (
	feedRing   = 512                    // items and hints that are kept for those who follow
	feedOwners = 10_000                 // conversations whose owner is remembered
	feedRest   = 4 * time.Millisecond   // between readings, so that what comes together is read together
	feedRetry  = 100 * time.Millisecond // at most, until what was told of can be read
	feedIdle   = time.Second            // between readings that nobody asked for
)

// feeds are the feeds that somebody follows, by tenant.
type feeds struct {
	mu       sync.Mutex
	byTenant map[ID]*feed
}

// feed reads one tenant's log for all who follow it. Its goroutine begins with
// the first of them and has ended when the last one leaves.
type feed struct {
	s       *Service
	tenant  ID
	readers int // of feeds.mu
	stop    context.CancelFunc
	ended   chan struct{}

	mu      sync.Mutex
	started bool
	slots   []feedSlot
	first   int64 // the place of slots[0]
	from    ID    // the ring has everything after this one
	at      ID    // everything up to this one was read
	owners  map[ID]Owner
	changed chan struct{} // closed and replaced
}

// feedSlot is an item or a hint.
type feedSlot struct {
	item *FeedItem
	hint FeedHint
}

type feedState int

const (
	feedStarting feedState = iota // the feed does not know its position yet
	feedBehind                    // the reader's position is before the ring
	feedLive
)

// join follows a tenant's feed; leave ends that.
func (fs *feeds) join(s *Service, tenant ID) *feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.byTenant[tenant]
	if f == nil {
		f = &feed{s: s, tenant: tenant, ended: make(chan struct{}), owners: map[ID]Owner{}, changed: make(chan struct{})}
		var ctx context.Context
		ctx, f.stop = context.WithCancel(context.Background())
		go f.run(ctx)
		if fs.byTenant == nil {
			fs.byTenant = map[ID]*feed{}
		}
		fs.byTenant[tenant] = f
	}
	f.readers++
	return f
}

func (fs *feeds) leave(f *feed) {
	fs.mu.Lock()
	f.readers--
	last := f.readers == 0
	if last {
		delete(fs.byTenant, f.tenant)
	}
	fs.mu.Unlock()
	if last {
		f.stop()
		<-f.ended
	}
}

// run reads the log whenever the bus says that there is something new, and now
// and then without that: the bus may drop. Ids that the bus tells of may not be
// readable yet (see LogReader.Feed), so it comes back for them.
func (f *feed) run(ctx context.Context) {
	defer close(f.ended)
	sub := f.s.bus.Subscribe(Topic{TenantID: f.tenant})
	defer sub.Close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var told ID
	wait := feedRest
	for {
		before := f.position()
		select {
		case <-ctx.Done():
			return
		case n := <-sub.C():
			told = max(told, f.hear(ctx, n, sub))
		case <-timer.C:
		}
		err := f.read(ctx)
		if err != nil && ctx.Err() == nil {
			f.s.log.Warn("feed.unread", "tenant", f.tenant, "error", err)
		}
		switch at := f.position(); {
		case err != nil, told <= at:
			wait = feedIdle
		case at > before:
			wait = feedRest
		default:
			wait = min(2*wait, feedRetry)
		}
		timer.Reset(wait)
		rest(ctx, feedRest)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// hear takes every notice that has come. It returns the greatest id told of.
func (f *feed) hear(ctx context.Context, n Notice, sub Subscription) (told ID) {
	var hints []FeedHint
	for {
		if len(n.Entries) > 0 {
			told = max(told, n.Entries[len(n.Entries)-1].ID)
		}
		if n.Typing != "" {
			hints = append(hints, FeedHint{ConversationID: n.ConversationID, Typing: n.Typing})
		}
		select {
		case n = <-sub.C():
			continue
		default:
		}
		break
	}
	if len(hints) > 0 {
		f.addHints(ctx, hints)
	}
	return told
}

// addHints puts hints into the ring, with the owners of their conversations. Of
// one whose owner can't be read now only who has opened it is told.
func (f *feed) addHints(ctx context.Context, hints []FeedHint) {
	for i := range hints {
		h := &hints[i]
		owner, known := f.ownerOf(h.ConversationID)
		if !known {
			err := f.s.store.View(ctx, func(r Reader) error {
				c, err := r.Conversation(f.tenant, h.ConversationID)
				if err == nil {
					owner = c.Owner
				}
				return err
			})
			if err != nil && ctx.Err() == nil {
				f.s.log.Warn("feed.owner_unread", "tenant", f.tenant, "conversation", h.ConversationID, "error", err)
			}
		}
		h.Owner = owner
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range hints {
		f.slots = append(f.slots, feedSlot{hint: h})
	}
	f.publish()
}

// read adds to the ring what is new in the log.
func (f *feed) read(ctx context.Context) error {
	if !f.isStarted() {
		return f.start(ctx)
	}
	for {
		entries, owners, err := f.look(ctx, f.position())
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			f.add(entries, owners)
		}
		if len(entries) < MaxPage {
			return nil
		}
	}
}

func (f *feed) start(ctx context.Context) error {
	var end ID
	err := f.s.store.View(ctx, func(r Reader) (err error) {
		end, err = r.FeedEnd(f.tenant)
		return err
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started, f.at, f.from = true, end, end
	f.publish()
	return nil
}

// look reads a page of the log with the owners of its conversations: those that
// are remembered, else those of now.
func (f *feed) look(ctx context.Context, after ID) ([]Entry, map[ID]Owner, error) {
	var entries []Entry
	var owners map[ID]Owner
	err := f.s.store.View(ctx, func(r Reader) (err error) {
		owners = map[ID]Owner{}
		if entries, err = r.Feed(f.tenant, after, MaxPage); err != nil {
			return err
		}
		for i := range entries {
			id := entries[i].ConversationID
			if _, seen := owners[id]; seen {
				continue
			}
			owner, remembered := f.ownerOf(id)
			if !remembered {
				c, err := r.Conversation(f.tenant, id)
				if err != nil {
					return err
				}
				owner = c.Owner
			}
			owners[id] = owner
		}
		return nil
	})
	return entries, owners, err
}

// add puts a page into the ring and follows the owners through it.
func (f *feed) add(entries []Entry, owners map[ID]Owner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.owners) > feedOwners {
		clear(f.owners)
	}
	for i := range entries {
		e := &entries[i]
		id := e.ConversationID
		switch e.Kind {
		case EventSessionOpened, EventOwnerChanged:
			if e.Data.To != nil {
				owners[id] = *e.Data.To
			}
		case EventSessionClosed:
			owners[id] = Owner{}
		}
		f.owners[id] = owners[id]
		f.slots = append(f.slots, feedSlot{item: &FeedItem{Entry: *e, Owner: owners[id]}})
		f.at = e.ID
	}
	f.publish()
}

// publish forgets what the ring has no room for and wakes who waits; f.mu is
// held.
func (f *feed) publish() {
	if over := len(f.slots) - feedRing; over > 0 {
		for _, slot := range f.slots[:over] {
			if slot.item != nil {
				f.from = slot.item.ID
			}
		}
		f.slots = append([]feedSlot(nil), f.slots[over:]...)
		f.first += int64(over)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// since moves a reader through the ring: what is new to it, and what will tell
// that there is more.
func (f *feed) since(r *feedReader) (batch FeedBatch, changed <-chan struct{}, state feedState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.started:
		return batch, f.changed, feedStarting
	case r.next < f.first && r.at < f.from:
		return batch, f.changed, feedBehind
	case r.next < f.first:
		r.next = f.placeAfter(r.at)
	}
	if !r.checked {
		return batch, f.changed, feedLive
	}
	for end := f.first + int64(len(f.slots)); r.next < end && len(batch.Items) < MaxPage; r.next++ {
		slot := &f.slots[r.next-f.first]
		switch {
		case slot.item == nil:
			batch.Hints = append(batch.Hints, slot.hint)
		case slot.item.ID > r.at:
			batch.Items = append(batch.Items, slot.item)
			r.at = slot.item.ID
		}
	}
	batch.Position = r.at
	return batch, f.changed, feedLive
}

// placeAfter is the place of the first item after an id, or the end.
func (f *feed) placeAfter(id ID) int64 {
	for i := range f.slots {
		if item := f.slots[i].item; item != nil && item.ID > id {
			return f.first + int64(i)
		}
	}
	return f.first + int64(len(f.slots))
}

// page reads the log for a reader that is behind. Its items know the owners of
// now, which is what the reader is going to see.
func (f *feed) page(ctx context.Context, after ID) ([]*FeedItem, error) {
	entries, owners, err := f.look(ctx, after)
	if err != nil {
		return nil, err
	}
	items := make([]*FeedItem, len(entries))
	for i := range entries {
		items[i] = &FeedItem{Entry: entries[i], Owner: owners[entries[i].ConversationID]}
	}
	return items, nil
}

func (f *feed) ownerOf(conversation ID) (owner Owner, remembered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	owner, remembered = f.owners[conversation]
	return owner, remembered
}

func (f *feed) position() ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *feed) isStarted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}
