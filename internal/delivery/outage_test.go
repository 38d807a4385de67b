package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// trouble is what is wrong with a store.
type trouble int

const (
	none   trouble = iota
	undone         // use cases run, and no commit comes about
	unsaid         // the commits are done, and their answers are lost
)

// outage is a store that can be in trouble.
type outage struct {
	chat.Store

	mu   sync.Mutex
	is   trouble
	once bool // only the next commit is in trouble
}

func (o *outage) begin(is trouble, once bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.is, o.once = is, once
}

func (o *outage) end() { o.begin(none, false) }

func (o *outage) now() trouble {
	o.mu.Lock()
	defer o.mu.Unlock()
	is := o.is
	if o.once {
		o.is = none
	}
	return is
}

func (o *outage) Update(ctx context.Context, p chat.Priority, fn func(tx chat.Tx) error) error {
	refusal := &chat.Error{Code: chat.CodeUnavailable, Message: "the store is in trouble"}
	switch o.now() {
	case undone:
		return o.Store.Update(ctx, p, func(tx chat.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return refusal
		})
	case unsaid:
		if err := o.Store.Update(ctx, p, fn); err != nil {
			return err
		}
		return refusal
	default:
		return o.Store.Update(ctx, p, fn)
	}
}

// backlog leaves messages to be delivered by the next engine.
func (w *world) backlog() {
	w.t.Helper()
	w.stop()
	for _, text := range []string{"a1", "a2", "a3"} {
		for _, client := range []string{"ann", "bob", "cid"} {
			w.say("shop", client, text)
		}
	}
	w.serve()
}

func (w *world) wantArrived(want string, clients ...string) {
	w.t.Helper()
	for _, client := range clients {
		if got := texts(w.receiver.seen(of(client))); got != want {
			w.t.Errorf("for %s came %q, want %q", client, got, want)
		}
	}
}

func TestAClaimThatWasNotCommittedIsNobodys(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.backlog()
		w.outage.begin(undone, false)
		w.run()
		w.pass(10 * time.Second)
		w.wantArrived("", "ann", "bob", "cid")
		w.outage.end()
		w.pass(10 * time.Second)
		w.wantArrived("a1 a2 a3", "ann", "bob", "cid")
	})
}

func TestAClaimWhoseAnswerIsLostIsMadeAgainAtOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.backlog()
		w.outage.begin(unsaid, false)
		w.run()
		w.pass(100 * time.Millisecond)
		w.wantArrived("", "ann", "bob", "cid")
		w.outage.end()
		w.pass(5 * time.Second)
		w.wantArrived("a1 a2 a3", "ann", "bob", "cid")
	})
}

func TestAnOutageLongerThanEveryClaimRepeatsNothing(t *testing.T) {
	t.Parallel()
	often := func(_ *chat.Setup, o *delivery.Options) { o.Sweep = 100 * time.Millisecond } // to be the first when it is over
	inWorld(t, often, func(w *world) {
		w.backlog()
		w.receiver.answers(func(s sent) int {
			if s.Client == "ann" && s.Text == "a2" {
				w.outage.begin(undone, false)
			}
			return 200
		})
		w.run()
		w.pass(2 * time.Minute)
		if got := w.receiver.arrived("ann"); got != "a1 a2" {
			t.Fatalf("while the outcome of a2 is not stored came %q", got)
		}
		w.outage.end()
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(5 * time.Second)
		w.wantArrived("a1 a2 a3", "ann", "bob", "cid")
		if left := w.lanes("hook"); left != 0 {
			t.Errorf("%d lanes are left", left)
		}
	})
}

func TestAStopInAnOutageEndsAndTheNextProcessSendsWhatWasInFlight(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int {
			w.outage.begin(undone, false)
			return 200
		})
		w.say("shop", "ann", "a1")
		w.pass(time.Minute)
		w.wantArrived("a1", "ann")
		begin := time.Now()
		go func() {
			time.Sleep(30 * time.Second) // the engine must have ended by then
			w.outage.end()
		}()
		w.stop()
		if took := time.Since(begin); took >= 30*time.Second {
			t.Errorf("the stop took %v", took)
		}
		w.pass(time.Minute)
		w.receiver.answers(func(sent) int { return 200 })
		w.serve()
		w.run()
		w.pass(time.Minute)
		w.wantArrived("a1 a1", "ann")
	})
}

func TestASettlementWhoseAnswerIsLostIsRecordedOnceAndTheLaneGoesOn(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		first := true
		w.receiver.answers(func(s sent) int {
			if first {
				first = false
				w.outage.begin(unsaid, true)
			}
			return 200
		})
		w.backlog()
		w.run()
		w.pass(5 * time.Second)
		w.wantArrived("a1 a2 a3", "ann", "bob", "cid")
		for _, d := range w.deliveries("hook", "") {
			if d.Attempts != 1 {
				t.Errorf("%d tries are recorded of %s", d.Attempts, d.WebhookID)
			}
		}
	})
}

func TestAFailureWhoseRecordIsInDoubtCountsOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(s sent) int {
			w.outage.begin(unsaid, true)
			return 400
		})
		w.say("shop", "ann", "a1")
		w.pass(time.Hour)
		parked := w.deliveries("hook", chat.DeliveryParked)
		if calls := len(w.receiver.seen(nil)); calls != 6 || len(parked) != 1 || parked[0].Attempts != 6 {
			t.Errorf("%d calls and the log has %+v, want the 6 tries of the schedule", calls, parked)
		}
	})
}

func TestAnAnswerWhoseCommitIsInDoubtIsShownOnceAndTheLaneGoesOn(t *testing.T) {
	t.Parallel()
	for name, is := range map[string]trouble{"stored": unsaid, "not stored": undone} {
		t.Run(name, func(t *testing.T) {
			inBotWorld(t, nil, func(w *world, b *thinker) {
				first := true
				b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
					if first {
						first = false
						w.outage.begin(is, true)
					}
					return echo(ctx, q)
				})
				w.stop()
				w.say("shop", "ann", "a1")
				a := w.say("shop", "ann", "a2")
				w.serve()
				w.run()
				w.pass(5 * time.Second)
				w.wantTold(a.ConversationID, "a1 a2 re:a1 re:a2")
				var asked []string
				for _, q := range b.questions() {
					asked = append(asked, q.Text)
				}
				if got := strings.Join(asked, " "); got != "a1 a2" {
					t.Errorf("asked %q", got)
				}
			})
		})
	}
}
