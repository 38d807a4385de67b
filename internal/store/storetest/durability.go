package storetest

import (
	"context"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func durabilityTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"what was acknowledged is there after reopening": func(t *testing.T, f *fixture) {
			tk := f.talkOf(ours)
			last := f.say(ours, tk.conversation, "before")
			f.wake(tk.conversation)
			claimed := f.claim(1, lease)
			f.setTimers(timer(tk.conversation, chat.TimerLate, "", 10))
			epoch := f.store.Epoch()
			if epoch == "" {
				t.Fatal("the epoch is empty")
			}
			f.stop()
			f.start()
			equal(t, "epoch", f.store.Epoch(), epoch)
			entries := read(f, eventsOf(tk))
			equal(t, "events", entries, []chat.Entry{*last})
			equal(t, "lane", *f.lane(tk.conversation), claimed[0])
			equal(t, "timers", len(f.takeTimers()), 1)
			next := f.say(ours, tk.conversation, "after")
			if next.Seq != 2 || next.At <= last.At || next.ID <= last.ID {
				t.Fatalf("after reopening comes seq %d, at %d, id %d; before were 1, %d, %d", next.Seq, next.At, next.ID, last.At, last.ID)
			}
		},
		"another database has another epoch": func(t *testing.T, f *fixture) {
			other := &fixture{t: t, open: f.open, dir: t.TempDir()}
			other.start()
			defer other.stop()
			if other.store.Epoch() == f.store.Epoch() {
				t.Fatalf("two databases share the epoch %s", f.store.Epoch())
			}
		},
		"a closed store refuses": func(t *testing.T, f *fixture) {
			f.stop()
			nothing := func(chat.Tx) error { return nil }
			f.refused(chat.CodeUnavailable, nothing)
			err := f.store.View(context.Background(), func(chat.Reader) error { return nil })
			equal(t, "View", chat.ErrorCode(err), chat.CodeUnavailable)
		},
	}
}
