package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// eventTries are the gaps between the tries of an ill event (specs/delivery.md).
var eventTries = []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

func TestAMessageIsDelivered(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.say("shop", "ann", "a1")
		w.pass(0)
		w.say("shop", "ann", "a2")
		w.say("shop", "ann", "a3")
		w.pass(0)
		if got := w.receiver.arrived("ann"); got != "a1 a2 a3" {
			t.Errorf("the receiver got %q", got)
		}
		if n := w.lanes("hook"); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
		for _, d := range w.deliveries("hook", "") {
			if d.State != chat.DeliveryDelivered || d.Attempts != 1 || d.LastStatus != 200 {
				t.Errorf("the log has %+v", d)
			}
		}
	})
}

func TestACallCarriesWhatTheOwnerSet(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) {
		s.Integrations[0].Secret = "whsec_b2xk"
		s.Integrations[0].Headers = map[string]string{"X-Team": "blue", "tolmach-gap": "forged"}
	}
	inWorld(t, edit, func(w *world) {
		w.setup.Integrations[0].Secret = "whsec_bmV3"
		w.apply()
		w.say("shop", "ann", "a1")
		w.pass(0)
		calls := w.receiver.seen(nil)
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		c := calls[0].Call
		log := w.deliveries("hook", "")
		if c.URL != "http://hook.test/in" || c.ID != log[0].WebhookID || c.ContentType != "application/json" || c.Timeout != 15*time.Second {
			t.Errorf("the call is %+v, the log has %q", c, log[0].WebhookID)
		}
		if want := []string{"whsec_bmV3", "whsec_b2xk"}; !slices.Equal(c.Secrets, want) {
			t.Errorf("signed with %q, want both secrets while one replaces the other", c.Secrets)
		}
		if c.Headers["X-Team"] != "blue" {
			t.Errorf("headers are %v", c.Headers)
		}
	})
}

func TestARefusedEventIsTriedAndParkedAndTheLaneGoesOn(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(s sent) int {
			if s.Text == "bad" {
				return 422
			}
			return 200
		})
		w.say("shop", "ann", "bad")
		w.say("shop", "ann", "good")
		w.pass(20 * time.Minute)

		bad := w.receiver.seen(func(s sent) bool { return s.Text == "bad" })
		if got := gaps(bad, w.start); !reflect.DeepEqual(got, eventTries) {
			t.Errorf("tried after %v, want %v", got, eventTries)
		}
		for _, s := range bad {
			if s.Call.ID != bad[0].Call.ID || !bytes.Equal(s.Call.Body, bad[0].Call.Body) {
				t.Errorf("a try differs from the first: %+v", s.Call)
			}
		}
		parked := w.deliveries("hook", chat.DeliveryParked)
		if len(parked) != 1 || parked[0].Attempts != 6 || parked[0].LastStatus != 422 {
			t.Errorf("parked is %+v", parked)
		}
		good := w.receiver.seen(func(s sent) bool { return s.Text == "good" })
		if len(good) != 1 || good[0].Call.Headers["Tolmach-Gap"] != bad[0].Call.ID {
			t.Errorf("the next event was %+v; it must tell the gap", good)
		}
		if good[0].At.Before(bad[5].At) {
			t.Errorf("the next event overtook the ill one")
		}
		w.say("shop", "ann", "later")
		w.pass(0)
		if last := w.receiver.seen(nil); last[len(last)-1].Call.Headers["Tolmach-Gap"] != "" {
			t.Errorf("a gap was told twice")
		}
	})
}

func TestAReceiverThatFailsForOneConversationDelaysNoOther(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 503, 404} {
		inWorld(t, nil, func(w *world) {
			w.receiver.answers(func(s sent) int {
				if s.Client == "ill" {
					return status
				}
				return 200
			})
			w.say("shop", "ill", "x") // fails first, with nothing to speak for the endpoint
			w.pass(0)
			for range 40 {
				w.say("shop", "ann", "a")
				w.say("shop", "bob", "b")
				w.pass(0)
				w.pass(500 * time.Millisecond)
			}
			w.pass(20 * time.Minute)
			for _, s := range w.receiver.seen(func(s sent) bool { return s.Client != "ill" }) {
				if late := s.At.Sub(w.start) % (500 * time.Millisecond); late != 0 {
					t.Fatalf("%d: %s was told %v late", status, s.Client, late)
				}
			}
			if got := gaps(w.receiver.seen(of("ill")), w.start); !reflect.DeepEqual(got, eventTries) {
				t.Errorf("%d: the ill one was tried after %v, want %v", status, got, eventTries)
			}
			if parked := w.deliveries("hook", chat.DeliveryParked); len(parked) != 1 {
				t.Errorf("%d: parked is %+v", status, parked)
			}
		})
	}
}

func TestALoneFailingLaneBacksOffAsTheEndpointAndIsNotParked(t *testing.T) {
	t.Parallel()
	inWorld(t, nil, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a1")
		w.pass(90 * time.Minute)
		got := gaps(w.receiver.seen(nil), w.start)
		want := []time.Duration{0, 1, 2, 5, 15, 30, 60, 60, 60, 60}
		for i := range want {
			if want[i] *= time.Second; got[i] != want[i] {
				t.Fatalf("tried after %v, want %v…", got[:len(want)], want)
			}
		}
		if last := got[len(got)-1]; last != 5*time.Minute {
			t.Errorf("after an hour it was tried every %v, want 5m", last)
		}
		if parked := w.deliveries("hook", chat.DeliveryParked); len(parked) != 0 {
			t.Errorf("parked: %+v", parked)
		}
	})
}

func TestAnEventPastTheHorizonIsParkedUnsentAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) {
		s.Integrations[0].Retry = &chat.Retry{Endpoint: []chat.Duration{chat.Duration(2 * time.Hour)}}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.answers(func(sent) int { return 500 })
		w.say("shop", "ann", "a1")
		w.pass(72 * time.Hour)
		tries := len(w.receiver.seen(nil))
		if parked := w.deliveries("hook", chat.DeliveryParked); len(parked) != 0 || tries != 37 {
			t.Fatalf("within the horizon: %d tries, parked %+v", tries, parked)
		}
		w.pass(2 * time.Hour)
		parked := w.deliveries("hook", chat.DeliveryParked)
		if len(parked) != 1 || !strings.Contains(parked[0].LastError, "older than 72h") || len(w.receiver.seen(nil)) != tries {
			t.Errorf("past the horizon: %+v", parked)
		}
		w.receiver.answers(func(sent) int { return 200 })
		if n, err := w.Replay(context.Background(), w.actor(), chat.DeliveryFilter{EndpointID: w.endpoint("hook").ID}); n != 1 || err != nil {
			t.Fatalf("replayed %d, %v", n, err)
		}
		w.pass(0)
		calls := w.receiver.seen(nil)
		if last := calls[len(calls)-1]; last.Class != delivery.Delivered || !bytes.Equal(last.Call.Body, calls[0].Call.Body) {
			t.Errorf("the replay was %+v", last)
		}
	})
}

func TestAnEventThatCantBeEncodedIsParkedWithItsReason(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"unencodable", "panic"} {
		inWorld(t, nil, func(w *world) {
			w.say("shop", "ann", text)
			w.say("shop", "ann", "next")
			w.pass(0)
			parked := w.deliveries("hook", chat.DeliveryParked)
			if len(parked) != 1 || parked[0].Attempts != 0 || !strings.Contains(parked[0].LastError, "the body can't be made") {
				t.Errorf("%s: parked is %+v", text, parked)
			}
			if got := w.receiver.arrived("ann"); got != "next" {
				t.Errorf("%s: the receiver got %q", text, got)
			}
		})
	}
}

// counting encodes the same work differently each time.
type counting struct{ n *atomic.Int64 }

func (c counting) Encode(w *chat.Work) ([]byte, error) {
	body, err := plain{}.Encode(w)
	return append(body, bytes.Repeat([]byte(" "), int(c.n.Add(1)))...), err
}

func TestEveryTrySendsTheSameBytes(t *testing.T) {
	t.Parallel()
	edit := func(_ *chat.Setup, o *delivery.Options) {
		o.Formats = map[string]delivery.Format{"native": counting{new(atomic.Int64)}}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.answers(func(sent) int { return 400 })
		w.say("shop", "ann", "a1")
		w.pass(10 * time.Second)
		w.restart()
		w.pass(time.Minute)
		calls := w.receiver.seen(nil)
		if len(calls) != 4 {
			t.Fatalf("%d tries", len(calls))
		}
		for _, s := range calls {
			if !bytes.Equal(s.Call.Body, calls[0].Call.Body) || s.Call.ID != calls[0].Call.ID {
				t.Errorf("a try differs: %q, first %q", s.Call.Body, calls[0].Call.Body)
			}
		}
	})
}

func TestRetryAfterIsHonouredUpToAnHour(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		20 * time.Second: 20 * time.Second, // longer than the schedule's step
		2 * time.Hour:    time.Hour,
		time.Millisecond: time.Second, // never sooner than the step
	} {
		for _, status := range []int{503, 422, 429} {
			inWorld(t, nil, func(w *world) {
				w.receiver.replies(func(sent) (int, time.Duration, time.Duration) { return status, 0, asked })
				w.say("shop", "ann", "a1")
				w.pass(want)
				if got := gaps(w.receiver.seen(nil), w.start); got[1] != want {
					t.Errorf("%d with Retry-After %v was tried again after %v, want %v", status, asked, got[1], want)
				}
			})
		}
	}
}

func TestTheLogHasOneLinePerAttemptAndNoText(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) { s.Integrations[0].URL = "http://hook.test/in?token=hush" }
	inWorld(t, edit, func(w *world) {
		tries := 0
		w.receiver.answers(func(sent) int {
			if tries++; tries == 1 {
				return 422
			}
			return 200
		})
		w.say("shop", "ann", "my-secret-words")
		w.pass(10 * time.Second)
		lines := w.logs.of("delivery.attempted")
		if len(lines) != 2 {
			t.Fatalf("%d lines for two attempts", len(lines))
		}
		for i, want := range []map[string]any{
			{"endpoint": "acme/hook", "class": "refused", "state": "retrying", "status": 422.0, "attempt": 1.0, "error": "answered 422", "event_ill": true},
			{"endpoint": "acme/hook", "class": "delivered", "state": "delivered", "status": 200.0, "attempt": 2.0},
		} {
			for k, v := range want {
				if lines[i][k] != v {
					t.Errorf("line %d has %s=%v, want %v", i, k, lines[i][k], v)
				}
			}
			for _, k := range []string{"endpoint_id", "conversation", "seq", "webhook_id", "took_ms"} {
				if _, ok := lines[i][k]; !ok {
					t.Errorf("line %d lacks %s", i, k)
				}
			}
		}
		if lines[0]["retry_at"] == nil {
			t.Errorf("the failure's line lacks retry_at")
		}
		if all := w.logs.raw.String(); strings.Contains(all, "my-secret-words") || strings.Contains(all, "hush") {
			t.Errorf("the log tells secrets: %s", all)
		}
	})
}

func TestTheObserverIsToldOfEveryAttempt(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	edit := func(_ *chat.Setup, o *delivery.Options) {
		o.Observe.Attempt = func(endpoint, outcome string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(endpoint, " ", outcome, " ", took))
		}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.replies(func(s sent) (int, time.Duration, time.Duration) {
			if s.Text == "bad" && time.Since(w.start) < time.Second {
				return 404, 20 * time.Millisecond, 0
			}
			return 200, 30 * time.Millisecond, 0
		})
		w.say("shop", "ann", "bad")
		w.pass(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"acme/hook refused 20ms", "acme/hook delivered 30ms"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestTheOwnersScheduleReplacesTheBuiltIn(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) {
		s.Integrations[0].Retry = &chat.Retry{
			Event:    []chat.Duration{chat.Duration(2 * time.Second), chat.Duration(3 * time.Second)},
			Endpoint: []chat.Duration{chat.Duration(4 * time.Second), chat.Duration(70 * time.Second)},
		}
	}
	inWorld(t, edit, func(w *world) {
		w.receiver.answers(func(s sent) int {
			if s.Client == "ill" {
				return 400
			}
			return 500
		})
		w.say("shop", "ill", "x")
		w.pass(time.Minute)
		if got, want := gaps(w.receiver.seen(nil), w.start), []time.Duration{0, 2 * time.Second, 3 * time.Second}; !reflect.DeepEqual(got, want) {
			t.Errorf("the event was tried after %v, want %v", got, want)
		}
		begin := time.Now()
		w.say("shop", "ann", "a1")
		w.pass(65 * time.Minute) // the built-in schedule slows down after an hour
		got := gaps(w.receiver.seen(of("ann")), begin)
		if got[1] != 4*time.Second || got[2] != 70*time.Second || got[len(got)-1] != 70*time.Second {
			t.Errorf("the endpoint was tried after %v … %v", got[:3], got[len(got)-1])
		}
	})
}
