package chat_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// patience bounds how long a test waits for what must happen.
const patience = time.Minute

// moody is a bus that drops notices and swaps neighbours until it is calm.
type moody struct {
	*hub.Hub
	calm atomic.Bool
	mu   sync.Mutex
	held *chat.Notice
}

func (m *moody) Publish(n chat.Notice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calm.Load() {
		m.Hub.Publish(n)
		return
	}
	switch rand.IntN(4) {
	case 0: // dropped
	case 1: // told after the next one
		m.held = &n
		return
	default:
		m.Hub.Publish(n)
	}
	if m.held != nil {
		m.Hub.Publish(*m.held)
		m.held = nil
	}
}

// settled makes a company in a world of its own bus.
func settled(t *testing.T, bus chat.Bus) *world {
	t.Helper()
	w := emptyWorld(t, bus)
	w.apply(t, company("acme", ""))
	w.tenant = w.Catalog().TenantByName("acme").ID
	return w
}

// reading is a follower in a goroutine of its own.
type reading struct {
	entries chan chat.Entry
	ended   chan error
	stop    func()
}

// follow reads a conversation after a seq until it is stopped.
func follow(k *talk, after int64) *reading {
	ctx, stop := context.WithCancel(k.ctx)
	r := &reading{entries: make(chan chat.Entry), ended: make(chan error, 1), stop: stop}
	id := k.id // the talk goes on and writes it again
	go func() {
		var last error
		for e, err := range k.Follow(ctx, k.system(), id, after) {
			if last = err; err != nil {
				continue
			}
			select {
			case r.entries <- e:
			case <-ctx.Done():
			}
		}
		r.ended <- last
	}()
	return r
}

// upTo takes entries from first to last, which must come without gap or repeat.
func (r *reading) upTo(t *testing.T, first, last int64) {
	t.Helper()
	for want := first; want <= last; want++ {
		select {
		case e := <-r.entries:
			if e.Seq != want {
				t.Fatalf("got entry %d, want %d", e.Seq, want)
			}
			if e.MessageID != 0 && (e.Message == nil || e.Message.ID != e.MessageID) {
				t.Fatalf("entry %d has no message", e.Seq)
			}
		case err := <-r.ended:
			t.Fatalf("the follower ended before entry %d: %v", want, err)
		case <-time.After(patience):
			t.Fatalf("entry %d did not come", want)
		}
	}
}

// end stops the follower, which must stop without a word.
func (r *reading) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("a follower that was stopped says %v", err)
		}
	case <-time.After(patience):
		t.Fatal("a follower that was stopped goes on")
	}
}

// TestFollow: what is in the log and what is being written comes once and in
// order, under parallel writers and a bus that drops and swaps.
func TestFollow(t *testing.T) {
	t.Parallel()
	bus := &moody{Hub: hub.New()}
	w := settled(t, bus)
	k := w.talk(t, "shop")
	k.says("hello")
	const writers, each = 8, 15
	var followers []*reading
	for _, after := range []int64{0, 0, 1, 2} {
		followers = append(followers, follow(k, after))
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, fmt.Sprint(i, ",", n), "hi")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() { // they start reading in the middle of it
		wg.Go(func() { followers[0].upTo(t, 1, 60) })
		wg.Go(func() { followers[2].upTo(t, 2, 40) })
	})
	wg.Wait()
	if t.Failed() {
		return
	}
	bus.calm.Store(true)
	k.says("the last one")
	const last = 2 + writers*each + 1
	followers[0].upTo(t, 61, last)
	followers[1].upTo(t, 1, last)
	followers[2].upTo(t, 41, last)
	followers[3].upTo(t, 3, last)
	for _, f := range followers {
		f.end(t)
	}
	if n := bus.Subscribers(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// TestSlowFollower misses more than its buffer holds, and nothing comes after:
// it reads the rest all the same.
func TestSlowFollower(t *testing.T) {
	t.Parallel()
	bus := hub.New()
	w := settled(t, bus)
	k := w.talk(t, "shop")
	k.says("hello")
	f := follow(k, 0)
	f.upTo(t, 1, 2)
	k.says("live now")
	f.upTo(t, 3, 3)
	last := int64(3)
	for bus.Dropped() < 20 {
		k.says("too fast")
		last++
	}
	f.upTo(t, 4, last)
	k.says("live again")
	f.upTo(t, last+1, last+1)
	f.end(t)
}

// TestFollowPositions: the end is a position, what is beyond it is lost.
func TestFollowPositions(t *testing.T) {
	t.Parallel()
	bus := hub.New()
	w := settled(t, bus)
	k := w.talk(t, "shop")
	k.says("hello")
	end := follow(k, 2)
	k.says("new")
	end.upTo(t, 3, 3)
	w.Typing(w.tenant, k.id, chat.AuthorClient) // no entry, so nothing comes of it
	k.says("newer")
	end.upTo(t, 4, 4)
	end.end(t)
	other := w.talk(t, "shop")
	other.says("another conversation")
	for _, after := range []int64{5, 1 << 40} {
		var got []error
		for e, err := range w.Follow(w.ctx, w.system(), k.id, after) {
			if err == nil {
				t.Fatalf("got entry %d", e.Seq)
			}
			got = append(got, err)
		}
		if len(got) != 1 {
			t.Fatalf("position %d: %d errors", after, len(got))
		}
		wantCode(t, got[0], chat.CodeLostPosition)
	}
	if n := bus.Subscribers(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// TestFollowersLeave: whoever stops listening, or finds the log closed, leaves
// nothing behind.
func TestFollowersLeave(t *testing.T) {
	t.Parallel()
	bus := hub.New()
	w := settled(t, bus)
	k := w.talk(t, "shop")
	k.says("hello")
	for e, err := range w.Follow(w.ctx, w.system(), k.id, 0) {
		if err != nil || e.Seq != 1 {
			t.Errorf("got entry %d, %v", e.Seq, err)
		}
		break
	}
	gone, cancel := context.WithCancel(w.ctx)
	cancel()
	for e, err := range w.Follow(gone, w.system(), k.id, 0) {
		t.Errorf("after the end came entry %d, %v", e.Seq, err)
	}
	if n := bus.Subscribers(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	f := follow(k, 0)
	f.upTo(t, 1, 2)
	w.shut()
	bus.Publish(chat.Notice{TenantID: w.tenant, ConversationID: k.id, Entries: []chat.Entry{{Event: chat.Event{Seq: 9}}}})
	select {
	case err := <-f.ended:
		if err == nil {
			t.Error("a follower ended without a word though the log can't be read")
		}
	case <-time.After(patience):
		t.Fatal("a follower goes on without its log")
	}
	f.stop()
	if n := bus.Subscribers(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}
