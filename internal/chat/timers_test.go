package chat_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// TestTimersFireOnce: two loops over one database fire each timer once, in
// time, and end when they are told to.
func TestTimersFireOnce(t *testing.T) {
	t.Parallel()
	w := settled(t, hub.New())
	const talks, late = 20, 5
	var all []*talk
	for range talks {
		k := w.talk(t, "shop")
		k.says("hello")
		a := chat.Answer{Messages: said("now")}
		for i := range late {
			a.Late = append(a.Late, chat.LateAnswer{After: chat.Duration(time.Duration(i+1) * time.Second), Messages: said("later")})
		}
		k.must(k.reply(a))
		all = append(all, k)
	}
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- w.RunTimers(ctx) }()
	}
	f := follow(all[0], 3)
	w.clock.advance(time.Hour)
	for _, k := range all {
		follower := f
		if k != all[0] {
			follower = follow(k, 3)
		}
		follower.upTo(t, 4, 3+late)
		follower.end(t)
	}
	stop()
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
	w.fire(t)
	for _, k := range all {
		if got := k.conv().Messages; got != 2+late {
			t.Errorf("%d messages, want %d", got, 2+late)
		}
	}
}

// TestTimersWakeWhenSet: a loop that sleeps is woken by a timer that is due
// before what it waits for.
func TestTimersWakeWhenSet(t *testing.T) {
	t.Parallel()
	w := settled(t, hub.New())
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.RunTimers(ctx) }()
	for range 5 {
		k := w.talk(t, "shop")
		k.says("hello")
		f := follow(k, 2)
		k.must(k.reply(chat.Answer{Messages: said("now"), Late: []chat.LateAnswer{{Messages: said("at once")}}}))
		f.upTo(t, 3, 4)
		f.end(t)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestTimersEndWithTheirContext, whatever the store says.
func TestTimersEndWithTheirContext(t *testing.T) {
	t.Parallel()
	w := settled(t, hub.New())
	w.shut()
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.RunTimers(ctx) }()
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the timers of a closed store go on")
	}
}

// TestTimersOfWhatIsGone pass away: the task was removed from the settings.
func TestTimersOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "site")
	k.says("hello")
	later := company("acme", "")
	later.Tasks = nil
	if _, err := w.Apply(w.ctx, owner, []chat.Setup{later}, chat.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	other := w.talk(t, "site")
	w.apply(t, company("acme", ""))
	other.says("hello")
	w.pass(t, 2*time.Hour)
	other.expect(2, "closed: expired")
}
