package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

func TestAnIllEndpointIsProbedByOneHeadAtATimeADifferentOneEachTime(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int { return 503 })
		for i := range 10 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(0)
		if got := w.state("hook"); got != delivery.Ill {
			t.Fatalf("the endpoint is %s", got)
		}
		before := len(w.receiver.seen(nil))
		if before > 16 {
			t.Errorf("%d calls before the endpoint was held", before)
		}
		w.pass(1 * time.Minute) // 1, 3, 8, 23, 53 s
		probes := w.receiver.seen(nil)[before:]
		var who []string
		for _, s := range probes {
			if slices.Contains(who, s.Client) {
				t.Errorf("%s was the probe twice before everybody was once", s.Client)
			}
			who = append(who, s.Client)
		}
		want := []time.Duration{1 * time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second}
		if got := gaps(probes, w.start); !slices.Equal(got, want) {
			t.Errorf("probed after %v, want %v", got, want)
		}
		if parked := w.deliveries("hook", chat.DeliveryParked); len(parked) != 0 {
			t.Errorf("an ill endpoint cost %d events", len(parked))
		}
		for _, l := range []string{"client0", "client9"} {
			w.say("shop", l, "y")
		}
		w.pass(0)
		if got := len(w.receiver.seen(nil)) - before; got != len(probes) {
			t.Errorf("an ill endpoint was called for new messages")
		}
	})
}

func TestCallsUnderWayWhenTheEndpointFallsIllAreNoProbes(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 503, time.Second, 0 })
		for i := range 16 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(90 * time.Second)
		want := []time.Duration{1, 2, 3, 6, 16, 31, 61} // a second of exchange between the waits
		for i := range want {
			want[i] *= time.Second
		}
		got := gaps(w.receiver.seen(func(s sent) bool { return s.At.After(w.start) }), w.start)
		if got[0] != 2*time.Second || !slices.Equal(got[1:], want[2:2+len(got)-1]) {
			t.Errorf("probed after %v", got)
		}
	})
}

func TestRecoveryIsGentle(t *testing.T) {
	t.Parallel()
	const talks = 100
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int { return 503 })
		for i := range talks {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(0)
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(1 * time.Second) // the probe
		if got := w.state("hook"); got != delivery.Recovering {
			t.Fatalf("after the probe the endpoint is %s", got)
		}
		begin := time.Now()
		w.pass(20 * time.Second)
		if n := w.lanes("hook"); n != 0 {
			t.Fatalf("%d lanes are left", n)
		}
		ok := w.receiver.seen(func(s sent) bool { return s.Class == delivery.Delivered })
		for _, c := range []struct {
			from, to time.Duration
			rate     int
		}{{0, 2 * time.Second, 5}, {2 * time.Second, 4 * time.Second, 10}, {4 * time.Second, 6 * time.Second, 20}} {
			n := 0
			for _, s := range ok {
				if at := s.At.Sub(begin); at >= c.from && at < c.to {
					n++
				}
			}
			if most := 2*c.rate + 2; n > most || n < c.rate {
				t.Errorf("%d calls between %v and %v; %d a second are allowed", n, c.from, c.to, c.rate)
			}
		}
		if got := w.state("hook"); got != delivery.Healthy {
			t.Errorf("the endpoint is %s in the end", got)
		}
	})
}

func TestASuspicionThatPassesNeedsNoRecovery(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(s sent) int {
			if s.Client == "ill" {
				return 500
			}
			return 200
		})
		w.say("shop", "ill", "x")
		w.pass(0)
		if got := w.state("hook"); got != delivery.Suspect {
			t.Fatalf("after one failure the endpoint is %s", got)
		}
		for i := range 100 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(0)
		if got := len(w.receiver.seen(func(s sent) bool { return s.Client != "ill" })); got != 100 {
			t.Errorf("%d of 100 were told at once", got)
		}
		if got := w.state("hook"); got != delivery.Healthy {
			t.Errorf("the endpoint is %s", got)
		}
	})
}

func TestASuspectEndpointIsAskedOneAtATime(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ill", "x")
		w.pass(0)
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 500, 5 * time.Second, 0 })
		for i := range 10 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(500 * time.Millisecond)
		w.receiver.mu.Lock()
		defer w.receiver.mu.Unlock()
		if got := w.receiver.inflight["http://hook.test/in"]; got != 1 {
			t.Errorf("%d calls at once to a suspect endpoint", got)
		}
	})
}

func TestADeadEndpointDelaysNoLiveOne(t *testing.T) {
	t.Parallel()
	inWorld(t, func(_ *chat.Setup, o *delivery.Options) { o.Workers = 16 }, func(w *world) {
		w.receiver.replies(func(s sent) (int, time.Duration, time.Duration) {
			if s.Call.URL == "http://hook.test/in" {
				return 200, time.Hour, 0 // never within 15 s
			}
			return 200, 0, 0
		})
		for i := range 100 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		for range 60 {
			w.say("other", "ann", "a")
			w.pass(0)
			w.pass(time.Second)
		}
		spare := w.receiver.seen(func(s sent) bool { return s.Call.URL == "http://spare.test/in" })
		if len(spare) != 60 {
			t.Fatalf("%d of 60 arrived", len(spare))
		}
		for i, s := range spare {
			if at := s.At.Sub(w.start); at != time.Duration(i)*time.Second {
				t.Fatalf("message %d was told at %v", i, at)
			}
		}
	})
}

func TestGonePausesAndResumingGoesOn(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		ctx := context.Background()
		w.receiver.answers(func(sent) int { return 410 })
		w.say("shop", "ann", "a1")
		w.say("shop", "bob", "b1")
		w.pass(0)
		if got := w.state("hook"); got != delivery.Paused {
			t.Fatalf("after 410 the endpoint is %s", got)
		}
		health, err := w.Health(ctx)
		if err != nil || len(health) != 1 || !health[0].Paused || health[0].Reason == "" {
			t.Fatalf("the store remembers %+v, %v", health, err)
		}
		w.say("shop", "ann", "a2")
		calls := len(w.receiver.seen(nil))
		w.restart()
		w.pass(48 * time.Hour)
		if got := len(w.receiver.seen(nil)); got != calls {
			t.Errorf("a paused endpoint was called %d times", got-calls)
		}
		if n := w.lanes("hook"); n != 2 {
			t.Errorf("%d lanes kept their place, want 2", n)
		}
		w.receiver.answers(func(sent) int { return 200 })
		if err := w.PauseEndpoint(ctx, w.actor(), w.endpoint("hook").ID, false, ""); err != nil {
			t.Fatal(err)
		}
		w.pass(0)
		if a, b := w.receiver.arrived("ann"), w.receiver.arrived("bob"); a != "a1 a2" || b != "b1" {
			t.Errorf("after the pause came %q and %q", a, b)
		}
	})
}

func TestAPauseByAPersonHolds(t *testing.T) {
	t.Parallel()
	inWorld(t, func(_ *chat.Setup, o *delivery.Options) { o.Sweep = 500 * time.Millisecond }, func(w *world) {
		ctx := context.Background()
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a1")
		w.say("shop", "bob", "b1")
		w.pass(0)
		if err := w.PauseEndpoint(ctx, w.actor(), w.endpoint("hook").ID, true, "maintenance"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		calls := len(w.receiver.seen(nil))
		w.pass(5 * time.Minute)
		if got := len(w.receiver.seen(nil)); got != calls {
			t.Errorf("a paused endpoint was called %d times", got-calls)
		}
		health, err := w.Health(ctx)
		if err != nil || !health[0].Paused || health[0].Reason != "maintenance" {
			t.Errorf("the pause was written over: %+v, %v", health, err)
		}
	})
}

func TestFiveDaysOfFailurePauseWithWarningsBefore(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	edit := func(s *chat.Setup, o *delivery.Options) {
		o.Horizon = 1000 * day
		s.Integrations[0].Retry = &chat.Retry{Endpoint: []chat.Duration{chat.Duration(time.Hour)}}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a1")
		w.say("shop", "bob", "b1")
		w.pass(2 * day)
		w.restart() // the engine remembers since when
		w.pass(3*day - 2*time.Hour)
		if got := w.state("hook"); got == delivery.Paused {
			t.Fatalf("paused before its time")
		}
		if n := len(w.logs.of("endpoint.failing")); n < 3 || n > 5 {
			t.Errorf("%d warnings in the days before", n)
		}
		w.pass(4 * time.Hour)
		if got := w.state("hook"); got != delivery.Paused {
			t.Errorf("after five days the endpoint is %s", got)
		}
		if n := w.lanes("hook"); n != 2 {
			t.Errorf("%d lanes kept their place", n)
		}
	})
}

func TestASuccessEndsTheCountOfFailingDays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	edit := func(s *chat.Setup, o *delivery.Options) {
		o.Horizon = 1000 * day
		s.Integrations[0].Retry = &chat.Retry{Endpoint: []chat.Duration{chat.Duration(time.Hour)}}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a1")
		w.pass(4 * day)
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(2 * time.Hour)
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a2")
		w.pass(4 * day)
		if got := w.state("hook"); got == delivery.Paused {
			t.Errorf("paused although it succeeded in between")
		}
		health, err := w.Health(context.Background())
		if err != nil || health[0].FailingSince < chat.MicrosOf(w.start.Add(4*day)) {
			t.Errorf("remembered %+v, %v", health, err)
		}
	})
}

func TestTooManyRequestsHoldTheEndpoint(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.say("shop", "ann", "a1")
		w.pass(0) // a success speaks for the endpoint
		w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return 429, 0, 30 * time.Second })
		w.say("shop", "bob", "b1")
		w.pass(0)
		calls := len(w.receiver.seen(nil))
		w.say("shop", "ann", "a2")
		w.pass(29 * time.Second)
		if got := len(w.receiver.seen(nil)); got != calls {
			t.Errorf("called %d times while it had asked for peace", got-calls)
		}
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(5 * time.Second)
		if a, b := w.receiver.arrived("ann"), w.receiver.arrived("bob"); a != "a1 a2" || b != "b1" {
			t.Errorf("then came %q and %q", a, b)
		}
	})
}
