package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const lease = time.Minute

func laneTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"waking makes a lane once":                        wakeOnce,
		"a claim is exclusive until its lease is over":    leaseExpiry,
		"every lane is claimed once by parallel claimers": exclusiveClaims,
		"the longest due come first":                      claimOrder,
		"who lost the claim can't touch the lane":         fencing,
		"a lane that came back is fenced from its past":   fencingOverDrop,
		"a blocked lane is due for its replays only":      blockedLane,
		"releasing ends claims and leaves waits":          releaseLanes,
		"replays add up and make due":                     replays,
		"how far an endpoint is behind":                   oldestDue,
	}
}

// claim takes up to limit lanes of the hook for a lease, which may be negative:
// over before it began.
func (f *fixture) claim(limit int, lease time.Duration) []chat.Lane {
	f.t.Helper()
	return write(f, func(tx chat.Tx) ([]chat.Lane, error) {
		return tx.ClaimLanes(ours, hook, limit, tx.Now().Add(lease))
	})
}

func (f *fixture) wake(conversations ...chat.ID) {
	f.t.Helper()
	f.update(func(tx chat.Tx) error {
		for _, c := range conversations {
			if err := tx.WakeLane(ours, hook, c, 1); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *fixture) lane(conversation chat.ID) *chat.Lane {
	f.t.Helper()
	return write(f, func(tx chat.Tx) (*chat.Lane, error) { return tx.Lane(ours, hook, conversation) })
}

func conversationIDs(lanes []chat.Lane) []chat.ID {
	return mapped(lanes, func(l chat.Lane) chat.ID { return l.ConversationID })
}

func wakeOnce(t *testing.T, f *fixture) {
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { _, err := tx.Lane(ours, hook, 1); return err })
	f.update(func(tx chat.Tx) error {
		if err := tx.WakeLane(ours, hook, 1, 5); err != nil {
			return err
		}
		l, err := tx.Lane(ours, hook, 1)
		if err != nil {
			return err
		}
		if want := (chat.Lane{TenantID: ours, EndpointID: hook, ConversationID: 1, NextSeq: 5, DueAt: tx.Now()}); *l != want {
			return fmt.Errorf("a new lane is %+v, want %+v", *l, want)
		}
		return nil
	})
	first := f.lane(1)
	f.update(func(tx chat.Tx) error { return tx.WakeLane(ours, hook, 1, 9) })
	equal(t, "woken again", f.lane(1), first)
	equal(t, "claimed", conversationIDs(f.claim(9, lease)), []chat.ID{1})
}

func leaseExpiry(t *testing.T, f *fixture) {
	f.wake(1)
	first := f.claim(9, -time.Microsecond)
	if len(first) != 1 || !first[0].Claimed {
		t.Fatalf("claimed %+v, want the lane", first)
	}
	equal(t, "stored", *f.lane(1), first[0])
	second := f.claim(9, lease)
	if len(second) != 1 || second[0].Epoch == first[0].Epoch {
		t.Fatalf("after the lease: claimed %+v, want the lane under a new epoch", second)
	}
	equal(t, "claimed while leased", len(f.claim(9, lease)), 0)
	equal(t, "claimed with limit 0", len(f.claim(0, lease)), 0)
}

func exclusiveClaims(t *testing.T, f *fixture) {
	const lanes, claimers, take = 200, 8, 7
	all := make([]chat.ID, lanes)
	for i := range all {
		all[i] = chat.ID(i + 1)
	}
	f.wake(all...)
	var mu sync.Mutex
	claimed, epochs := map[chat.ID]int{}, map[chat.ID]int64{}
	noErrors(t, parallel(claimers, func(int) error {
		for {
			var got []chat.Lane
			err := f.try(func(tx chat.Tx) (err error) {
				got, err = tx.ClaimLanes(ours, hook, take, tx.Now().Add(lease))
				return err
			})
			if err != nil || len(got) == 0 {
				return err
			}
			if len(got) > take {
				return fmt.Errorf("claimed %d lanes, the limit was %d", len(got), take)
			}
			mu.Lock()
			for _, l := range got {
				claimed[l.ConversationID]++
				epochs[l.ConversationID] = l.Epoch
			}
			mu.Unlock()
		}
	}))
	equal(t, "lanes claimed", len(claimed), lanes)
	for c, n := range claimed {
		if n != 1 || epochs[c] == 0 {
			t.Fatalf("lane %d was claimed %d times, last under epoch %d", c, n, epochs[c])
		}
	}
}

func claimOrder(t *testing.T, f *fixture) {
	f.wake(1, 2, 3, 4, 5)
	f.update(func(tx chat.Tx) error {
		for c, due := range map[chat.ID]chat.Micros{1: 500, 2: 100, 3: 300, 4: 200, 5: tx.Now().Add(lease)} {
			l, err := tx.Lane(ours, hook, c)
			if err != nil {
				return err
			}
			l.DueAt = due
			if err := tx.SaveLane(l); err != nil {
				return err
			}
		}
		return nil
	})
	equal(t, "first", conversationIDs(f.claim(2, lease)), []chat.ID{2, 4})
	equal(t, "then", conversationIDs(f.claim(9, lease)), []chat.ID{3, 1})
	equal(t, "in the end", len(f.claim(9, lease)), 0)
}

func fencing(t *testing.T, f *fixture) {
	f.wake(1)
	old := f.claim(9, -time.Microsecond)[0]
	current := f.claim(9, lease)[0]
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveLane(&old) })
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.DropLane(&old) })
	equal(t, "untouched", *f.lane(1), current)
	current.NextSeq, current.Attempts, current.Claimed, current.DueAt = 7, 2, false, 1
	f.update(func(tx chat.Tx) error { return tx.SaveLane(&current) })
	equal(t, "saved", *f.lane(1), current)
	f.update(func(tx chat.Tx) error { return tx.DropLane(&current) })
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { _, err := tx.Lane(ours, hook, 1); return err })
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveLane(&current) })
}

func fencingOverDrop(t *testing.T, f *fixture) {
	f.wake(1)
	old := f.claim(9, -time.Microsecond)[0]
	other := f.claim(9, lease)[0]
	f.update(func(tx chat.Tx) error { return tx.DropLane(&other) })
	f.wake(1)
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveLane(&old) })
	if again := f.claim(9, lease); len(again) != 1 || again[0].Epoch == old.Epoch || again[0].Epoch == other.Epoch {
		t.Fatalf("claimed %+v, want one lane under an epoch of its own", again)
	}
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveLane(&old) })
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.DropLane(&other) })
}

func blockedLane(t *testing.T, f *fixture) {
	f.wake(1, 2)
	f.update(func(tx chat.Tx) error {
		l, err := tx.Lane(ours, hook, 1)
		if err != nil {
			return err
		}
		l.Blocked = true
		return tx.SaveLane(l)
	})
	equal(t, "due beside the blocked one", conversationIDs(f.claim(9, lease)), []chat.ID{2})
	f.update(func(tx chat.Tx) error { return tx.AddReplays(ours, hook, 1, 1, 1) })
	claimed := f.claim(9, lease)
	equal(t, "due for its replay", conversationIDs(claimed), []chat.ID{1})
	l := claimed[0]
	if !l.Blocked || l.Replays != 1 {
		t.Fatalf("claimed %+v, want it blocked with one replay", l)
	}
	l.Replays, l.Claimed, l.DueAt = 0, false, 1
	f.update(func(tx chat.Tx) error { return tx.SaveLane(&l) })
	equal(t, "replayed and still blocked", len(f.claim(9, lease)), 0)
	l.Blocked = false
	f.update(func(tx chat.Tx) error { return tx.SaveLane(&l) })
	equal(t, "unblocked", conversationIDs(f.claim(9, lease)), []chat.ID{1})
}

func releaseLanes(t *testing.T, f *fixture) {
	f.wake(1, 2, 3)
	claimed := f.claim(2, lease)
	waiting := f.lane(3)
	waiting.DueAt = claimed[0].DueAt
	f.update(func(tx chat.Tx) error { return tx.SaveLane(waiting) })
	f.update(func(tx chat.Tx) error { return tx.ReleaseLanes() })
	equal(t, "waits for a later try", f.lane(3), waiting)
	again := f.claim(9, lease)
	equal(t, "released", len(again), 2)
	for _, l := range again {
		if l.ConversationID == 3 || l.Epoch == claimed[0].Epoch {
			t.Fatalf("claimed %+v, want the released lanes under a new epoch", l)
		}
	}
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveLane(&claimed[0]) })
}

func replays(t *testing.T, f *fixture) {
	f.update(func(tx chat.Tx) error { return tx.AddReplays(ours, hook, 1, 8, 2) })
	l := f.lane(1)
	equal(t, "made with", []int64{l.NextSeq, int64(l.Replays)}, []int64{8, 2})
	claimed := f.claim(9, lease)
	equal(t, "due", conversationIDs(claimed), []chat.ID{1})
	f.update(func(tx chat.Tx) error { return tx.AddReplays(ours, hook, 1, 99, 3) })
	want := claimed[0]
	want.Replays = 5
	equal(t, "added to a claimed lane", *f.lane(1), want)

	want.Claimed = false
	f.update(func(tx chat.Tx) error { return tx.SaveLane(&want) }) // waits until the lease would have ended
	equal(t, "waiting", len(f.claim(9, lease)), 0)
	f.update(func(tx chat.Tx) error { return tx.AddReplays(ours, hook, 1, 99, 1) })
	equal(t, "a waiting lane is due", conversationIDs(f.claim(9, lease)), []chat.ID{1})
}

func oldestDue(t *testing.T, f *fixture) {
	behind := func() [2]int64 {
		var due chat.Micros
		var lanes int
		err := f.store.View(context.Background(), func(r chat.Reader) (err error) {
			due, lanes, err = r.OldestDue(ours, hook)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return [2]int64{int64(due), int64(lanes)}
	}
	equal(t, "up to date", behind(), [2]int64{0, 0})
	f.wake(1, 2, 3)
	f.update(func(tx chat.Tx) error {
		var errs []error
		for c, due := range map[chat.ID]chat.Micros{1: 300, 2: 200, 3: 100} {
			l, err := tx.Lane(ours, hook, c)
			if err != nil {
				return err
			}
			l.DueAt, l.Blocked = due, c == 3
			errs = append(errs, tx.SaveLane(l))
		}
		return errors.Join(errs...)
	})
	equal(t, "behind", behind(), [2]int64{200, 3})
	f.update(func(tx chat.Tx) error {
		l, err := tx.Lane(ours, hook, 3)
		if err != nil {
			return err
		}
		l.Replays = 1
		return tx.SaveLane(l)
	})
	equal(t, "with a replay on the blocked lane", behind(), [2]int64{100, 3})
}
