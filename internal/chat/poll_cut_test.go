package chat_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// cutting is a store whose callers are told to end just before they write.
type cutting struct {
	chat.Store
	cut func()
}

// Update implements chat.Store.
func (s cutting) Update(ctx context.Context, p chat.Priority, fn func(tx chat.Tx) error) error {
	s.cut()
	return s.Store.Update(ctx, p, fn)
}

// TestPollCutOff: a poll that is told to end while its cursor moves shows what
// the cursor has moved past: the next one would not.
func TestPollCutOff(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{})
		ctx, cut := context.WithCancel(k.ctx)
		stopping, err := chat.New(k.ctx, chat.Options{
			Store: cutting{w.store, cut}, Bus: hub.New(), Waker: w.woken, Passwords: passwords{}, Bots: w.bots, Log: slog.New(slog.DiscardHandler),
		})
		k.must(err)
		found, err := stopping.Poll(ctx, k.caller(), chat.Poll{ExternalID: k.client, All: true})
		k.must(err)
		equalTexts(t, "the poll that was cut off shows", shown(found), []string{"asked one"})
		k.sees(chat.Poll{All: true})
	})
}
