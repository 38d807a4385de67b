package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// parallel runs fn n times at once and returns what each came to.
func parallel(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = fn(i) })
	}
	all.Wait()
	return errs
}

func noErrors(t *testing.T, errs []error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func parallelTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"40 writers number without gaps and time rises per client": numbering,
		"one failure in a batch spoils nobody's work":              failuresInABatch,
		"one key makes one message":                                oneKey,
	}
}

func numbering(t *testing.T, f *fixture) {
	const writers, each, clients, talks = 40, 20, 2, 2
	var all []talk
	f.update(func(tx chat.Tx) error {
		all = nil
		for range clients {
			var client chat.ID
			for n := range talks {
				tk, err := newTalk(tx, ours, client, fmt.Sprint(n))
				if err != nil {
					return err
				}
				client = tk.client
				all = append(all, tk)
			}
		}
		return nil
	})
	noErrors(t, parallel(writers, func(i int) error {
		for n := range each {
			tk := all[(i+n)%len(all)]
			err := f.try(func(tx chat.Tx) error {
				_, err := say(tx, ours, tk.conversation, fmt.Sprintf("%d/%d", i, n))
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	said := map[string]bool{}
	for _, tk := range all {
		var lastID chat.ID
		for i, e := range read(f, eventsOf(tk)) {
			if e.Seq != int64(i+1) || e.ID <= lastID {
				t.Fatalf("event %d of conversation %d: seq %d, id %d after %d", i+1, tk.conversation, e.Seq, e.ID, lastID)
			}
			if e.Message == nil || said[e.Message.Content.Text] {
				t.Fatalf("event %d has no message of its own: %+v", e.Seq, e.Message)
			}
			said[e.Message.Content.Text], lastID = true, e.ID
		}
	}
	equal(t, "messages", len(said), writers*each)
	for _, tk := range []talk{all[0], all[talks]} {
		entries := read(f, func(r chat.Reader) ([]chat.Entry, error) {
			return r.EventsOfClient(ours, tk.client, channel, 0, writers*each)
		})
		equal(t, "events of the client", len(entries), writers*each/clients)
		for i := range entries[1:] {
			if entries[i+1].At <= entries[i].At {
				t.Fatalf("at %d follows %d", entries[i+1].At, entries[i].At)
			}
		}
	}
}

func failuresInABatch(t *testing.T, f *fixture) {
	const n = 90
	talks := make([]talk, n)
	f.update(func(tx chat.Tx) (err error) {
		for i := range talks {
			if talks[i], err = newTalk(tx, ours, 0, ""); err != nil {
				return err
			}
		}
		return nil
	})
	errs := parallel(n, func(i int) error {
		return f.try(func(tx chat.Tx) error {
			if _, err := say(tx, ours, talks[i].conversation, "hello"); err != nil {
				return err
			}
			switch i % 3 {
			case 1:
				return errors.New("refused after it wrote")
			case 2:
				panic("a bug after it wrote")
			}
			return nil
		})
	})
	for i, err := range errs {
		if kept := i%3 == 0; kept != (err == nil) {
			t.Fatalf("use case %d: %v", i, err)
		}
		want := 0
		if i%3 == 0 {
			want = 1
		}
		equal(t, fmt.Sprintf("events of use case %d", i), len(read(f, eventsOf(talks[i]))), want)
	}
}

func oneKey(t *testing.T, f *fixture) {
	const callers = 100
	tk := f.talkOf(ours)
	made := make([]chat.ID, callers)
	noErrors(t, parallel(callers, func(i int) error {
		return f.store.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
			known, err := tx.Key(ours, "api_key:1", "order-77")
			if err == nil {
				made[i] = known.MessageID
				return nil
			}
			if chat.ErrorCode(err) != chat.CodeNotFound {
				return err
			}
			e, err := say(tx, ours, tk.conversation, "once")
			if err != nil {
				return err
			}
			made[i] = e.MessageID
			return tx.PutKey(&chat.IdempotencyKey{
				TenantID: ours, Scope: "api_key:1", Key: "order-77", ConversationID: tk.conversation, MessageID: e.MessageID,
			})
		})
	}))
	equal(t, "messages", len(read(f, eventsOf(tk))), 1)
	equal(t, "different answers", len(slices.Compact(made)), 1)
}
