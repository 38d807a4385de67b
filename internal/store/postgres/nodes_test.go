package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
	"github.com/tolmach/tolmach/internal/store/storetest"
)

// drain takes with several takers on each of two nodes until nothing is left,
// and demands that each of n things was taken once.
func drain(t *testing.T, n int, take func(s *Store) ([]chat.ID, error), nodes ...*Store) {
	t.Helper()
	var mu sync.Mutex
	taken := map[chat.ID]int{}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(taken)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			// Finding none may mean that others hold the rest.
			for tries := 0; count() < n && tries < 10_000; tries++ {
				got, err := take(nodes[i%len(nodes)])
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, id := range got {
					taken[id]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(taken) != n {
		t.Errorf("%d of %d were taken", len(taken), n)
	}
	for id, times := range taken {
		if times != 1 {
			t.Errorf("%d was taken %d times", id, times)
		}
	}
}

func TestTwoNodesShareTheWork(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := started(t, url), started(t, url)
	const n = 120
	talks := make([]chat.ID, n)
	update(t, here, func(tx chat.Tx) (err error) {
		for i := range talks {
			if talks[i], err = talk(tx); err != nil {
				return err
			}
			if err := tx.WakeLane(tenant, hook, talks[i], 1); err != nil {
				return err
			}
			if err := tx.SetTimer(&chat.Timer{TenantID: tenant, ConversationID: talks[i], Kind: chat.TimerLate, DueAt: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	t.Run("lanes", func(t *testing.T) {
		drain(t, n, func(s *Store) (ids []chat.ID, err error) {
			err = s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
				lanes, err := tx.ClaimLanes(tenant, hook, 5, tx.Now().Add(time.Minute))
				ids = nil
				for _, l := range lanes {
					ids = append(ids, l.ConversationID)
				}
				return err
			})
			return ids, err
		}, here, there)
	})
	t.Run("timers", func(t *testing.T) {
		drain(t, n, func(s *Store) (ids []chat.ID, err error) {
			err = s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
				ids = nil
				timer, err := tx.TakeTimer()
				if err != nil {
					return err
				}
				ids = []chat.ID{timer.ConversationID}
				_, err = say(tx, timer.ConversationID)
				return err
			})
			if chat.ErrorCode(err) == chat.CodeNotFound {
				return nil, nil
			}
			return ids, err
		}, here, there)
	})
}

// TestTwoNodesFillTheSameDesk: what one node gives an operator is counted by the
// other.
func TestTwoNodesFillTheSameDesk(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	storetest.StartsAtOnce(t, started(t, url), started(t, url))
}

// TestTimerWaitsForNobody: while somebody works on the conversation its timer
// is passed by, not waited for: whoever works on it may want the timer next.
func TestTimerWaitsForNobody(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := started(t, url), started(t, url)
	busy := newTalk(t, here)
	timer := &chat.Timer{TenantID: tenant, ConversationID: busy, Kind: chat.TimerLate, DueAt: 1}
	update(t, here, func(tx chat.Tx) error { return tx.SetTimer(timer) })
	take := func() error {
		return there.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error { _, err := tx.TakeTimer(); return err })
	}
	open := hold(t, here, func(tx chat.Tx) error { _, err := say(tx, busy); return err })
	if err := take(); chat.ErrorCode(err) != chat.CodeNotFound {
		t.Errorf("beside the open transaction: %v, want none", err)
	}
	if err := open.end(nil); err != nil {
		t.Fatal(err)
	}
	if err := take(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWakingWaitsForTheSettle: an event that is committed while its lane is
// being dropped is not left without one.
func TestWakingWaitsForTheSettle(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s, c := started(t, url), spy(t, url)
	id := newTalk(t, s)
	update(t, s, func(tx chat.Tx) error { return tx.WakeLane(tenant, hook, id, 1) })
	var lane *chat.Lane
	settle := hold(t, s, func(tx chat.Tx) (err error) {
		lane, err = tx.Lane(tenant, hook, id) // and finds no further event
		return err
	}, func(tx chat.Tx) error { return tx.DropLane(lane) })
	var waking sync.WaitGroup
	waking.Go(func() { update(t, s, func(tx chat.Tx) error { return tx.WakeLane(tenant, hook, id, 2) }) })
	waitUntil(t, c, somebodyWaits)
	if err := settle.end(nil); err != nil {
		t.Fatal(err)
	}
	waking.Wait()
	update(t, s, func(tx chat.Tx) error {
		lane, err := tx.Lane(tenant, hook, id)
		if err == nil && lane.NextSeq != 2 {
			err = fmt.Errorf("the lane is at %d, want 2", lane.NextSeq)
		}
		return err
	})
}

// TestDeadlockIsRunAgain: two use cases that lock two rows in opposite orders
// both come through: in transactions of their own one of them runs again, in
// batches of two nodes both may.
func TestDeadlockIsRunAgain(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	nodes := []*Store{started(t, url), started(t, url)}
	t.Run("alone", func(t *testing.T) {
		if runs := crossOver(t, nodes, (*Store).alone); runs < 3 {
			t.Errorf("%d runs, want one of the two to run again", runs)
		}
	})
	t.Run("in batches", func(t *testing.T) {
		if runs := crossOver(t, nodes, (*Store).Update); runs < 3 {
			t.Errorf("%d runs, want one of the two to run again", runs)
		}
	})
}

// crossOver lets two nodes say something in two conversations, in opposite
// orders, and counts the runs.
func crossOver(t *testing.T, nodes []*Store, update func(*Store, context.Context, chat.Priority, func(chat.Tx) error) error) int32 {
	one, other := newTalk(t, nodes[0]), newTalk(t, nodes[0])
	start, err := nodes[0].Horizon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int32
	var met sync.WaitGroup
	met.Add(2)
	var all sync.WaitGroup
	for i, order := range [][2]chat.ID{{one, other}, {other, one}} {
		all.Go(func() {
			first := true
			err := update(nodes[i], context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
				runs.Add(1)
				if _, err := say(tx, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					met.Done()
					met.Wait()
				}
				_, err := say(tx, order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := feed(t, nodes[0], start); len(got) != 4 {
		t.Errorf("%d events, want 4", len(got))
	}
	return runs.Load()
}

// TestFirstOfAKind: what both of two racers find missing and make is made once,
// and both know the same.
func TestFirstOfAKind(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	nodes := []*Store{started(t, url), started(t, url)}
	const racers = 12
	race := func(t *testing.T, fn func(tx chat.Tx) (any, error)) {
		t.Helper()
		got := make([]any, racers)
		var all sync.WaitGroup
		for i := range racers {
			all.Go(func() {
				err := nodes[i%2].Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) (err error) {
					got[i], err = fn(tx)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, v := range got {
			if fmt.Sprint(v) != fmt.Sprint(got[0]) {
				t.Errorf("racers know %v and %v", got[0], v)
			}
		}
	}
	t.Run("client", func(t *testing.T) {
		race(t, func(tx chat.Tx) (any, error) {
			c, err := tx.ClientByExternalID(tenant, 0, "anna")
			if chat.ErrorCode(err) != chat.CodeNotFound {
				return c.ID, err
			}
			id, err := tx.NextID()
			if err != nil {
				return nil, err
			}
			return id, errors.Join(tx.CreateClient(&chat.Client{ID: id, TenantID: tenant}), tx.LinkExternalID(tenant, 0, "anna", id))
		})
	})
	t.Run("secret", func(t *testing.T) {
		race(t, func(tx chat.Tx) (any, error) {
			value, err := tx.Secret("signing")
			if chat.ErrorCode(err) != chat.CodeNotFound {
				return value, err
			}
			id, err := tx.NextID()
			if err != nil {
				return nil, err
			}
			value = bytes.Repeat([]byte{byte(id)}, 4)
			return value, tx.SaveSecret("signing", value)
		})
	})
}

// TestHealthOfAnEndpointIsOneStory: who looks before he saves sees what was
// saved before him, even if it is the first ever.
func TestHealthOfAnEndpointIsOneStory(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s, c := started(t, url), spy(t, url)
	looks := hold(t, s, func(tx chat.Tx) error { _, err := tx.EndpointHealth(); return err })
	var pausing sync.WaitGroup
	pausing.Go(func() {
		update(t, s, func(tx chat.Tx) error {
			return tx.SaveEndpointHealth(&chat.EndpointHealth{EndpointID: hook, TenantID: tenant, Paused: true})
		})
	})
	waitUntil(t, c, somebodyWaits)
	if err := looks.end(nil); err != nil {
		t.Fatal(err)
	}
	pausing.Wait()
}

// TestNodesPrepareOneAfterTheOther: nodes that open an empty database at the
// same time agree on it.
func TestNodesPrepareOneAfterTheOther(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	stores := make([]*Store, 6)
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() {
			var err error
			if stores[i], err = Open(context.Background(), options(url)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range stores {
		if s == nil {
			continue
		}
		if s.Epoch() == "" || s.Epoch() != stores[0].Epoch() {
			t.Errorf("epochs %q and %q", s.Epoch(), stores[0].Epoch())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
