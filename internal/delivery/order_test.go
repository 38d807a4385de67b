package delivery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

func TestOrderHoldsForManyConversationsWithAFlappingReceiver(t *testing.T) {
	t.Parallel()
	const talks, messages = 200, 4
	inWorld(t, nil, func(w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		w.receiver.replies(func(s sent) (int, time.Duration, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			took := time.Duration(random.IntN(40)) * time.Millisecond
			down := time.Since(w.start)/(3*time.Second)%2 == 1
			if down || random.IntN(10) == 0 {
				return 503, took, 0
			}
			return 200, took, 0
		})
		var want []string
		for m := range messages {
			want = append(want, fmt.Sprintf("m%d", m))
			for i := range talks {
				w.say("shop", fmt.Sprintf("client%d", i), want[m])
			}
			w.pass(700 * time.Millisecond)
		}
		w.pass(20 * time.Minute)
		parked := len(w.deliveries("hook", chat.DeliveryParked))
		for i := range talks {
			got := strings.Fields(w.receiver.arrived(fmt.Sprintf("client%d", i)))
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("client%d got %q", i, got)
			}
			parked -= messages - len(got)
		}
		if parked != 0 || w.receiver.overlaps != 0 {
			t.Errorf("%d more events are parked than did not arrive; %d overlaps of a lane's calls", parked, w.receiver.overlaps)
		}
		w.receiver.answers(func(sent) int { return 200 })
		if _, err := w.Replay(context.Background(), w.actor(), chat.DeliveryFilter{}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		for i := range talks {
			got := strings.Fields(w.receiver.arrived(fmt.Sprintf("client%d", i)))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("after the replay client%d has %q", i, got)
			}
		}
	})
}

func TestNothingIsLostOrReorderedOverStops(t *testing.T) {
	t.Parallel()
	const talks, messages = 20, 12
	inWorld(t, func(_ *chat.Setup, o *delivery.Options) { o.Grace = 20 * time.Millisecond }, func(w *world) {
		w.receiver.replies(func(s sent) (int, time.Duration, time.Duration) {
			return 200, time.Duration(s.Seq%7) * 10 * time.Millisecond, 0
		})
		var want string
		for m := range messages {
			text := fmt.Sprintf("m%d", m)
			want += " " + text
			for i := range talks {
				w.say("shop", fmt.Sprintf("client%d", i), text)
			}
			time.Sleep(15 * time.Millisecond)
			w.restart()
		}
		w.pass(time.Minute)
		for i := range talks {
			if got := w.receiver.arrived(fmt.Sprintf("client%d", i)); got != strings.TrimSpace(want) {
				t.Errorf("client%d got %q, want %q", i, got, want)
			}
		}
		if w.receiver.overlaps != 0 {
			t.Errorf("%d times two calls of one lane were under way", w.receiver.overlaps)
		}
		if n := w.lanes("hook"); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
	})
}

func TestAReceiverDownAcrossARestartGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int { return 502 })
		for _, text := range []string{"m1", "m2", "m3"} {
			w.say("shop", "ann", text)
			w.say("shop", "bob", text)
		}
		w.pass(10 * time.Second)
		w.restart()
		w.say("shop", "ann", "m4")
		w.pass(10 * time.Second)
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(2 * time.Minute)
		if a, b := w.receiver.arrived("ann"), w.receiver.arrived("bob"); a != "m1 m2 m3 m4" || b != "m1 m2 m3" {
			t.Errorf("came %q and %q", a, b)
		}
	})
}

func TestClaimsOfAKilledProcessAreFreedByItsSuccessor(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.stop()
		w.say("shop", "ann", "a1")
		ctx := context.Background()
		lanes, err := w.ClaimLanes(ctx, w.endpoint("hook"), 10, time.Minute)
		if err != nil || len(lanes) != 1 {
			t.Fatalf("claimed %v, %v", lanes, err)
		}
		if err := w.ReleaseLanes(ctx); err != nil {
			t.Fatal(err)
		}
		w.serve()
		w.run()
		w.pass(0)
		if got := w.receiver.arrived("ann"); got != "a1" {
			t.Errorf("after the restart came %q", got)
		}
	})
}

func TestASweepFindsWhatNobodyAnnounced(t *testing.T) {
	t.Parallel()
	inWorld(t, func(_ *chat.Setup, o *delivery.Options) { o.Sweep = 500 * time.Millisecond }, func(w *world) {
		w.pass(0)
		silent, err := chat.New(context.Background(), chat.Options{
			Store: w.store, Bus: deafBus{}, Waker: delivery.New(delivery.Options{}), Bots: w.engine,
			Passwords: noPasswords{}, Formats: []string{"native"},
		})
		if err != nil {
			t.Fatal(err)
		}
		told := w.Service
		w.Service = silent
		w.say("shop", "ann", "a1")
		w.Service = told
		w.pass(600 * time.Millisecond)
		if got := w.receiver.arrived("ann"); got != "a1" {
			t.Errorf("within a sweep came %q", got)
		}
	})
}

type deafBus struct{ chat.Bus }

func (deafBus) Publish(chat.Notice) {}

func TestLanesOfOneEndpointShareItsPlaces(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) { s.Integrations[1].MaxInflight = 3 }
	inWorld(t, edit, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, time.Second, 0 })
		for i := range 40 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
			w.say("other", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(30 * time.Second)
		if got := w.receiver.most["http://hook.test/in"]; got != 16 {
			t.Errorf("at most %d calls at once, want the default 16", got)
		}
		if got := w.receiver.most["http://spare.test/in"]; got != 3 {
			t.Errorf("at most %d calls at once, want 3", got)
		}
		if n := len(w.receiver.seen(nil)); n != 80 {
			t.Errorf("%d of 80 were told", n)
		}
	})
}

func TestARateIsKept(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) { s.Integrations[0].Rate = 20 }
	inWorld(t, edit, func(w *world) {
		for i := range 100 {
			w.say("shop", fmt.Sprintf("client%d", i%30), "x")
		}
		w.pass(10 * time.Second)
		calls := w.receiver.seen(nil)
		if len(calls) != 100 {
			t.Fatalf("%d of 100 were told", len(calls))
		}
		for i := range calls {
			if i >= 20 {
				if d := calls[i].At.Sub(calls[i-20].At); d < 900*time.Millisecond {
					t.Fatalf("20 calls within %v at 20 a second", d)
				}
			}
		}
		if all := calls[99].At.Sub(calls[0].At); all > 6*time.Second {
			t.Errorf("100 calls took %v at 20 a second", all)
		}
	})
}

func TestALongLaneLetsOthersIn(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) { s.Integrations[0].MaxInflight = 1 }
	inWorld(t, edit, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, 100 * time.Millisecond, 0 })
		for range 100 {
			w.say("shop", "chatty", "x")
		}
		w.say("shop", "ann", "a1")
		w.pass(20 * time.Second)
		ann := w.receiver.seen(of("ann"))
		if len(ann) != 1 {
			t.Fatalf("ann was told %d times", len(ann))
		}
		if late := ann[0].At.Sub(w.start); late > 3*time.Second {
			t.Errorf("ann waited %v behind a long lane", late)
		}
		if n := len(w.receiver.seen(of("chatty"))); n != 100 {
			t.Errorf("the long lane sent %d of 100", n)
		}
	})
}

func TestASlowExchangeOutlastsNoClaim(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, 14 * time.Second, 0 })
		var want []string
		for i := range 20 {
			text := fmt.Sprintf("m%d", i)
			want = append(want, text)
			w.say("shop", "ann", text)
		}
		for i := range 60 { // more lanes than places
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(20 * time.Minute)
		if got := w.receiver.arrived("ann"); got != strings.Join(want, " ") {
			t.Errorf("ann got %q", got)
		}
		if n := len(w.receiver.seen(nil)); n != 80 || w.receiver.overlaps != 0 {
			t.Errorf("%d calls for 80 messages, %d overlaps", n, w.receiver.overlaps)
		}
	})
}

func TestALaneThatWaitedPastItsClaimIsNotSentUnderIt(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, o *delivery.Options) {
		s.Integrations[0].MaxInflight = 2
		o.Sweep = 500 * time.Millisecond
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, 14 * time.Second, 0 })
		for range 20 { // each lane runs for longer than a claim lasts
			for i := range 4 {
				w.say("shop", fmt.Sprintf("client%d", i), "x")
			}
		}
		w.pass(15 * time.Minute)
		if n := len(w.receiver.seen(nil)); n != 80 || w.receiver.overlaps != 0 {
			t.Errorf("%d calls for 80 messages, %d overlaps", n, w.receiver.overlaps)
		}
	})
}

func TestAnInterruptedCallIsNobodysFault(t *testing.T) {
	t.Parallel()
	edit := func(_ *chat.Setup, o *delivery.Options) { o.Grace = 2 * time.Second }
	inWorld(t, edit, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, 14 * time.Second, 0 })
		w.say("shop", "ann", "a1")
		w.pass(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("the stop took %v, the grace is 2s", took)
		}
		w.receiver.answers(func(sent) int { return 200 })
		w.serve()
		w.run()
		w.pass(0)
		if got := w.receiver.arrived("ann"); got != "a1" {
			t.Errorf("at once after the restart came %q", got)
		}
		if health, err := w.Health(context.Background()); err != nil || slices.ContainsFunc(health, func(h chat.EndpointHealth) bool { return h.Paused || h.FailingSince != 0 }) {
			t.Errorf("the interruption was remembered as an illness: %+v, %v", health, err)
		}
	})
}

func TestACallThatEndsWithinTheGraceIsSettled(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 200, 3 * time.Second, 0 })
		w.say("shop", "ann", "a1")
		w.say("shop", "ann", "a2")
		w.pass(time.Second)
		w.stop()
		w.serve()
		w.run()
		w.pass(time.Minute)
		if got := texts(w.receiver.seen(nil)); got != "a1 a2" {
			t.Errorf("called for %q", got)
		}
	})
}
