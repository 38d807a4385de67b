package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func transactionTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"an error takes back everything and comes back as it is": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			mine := errors.New("changed my mind")
			err := f.try(func(tx chat.Tx) error {
				if _, err := say(tx, ours, tk.conversation, "never said"); err != nil {
					return err
				}
				return mine
			})
			if !errors.Is(err, mine) {
				t.Fatalf("got error %v, want the use case's own", err)
			}
			equal(t, "seq", read(f, conversationOf(tk)).Seq, int64(0))
			equal(t, "events", len(read(f, eventsOf(tk))), 0)
		},
		"a panic is an error to its caller, and the store goes on": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			err := f.try(func(tx chat.Tx) error {
				if _, err := say(tx, ours, tk.conversation, "never said"); err != nil {
					return err
				}
				panic("a bug")
			})
			if err == nil {
				t.Fatal("a panic was acknowledged")
			}
			f.say(ours, tk.conversation, "said")
			equal(t, "events", len(read(f, eventsOf(tk))), 1)
		},
		"what is acknowledged is seen at once": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			for want := 1; want <= 20; want++ {
				f.say(ours, tk.conversation, "hello")
				equal(t, "events", len(read(f, eventsOf(tk))), want)
			}
		},
		"a view is one state whatever is committed meanwhile": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			err := f.store.View(context.Background(), func(r chat.Reader) error {
				before, err := r.Conversation(ours, tk.conversation)
				if err != nil {
					return err
				}
				f.say(ours, tk.conversation, "meanwhile")
				after, err := r.Conversation(ours, tk.conversation)
				if err != nil {
					return err
				}
				events, err := r.Events(ours, tk.conversation, 0, 10)
				equal(t, "seq", after.Seq, before.Seq)
				equal(t, "events", len(events), 0)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
		"a transaction reads what it wrote": func(t *testing.T, f *fixture) {
			seq := write(f, func(tx chat.Tx) (int64, error) {
				tk, err := newTalk(tx, ours, 0, "")
				if err != nil {
					return 0, err
				}
				if _, err := say(tx, ours, tk.conversation, "hello"); err != nil {
					return 0, err
				}
				entry, err := tx.Event(ours, tk.conversation, 1)
				if err != nil {
					return 0, err
				}
				return entry.Seq, nil
			})
			equal(t, "seq", seq, int64(1))
		},
		"ids rise from 1 and none comes twice": func(t *testing.T, f *fixture) {
			last := chat.ID(0)
			for round := range 30 {
				var ids []chat.ID
				err := f.try(func(tx chat.Tx) error {
					ids = nil
					for range 101 {
						id, err := tx.NextID()
						if err != nil {
							return err
						}
						ids = append(ids, id)
					}
					if round%3 == 2 {
						return errors.New("ids of a rolled back transaction are nobody's")
					}
					return nil
				})
				if err != nil {
					continue
				}
				for _, id := range ids {
					if id <= last || id >= 1<<53 {
						t.Fatalf("id %d after %d", id, last)
					}
					last = id
				}
			}
		},
		"a caller that has left is told of his own context": func(t *testing.T, f *fixture) {
			ctx, leave := context.WithCancel(context.Background())
			leave()
			err := f.store.Update(ctx, chat.PriorityNormal, func(chat.Tx) error { return nil })
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v, want the context's", err)
			}
			err = f.store.Update(context.Background(), chat.PriorityBulk, func(chat.Tx) error { return nil })
			if err != nil {
				t.Fatalf("the next use case: %v", err)
			}
		},
		"bulk work is done too": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			err := f.store.Update(context.Background(), chat.PriorityBulk, func(tx chat.Tx) error {
				_, err := say(tx, ours, tk.conversation, "in bulk")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "events", len(read(f, eventsOf(tk))), 1)
		},
	}
}

func conversationOf(tk talk) func(chat.Reader) (*chat.Conversation, error) {
	return func(r chat.Reader) (*chat.Conversation, error) { return r.Conversation(ours, tk.conversation) }
}

func eventsOf(tk talk) func(chat.Reader) ([]chat.Entry, error) {
	return func(r chat.Reader) ([]chat.Entry, error) { return r.Events(ours, tk.conversation, 0, 10_000) }
}
