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

// block makes the first integration stop at a parked event, and quick to park.
func block(s *chat.Setup, _ *delivery.Options) {
	s.Integrations[0].OnPark = "block"
	s.Integrations[0].Retry = &chat.Retry{Event: []chat.Duration{chat.Duration(time.Second)}}
}

// quick parks after one retry.
func quick(s *chat.Setup, _ *delivery.Options) {
	s.Integrations[0].Retry = &chat.Retry{Event: []chat.Duration{chat.Duration(time.Second)}}
}

// replay queues what f selects and wants it to be n events.
func (w *world) replay(n int, f chat.DeliveryFilter) {
	w.t.Helper()
	f.EndpointID = w.endpoint("hook").ID
	got, err := w.Replay(context.Background(), w.actor(), f)
	if err != nil || got != n {
		w.t.Fatalf("replayed %d, %v; want %d", got, err, n)
	}
}

// refuses makes the receiver refuse these texts.
func (w *world) refuses(list ...string) {
	w.receiver.answers(func(s sent) int {
		if slices.Contains(list, s.Text) {
			return 400
		}
		return 200
	})
}

func TestABlockedLaneWaitsForItsParkedEvent(t *testing.T) {
	t.Parallel()
	inWorld(t, block, func(w *world) {
		w.refuses("m2")
		for i := range 4 {
			w.say("shop", "ann", fmt.Sprintf("m%d", i+1))
		}
		w.say("shop", "bob", "b1")
		w.pass(time.Hour)
		if a, b := w.receiver.arrived("ann"), w.receiver.arrived("bob"); a != "m1" || b != "b1" {
			t.Errorf("blocked at m2 came %q, and %q to bob", a, b)
		}
		w.replay(1, chat.DeliveryFilter{}) // still refused
		w.pass(time.Hour)
		if a := w.receiver.arrived("ann"); a != "m1" {
			t.Errorf("parked again, came %q", a)
		}
		w.refuses()
		w.replay(1, chat.DeliveryFilter{})
		w.pass(0)
		if a := w.receiver.arrived("ann"); a != "m1 m2 m3 m4" {
			t.Errorf("after the replay came %q", a)
		}
		if n := w.lanes("hook"); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
	})
}

func TestReplayingWhatWasDeliveredLeavesABlockedLaneBlocked(t *testing.T) {
	t.Parallel()
	inWorld(t, block, func(w *world) {
		w.refuses("m3")
		for i := range 4 {
			w.say("shop", "ann", fmt.Sprintf("m%d", i+1))
		}
		w.pass(time.Minute)
		w.refuses("m1", "m3")
		w.replay(2, chat.DeliveryFilter{State: chat.DeliveryDelivered}) // m1 parks on its way, m2 goes again
		w.pass(time.Minute)
		if a := w.receiver.arrived("ann"); a != "m1 m2 m2" {
			t.Errorf("came %q", a)
		}
		w.refuses()
		w.replay(2, chat.DeliveryFilter{})
		w.pass(time.Minute)
		if a := w.receiver.arrived("ann"); a != "m1 m2 m2 m1 m3 m4" {
			t.Errorf("in the end came %q", a)
		}
	})
}

func TestReplaysGoInOrderBeforeAnythingNew(t *testing.T) {
	t.Parallel()
	inWorld(t, quick, func(w *world) {
		w.refuses("m1", "m3")
		for i := range 4 {
			w.say("shop", "ann", fmt.Sprintf("m%d", i+1))
		}
		w.pass(time.Minute)
		w.stop()
		w.serve()
		w.say("shop", "ann", "m5")
		w.replay(2, chat.DeliveryFilter{})
		w.refuses()
		w.run()
		w.pass(time.Minute)
		if a := w.receiver.arrived("ann"); a != "m2 m4 m1 m3 m5" {
			t.Errorf("came %q", a)
		}
		for _, d := range w.deliveries("hook", "") {
			if d.State != chat.DeliveryDelivered {
				t.Errorf("the log has %+v", d)
			}
		}
	})
}

func TestReplayBySelection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter func(w *world, a, b chat.Accepted) chat.DeliveryFilter
		want   [2]string
		n      int
	}{
		"endpoint": {func(*world, chat.Accepted, chat.Accepted) chat.DeliveryFilter { return chat.DeliveryFilter{} }, [2]string{"a1 a2 a3", "b1"}, 4},
		"conversation": {func(_ *world, _, b chat.Accepted) chat.DeliveryFilter {
			return chat.DeliveryFilter{ConversationID: b.ConversationID}
		}, [2]string{"", "b1"}, 1},
		"event": {func(_ *world, a, _ chat.Accepted) chat.DeliveryFilter {
			return chat.DeliveryFilter{ConversationID: a.ConversationID, FromSeq: a.Seq, ToSeq: a.Seq}
		}, [2]string{"a1", ""}, 1},
		"range": {func(_ *world, a, _ chat.Accepted) chat.DeliveryFilter {
			return chat.DeliveryFilter{ConversationID: a.ConversationID, FromSeq: a.Seq + 1}
		}, [2]string{"a2 a3", ""}, 2},
		"time": {func(_ *world, _, b chat.Accepted) chat.DeliveryFilter { return chat.DeliveryFilter{From: b.At} }, [2]string{"", "b1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, quick, func(w *world) {
				w.receiver.answers(func(sent) int { return 400 })
				a := w.say("shop", "ann", "a1")
				w.say("shop", "ann", "a2")
				w.say("shop", "ann", "a3")
				w.pass(time.Minute)
				b := w.say("shop", "bob", "b1")
				w.pass(time.Minute)
				w.refuses()
				w.replay(c.n, c.filter(w, a, b))
				w.pass(0)
				if got := [2]string{w.receiver.arrived("ann"), w.receiver.arrived("bob")}; got != c.want {
					t.Errorf("came %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	edit := func(_ *chat.Setup, o *delivery.Options) { o.Retention = 24 * time.Hour }
	inWorld(t, edit, func(w *world) {
		w.say("shop", "ann", "a1")
		w.pass(23 * time.Hour)
		if n := len(w.deliveries("hook", "")); n != 1 {
			t.Fatalf("%d deliveries are remembered within the retention", n)
		}
		w.pass(3 * time.Hour)
		if n := len(w.deliveries("hook", "")); n != 0 {
			t.Errorf("%d deliveries outlived the retention", n)
		}
	})
}

func TestStatsTellTheBacklog(t *testing.T) {
	t.Parallel()
	inWorld(t, func(_ *chat.Setup, o *delivery.Options) { o.Sweep = 500 * time.Millisecond }, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		for i := range 20 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(20 * time.Second)
		for _, s := range w.engine.Stats() {
			switch s.Label {
			case "acme/hook":
				age := time.Since(s.OldestDue)
				if s.State != delivery.Ill || s.Lanes != 20 || s.Kind != chat.EndpointIntegration || age < 19*time.Second || age > 20*time.Second {
					t.Errorf("hook: %+v, oldest %v ago", s, age)
				}
			case "acme/spare":
				if s.State != delivery.Healthy || s.Lanes != 0 || !s.OldestDue.IsZero() {
					t.Errorf("spare: %+v", s)
				}
			}
		}
	})
}

func TestNewSettingsAreTakenOver(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.setup.Integrations[0].URL = "http://moved.test/in"
		w.setup.Integrations = append(w.setup.Integrations, chat.Integration{
			Name: "third", Format: "native", URL: "http://third.test/in", Events: []string{chat.AllMessages},
		})
		w.setup.Tasks[0].Integrations = []string{"hook", "third"}
		w.apply()
		w.say("shop", "ann", "a1")
		w.pass(0)
		var urls []string
		for _, s := range w.receiver.seen(nil) {
			urls = append(urls, s.Call.URL)
		}
		slices.Sort(urls)
		if want := []string{"http://moved.test/in", "http://third.test/in"}; !slices.Equal(urls, want) {
			t.Errorf("called %q, want %q", urls, want)
		}
	})
}
