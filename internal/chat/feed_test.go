package chat_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// watch is a reader of the feed in a goroutine of its own.
type watch struct {
	batches chan chat.FeedBatch
	ended   chan error
	wake    chan struct{}
	stop    func()
}

func (w *world) watch(actor chat.Actor, after chat.ID) *watch {
	ctx, stop := context.WithCancel(w.ctx)
	v := &watch{batches: make(chan chat.FeedBatch), ended: make(chan error, 1), wake: make(chan struct{}, 1), stop: stop}
	go func() {
		var last error
		for b, err := range w.FollowFeed(ctx, actor, after, v.wake) {
			if last = err; err != nil {
				continue
			}
			select {
			case v.batches <- b:
			case <-ctx.Done():
			}
		}
		v.ended <- last
	}()
	return v
}

// next is the next batch.
func (v *watch) next(t *testing.T) chat.FeedBatch {
	t.Helper()
	select {
	case b := <-v.batches:
		return b
	case err := <-v.ended:
		t.Fatalf("the reader ended: %v", err)
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return chat.FeedBatch{}
}

// upTo takes the ids of what comes up to and including one.
func (v *watch) upTo(t *testing.T, last chat.ID) (ids []chat.ID) {
	t.Helper()
	for len(ids) == 0 || ids[len(ids)-1] < last {
		b := v.next(t)
		for _, item := range b.Items {
			ids = append(ids, item.ID)
		}
		if len(b.Items) > 0 && b.Position != b.Items[len(b.Items)-1].ID {
			t.Errorf("the position is %d after %d", b.Position, b.Items[len(b.Items)-1].ID)
		}
	}
	return ids
}

func (v *watch) end(t *testing.T) {
	t.Helper()
	v.stop()
	select {
	case err := <-v.ended:
		if err != nil {
			t.Errorf("a reader that was stopped says %v", err)
		}
	case <-time.After(patience):
		t.Fatal("a reader that was stopped goes on")
	}
}

// feedIDs is all that the log has of the company after an id.
func (w *world) feedIDs(t *testing.T, after chat.ID) (ids []chat.ID) {
	t.Helper()
	if err := w.store.View(w.ctx, func(r chat.Reader) error {
		entries, err := r.Feed(w.tenant, after, 1<<20)
		ids = nil
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

func (w *world) feedEnd(t *testing.T) chat.ID {
	t.Helper()
	end, err := w.FeedPosition(w.ctx, w.bridge())
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// TestFollowFeed: all that is and will be in the log of a company, once and in
// order, under parallel writers and a bus that drops and swaps, from any
// position.
func TestFollowFeed(t *testing.T) {
	t.Parallel()
	bus := &moody{Hub: hub.New()}
	w := settled(t, bus)
	first := w.talk(t, "shop")
	first.says("hello")
	start := w.feedEnd(t)
	watches := []*watch{w.watch(w.bridge(), 0), w.watch(w.operator("ann"), start), w.watch(w.operator("sue"), 1)}
	const writers, each = 6, 100
	var wg sync.WaitGroup
	for range writers {
		k := w.talk(t, "desk")
		wg.Go(func() {
			for n := range each {
				if _, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "", fmt.Sprint(n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := w.feedEnd(t)
	for i, after := range []chat.ID{0, start, 1} {
		if got, want := watches[i].upTo(t, last), w.feedIDs(t, after); !slices.Equal(got, want) {
			t.Errorf("after %d: %d entries came, of %d", after, len(got), len(want))
		}
		watches[i].end(t)
	}
	if n := bus.Subscribers(); n != 0 {
		t.Errorf("%d subscriptions are left open", n)
	}
}

// TestFeedOfASlowReader: one that takes nothing for a while gets all of it
// afterwards, and holds nobody up.
func TestFeedOfASlowReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "desk")
	k.says("hello")
	start := w.feedEnd(t)
	slow, quick := w.watch(w.bridge(), start), w.watch(w.bridge(), start)
	for range 700 { // more than is kept in memory
		k.says("again")
	}
	last := w.feedEnd(t)
	want := w.feedIDs(t, start)
	if got := quick.upTo(t, last); !slices.Equal(got, want) {
		t.Errorf("%d entries came, of %d", len(got), len(want))
	}
	if got := slow.upTo(t, last); !slices.Equal(got, want) {
		t.Errorf("to the slow one %d entries came, of %d", len(got), len(want))
	}
	slow.end(t)
	quick.end(t)
}

// TestFeedPositions: what can't be honoured is said.
func TestFeedPositions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "desk")
	k.says("hello")
	for name, tt := range map[string]struct {
		actor chat.Actor
		after chat.ID
		code  chat.Code
	}{
		"beyond the end": {w.bridge(), w.feedEnd(t) + 1, chat.CodeLostPosition},
		"no scope":       {chat.Actor{Kind: chat.ActorAPIKey, TenantID: w.tenant}, 0, chat.CodeForbidden},
	} {
		v := w.watch(tt.actor, tt.after)
		select {
		case err := <-v.ended:
			if chat.ErrorCode(err) != tt.code {
				t.Errorf("%s: %v, want %s", name, err, tt.code)
			}
		case <-time.After(patience):
			t.Fatalf("%s: nothing came", name)
		}
		v.stop()
	}
}

// TestFeedTooFarBehind: a reader who missed very much reloads.
func TestFeedTooFarBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "desk")
	k.says("hello")
	start := w.feedEnd(t)
	if err := w.store.Update(w.ctx, chat.PriorityNormal, func(tx chat.Tx) error {
		for seq := range int64(5300) {
			id, err := tx.NextID()
			if err != nil {
				return err
			}
			e := chat.Event{ID: id, TenantID: w.tenant, ConversationID: k.id, Seq: 100 + seq, Kind: chat.EventNoteAdded}
			if err := tx.AppendEvent(&e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	v := w.watch(w.bridge(), start)
	for n := 0; ; {
		select {
		case b := <-v.batches:
			if n += len(b.Items); n > 5250 {
				t.Fatalf("%d entries came", n)
			}
			continue
		case err := <-v.ended:
			wantCode(t, err, chat.CodeLostPosition)
		}
		break
	}
	v.stop()
}

// TestFeedConcerns: an operator is told of his own conversations and of the
// queue, and of what gives and takes them, also when he was away meanwhile.
func TestFeedConcerns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, bob := w.operator("ann"), w.operator("bob")
	start := w.feedEnd(t)
	live := w.watch(w.bridge(), start)
	k := w.talk(t, "app")
	k.says("to the bot")
	k.takes("ann")
	k.says("to ann")
	k.closes("ann")
	other := w.talk(t, "desk")
	other.says("to the queue")
	other.takes("bob")
	other.says("to bob")
	last := w.feedEnd(t)
	late := func() *watch { return w.watch(w.bridge(), start) }
	kinds := func(v *watch, actor chat.Actor) (told []string) {
		t.Helper()
		for done := false; !done; {
			for _, item := range v.next(t).Items {
				if item.Concerns(actor) {
					name := string(item.Kind)
					if item.Message != nil {
						name = item.Message.Content.Text
					}
					told = append(told, name)
				}
				done = item.ID == last
			}
		}
		return told
	}
	must := func(who string, told []string, want ...string) {
		t.Helper()
		for _, name := range want {
			if !slices.Contains(told, name) {
				t.Errorf("%s was not told of %q: %v", who, name, told)
			}
		}
	}
	never := func(who string, told []string, unwanted ...string) {
		t.Helper()
		for _, name := range unwanted {
			if slices.Contains(told, name) {
				t.Errorf("%s was told of %q: %v", who, name, told)
			}
		}
	}
	kinds(live, ann)
	live.end(t)
	v := late()
	forAnn := kinds(v, ann)
	v.end(t)
	must("ann", forAnn, "owner.changed", "session.closed")
	never("ann", forAnn, "to bob")
	v = late()
	forBob := kinds(v, bob)
	v.end(t)
	must("bob", forBob, "to the queue", "owner.changed", "to bob")
	never("bob", forBob, "to the bot", "to ann", "session.closed")
}

// TestFeedHints: typing is passed on, and a signal is answered.
func TestFeedHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "desk")
	k.says("hello")
	start := w.feedEnd(t)
	v := w.watch(w.operator("ann"), start)
	v.wake <- struct{}{}
	if b := v.next(t); len(b.Items)+len(b.Hints) != 0 || b.Position != start {
		t.Errorf("the answer to a signal is %+v", b)
	}
	k.says("again")
	v.upTo(t, w.feedEnd(t))
	v.wake <- struct{}{} // a reader that has answered is up to date, and misses no hint
	if b := v.next(t); len(b.Items)+len(b.Hints) != 0 {
		t.Errorf("the answer to a signal is %+v", b)
	}
	w.Typing(w.tenant, k.id, chat.AuthorClient)
	b := v.next(t)
	want := chat.FeedHint{ConversationID: k.id, Owner: chat.Owner{Kind: chat.OwnerQueue}, Typing: chat.AuthorClient}
	if len(b.Hints) != 1 || b.Hints[0] != want || !b.Hints[0].Concerns(w.operator("ann")) {
		t.Errorf("the hint is %+v", b)
	}
	v.end(t)
}
