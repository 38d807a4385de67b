package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// TestFeedStopsBelowWhatIsUnderWay: an event that was committed is not shown
// while a transaction that took its ids before is still under way, on whatever
// node, and in whichever order the two began to write.
func TestFeedStopsBelowWhatIsUnderWay(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := started(t, url), started(t, url)
	for name, end := range map[string]error{"commits": nil, "rolls back": errors.New("no")} {
		t.Run("it "+name, func(t *testing.T) {
			first, second := newTalk(t, here), newTalk(t, here)
			start, err := here.Horizon(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var early, late chat.ID
			// It takes its ids first and writes, and so gets its number in the
			// server's order of transactions, last.
			open := hold(t, there, func(tx chat.Tx) (err error) {
				early, err = tx.NextID()
				return err
			})
			update(t, here, func(tx chat.Tx) (err error) {
				late, err = say(tx, first)
				return err
			})
			if late < early {
				t.Fatalf("ids %d and %d fell", early, late)
			}
			if got := feed(t, here, start); len(got) != 0 {
				t.Fatalf("the feed shows %v beside a transaction that holds %d", got, early)
			}
			update(t, here, func(tx chat.Tx) error {
				entries, err := tx.Feed(tenant, start, 10)
				if len(entries) != 0 {
					t.Errorf("inside a transaction the feed shows %d events", len(entries))
				}
				return err
			})
			if err := open.end(end); !errors.Is(err, end) {
				t.Fatalf("the open one came to %v", err)
			}
			update(t, there, func(tx chat.Tx) error { _, err := say(tx, second); return err })
			if got := feed(t, here, start); len(got) != 2 || got[0] != late {
				t.Fatalf("afterwards the feed shows %v, want %d and one more", got, late)
			}
		})
	}
}

// TestFeedMissesNothing: a reader that moves on with what the feed shows has
// seen every event once when the writers of two nodes are done.
func TestFeedMissesNothing(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	nodes := []*Store{started(t, url), started(t, url)}
	const writers, each = 8, 40
	talks := make([]chat.ID, writers)
	for i := range talks {
		talks[i] = newTalk(t, nodes[0])
	}
	var mu sync.Mutex
	var said []chat.ID
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range each {
				var id chat.ID
				err := nodes[i%2].Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) (err error) {
					id, err = say(tx, talks[i])
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				said = append(said, id)
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	var seen []chat.ID
	for last, over := chat.ID(0), false; ; {
		select {
		case <-done:
			over = true
		default:
		}
		got := feed(t, nodes[0], last)
		seen = append(seen, got...)
		if len(got) > 0 {
			last = got[len(got)-1]
		} else if over {
			break
		}
	}
	slices.Sort(said)
	if !slices.Equal(seen, said) {
		t.Errorf("the feed showed %d events of %d, or in another order", len(seen), len(said))
	}
}

func TestNewEventsAreSeenAtOnce(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s := started(t, url)
	first, second := newTalk(t, s), newTalk(t, s)
	start, err := s.Horizon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	open := hold(t, s, func(tx chat.Tx) error { _, err := say(tx, first); return err })
	var id chat.ID
	update(t, s, func(tx chat.Tx) (err error) {
		id, err = say(tx, second)
		return err
	})
	events, err := s.NewEvents(t.Context(), start, 10)
	want := chat.Event{ID: id, TenantID: tenant, ConversationID: second, Seq: 1}
	if err != nil || len(events) != 1 || events[0].ID != want.ID || events[0].TenantID != want.TenantID ||
		events[0].ConversationID != want.ConversationID || events[0].Seq != want.Seq {
		t.Errorf("got %+v, %v; want %+v alone", events, err, want)
	}
	if last, err := s.Horizon(t.Context()); err != nil || last >= id {
		t.Errorf("the horizon is %d, %v; want it below %d", last, err, id)
	}
	if err := open.end(nil); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Horizon(t.Context()); err != nil || last < id {
		t.Errorf("the horizon is %d, %v; want it at %d or above", last, err, id)
	}
}
