package delivery

import (
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// moment is a time in a table, counted from an hour after the epoch.
func moment(d time.Duration) chat.Micros { return chat.MicrosOf(time.Unix(3600, 0).Add(d)) }

func healthy() *health {
	h := newHealth(chat.EndpointHealth{})
	h.configure(&chat.Integration{}, func() float64 { return 0 })
	return h
}

// tried is one outcome of a lane at a moment.
type tried struct {
	at     time.Duration
	lane   chat.ID
	failed int
	o      Outcome
}

// status is the outcome that a status stands for.
func status(code int) Outcome {
	classes := map[int]Class{200: Delivered, 404: Refused, 410: Gone}
	return Outcome{Status: code, Class: classes[code]}
}

// event is the verdict that the event is ill, endpoint that the endpoint is.
func event(wait time.Duration) verdict {
	return verdict{state: chat.DeliveryRetrying, wait: wait, counts: true}
}

func endpointIll(wait time.Duration) verdict {
	return verdict{state: chat.DeliveryRetrying, wait: wait}
}

// judged is what an outcome must lead to, after others.
type judged struct {
	before []tried
	last   tried
	want   verdict
	state  State
}

func judgeAll(t *testing.T, cases map[string]judged) {
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			h := healthy()
			for _, p := range tc.before {
				h.judge(moment(p.at), p.lane, p.failed, p.o)
			}
			got := h.judge(moment(tc.last.at), tc.last.lane, tc.last.failed, tc.last.o)
			if got != tc.want {
				t.Errorf("the verdict is %+v, want %+v", got, tc.want)
			}
			if state := h.stateAt(moment(tc.last.at)); state != tc.state {
				t.Errorf("the endpoint is %s, want %s", state, tc.state)
			}
		})
	}
}

func TestWhoIsIll(t *testing.T) {
	judgeAll(t, map[string]judged{
		"another lane succeeded in the last minute: the event": {
			[]tried{{0, 2, 0, status(200)}}, tried{time.Minute, 1, 0, status(500)}, event(time.Second), Healthy,
		},
		"another lane's success is older: suspect": {
			[]tried{{0, 2, 0, status(200)}}, tried{time.Minute + 1000, 1, 0, status(500)}, endpointIll(time.Second), Suspect,
		},
		"its own success does not speak for the endpoint": {
			[]tried{{0, 1, 0, status(200)}}, tried{time.Second, 1, 0, status(500)}, endpointIll(time.Second), Suspect,
		},
		"a success of another before its own does": {
			[]tried{{0, 2, 0, status(200)}, {time.Second, 1, 0, status(200)}}, tried{2 * time.Second, 1, 0, status(500)}, event(time.Second), Healthy,
		},
		"a network error is judged like a 5xx": {
			[]tried{{0, 2, 0, status(200)}}, tried{time.Second, 1, 0, Outcome{}}, event(time.Second), Healthy,
		},
		"the same lane again: still suspect, longer": {
			[]tried{{0, 1, 0, status(500)}}, tried{time.Second, 1, 0, status(500)}, endpointIll(2 * time.Second), Suspect,
		},
		"a second lane fails: ill, held by the endpoint": {
			[]tried{{0, 1, 0, status(500)}}, tried{time.Second, 2, 0, status(500)}, endpointIll(0), Ill,
		},
		"what the suspicion was about turns out to be the event's: its second step": {
			[]tried{{0, 1, 0, status(500)}, {0, 2, 0, status(200)}}, tried{time.Second, 1, 0, status(500)}, event(5 * time.Second), Healthy,
		},
		"and its last try is one earlier": {
			[]tried{{0, 1, 0, status(500)}, {0, 2, 0, status(200)}}, tried{time.Second, 1, 4, status(500)}, verdict{state: chat.DeliveryParked}, Healthy,
		},
		"an event known to be ill stays ill when the others fall silent": {
			[]tried{{0, 2, 0, status(200)}, {time.Second, 1, 0, status(500)}}, tried{time.Hour, 1, 3, status(500)}, event(2 * time.Minute), Healthy,
		},
		"until another lane fails as well": {
			[]tried{{0, 2, 0, status(200)}, {time.Second, 1, 0, status(500)}, {time.Hour, 1, 3, status(500)}}, tried{time.Hour, 3, 0, status(500)}, endpointIll(0), Ill,
		},
		"429 is about the endpoint, whoever succeeded": {
			[]tried{{0, 2, 0, status(200)}}, tried{time.Second, 1, 0, status(429)}, endpointIll(0), Ill,
		},
	})
}

func TestWhatBecomesOfTheIll(t *testing.T) {
	judgeAll(t, map[string]judged{
		"another 4xx is about the event": {
			nil, tried{0, 1, 0, status(404)}, event(time.Second), Healthy,
		},
		"the last step of an event": {
			nil, tried{0, 1, 4, status(404)}, event(10 * time.Minute), Healthy,
		},
		"after the last step it is parked": {
			nil, tried{0, 1, 5, status(404)}, verdict{state: chat.DeliveryParked}, Healthy,
		},
		"410 pauses and keeps the event": {
			nil, tried{0, 1, 0, status(410)}, endpointIll(0), Paused,
		},
		"a failure that was under way when the endpoint fell ill costs nothing": {
			[]tried{{0, 1, 0, status(500)}, {0, 2, 0, status(500)}}, tried{time.Second, 3, 0, status(500)}, endpointIll(0), Ill,
		},
		"a success ends the illness gently": {
			[]tried{{0, 1, 0, status(500)}, {0, 2, 0, status(500)}}, tried{time.Second, 3, 0, status(200)}, verdict{state: chat.DeliveryDelivered}, Recovering,
		},
		"a refusal ends it too: somebody is there": {
			[]tried{{0, 1, 0, status(500)}, {0, 2, 0, status(500)}}, tried{time.Second, 3, 0, status(404)}, event(time.Second), Recovering,
		},
		"a success ends a suspicion at once": {
			[]tried{{0, 1, 0, status(500)}}, tried{time.Second, 3, 0, status(200)}, verdict{state: chat.DeliveryDelivered}, Healthy,
		},
		"five days of nothing but failure pause": {
			[]tried{{0, 1, 0, status(500)}}, tried{5 * 24 * time.Hour, 1, 0, status(500)}, endpointIll(5 * time.Minute), Paused,
		},
		"five days with a success do not": {
			[]tried{{0, 1, 0, status(500)}, {time.Hour, 1, 0, status(200)}}, tried{5 * 24 * time.Hour, 1, 0, status(500)}, endpointIll(time.Second), Suspect,
		},
	})
}

func TestManyLanesThatFailInARowOutweighAFreshSuccess(t *testing.T) {
	h := healthy()
	h.judge(moment(0), 99, 0, Outcome{Class: Delivered})
	for lane := chat.ID(1); lane < illDespiteOK; lane++ {
		if v := h.judge(moment(time.Second), lane, 0, Outcome{Status: 500}); !v.counts {
			t.Fatalf("lane %d was held to be the endpoint's fault", lane)
		}
	}
	if v := h.judge(moment(time.Second), illDespiteOK, 0, Outcome{Status: 500}); v.counts || h.stateAt(moment(time.Second)) != Ill {
		t.Errorf("lane %d: %+v, the endpoint is %s", illDespiteOK, v, h.stateAt(moment(time.Second)))
	}
}

func TestAnIllEndpointAdmitsOneProbe(t *testing.T) {
	h := healthy()
	h.judge(moment(0), 1, 0, Outcome{Status: 500})
	h.judge(moment(0), 2, 0, Outcome{Status: 500})
	if n, again := h.room(moment(0), 0); n != 0 || again != moment(time.Second) {
		t.Fatalf("room for %d, again at %v", n, again)
	}
	at := moment(time.Second)
	if n, _ := h.room(at, 0); n != 1 {
		t.Fatalf("room for %d probes", n)
	}
	h.start(at, 3)
	if n, again := h.room(at, 1); n != 0 || again != 0 {
		t.Errorf("beside a probe there is room for %d", n)
	}
	h.finish(3) // it had nothing to send
	if n, _ := h.room(at, 0); n != 1 {
		t.Errorf("after an idle probe there is room for %d", n)
	}
	h.start(at, 4)
	h.judge(at, 4, 0, Outcome{Status: 500, RetryAfter: time.Minute})
	h.finish(4)
	if n, again := h.room(at, 0); n != 0 || again != at.Add(time.Minute) {
		t.Errorf("after Retry-After there is room for %d, again at %v", n, again)
	}
}

func TestRememberedHealth(t *testing.T) {
	e := &endpoint{Endpoint: chat.Endpoint{ID: 7, TenantID: 3}}
	h := healthy()
	h.saved.LastOK = moment(0)
	wantSaved := func(what string, at time.Duration, want bool) chat.EndpointHealth {
		t.Helper()
		is, changed := h.unsaved(moment(at), e)
		if changed != want {
			t.Errorf("%s: to be saved %v, want %v: %+v", what, changed, want, is)
		}
		if changed {
			h.wasSaved(is)
		}
		return is
	}
	wantSaved("nothing happened", 0, false)
	h.judge(moment(0), 1, 0, status(200))
	wantSaved("a success", 0, false)
	for _, c := range []struct {
		at    time.Duration
		stale bool
	}{{time.Second, false}, {time.Minute, true}, {time.Minute + time.Second, false}, {2 * time.Minute, true}} {
		h.judge(moment(c.at), 1, 0, status(200))
		if stale := h.stale(); stale != c.stale {
			t.Errorf("a success after %v: to be remembered %v, want %v", c.at, stale, c.stale)
		}
		if c.stale {
			is, _ := h.unsaved(moment(c.at), e)
			h.wasSaved(is)
		}
	}
	h = healthy()
	h.judge(moment(0), 1, 0, status(500))
	wantSaved("a failure among successes", time.Second, false)
	if is := wantSaved("a failure of a minute", time.Minute, true); is.FailingSince != moment(0) || is.EndpointID != 7 || is.TenantID != 3 {
		t.Errorf("saved %+v", is)
	}
	h.judge(moment(time.Hour), 2, 0, status(500))
	wantSaved("known already", time.Hour, false)
	h.judge(moment(2*time.Hour), 2, 0, status(200))
	if is := wantSaved("well again", 2*time.Hour, true); is.FailingSince != 0 || is.LastOK != moment(2*time.Hour) {
		t.Errorf("saved %+v", is)
	}
	h.judge(moment(3*time.Hour), 1, 0, status(500))
	h.judge(moment(3*time.Hour), 2, 0, status(500))
	wantSaved("ill", 3*time.Hour, true)
	h.judge(moment(4*time.Hour), 2, 0, Outcome{Class: Gone})
	if h.adopt(chat.EndpointHealth{FailingSince: moment(3 * time.Hour)}); h.stateAt(moment(4*time.Hour)) != Paused {
		t.Errorf("a pause was undone by a store that does not know it yet")
	}
	if is := wantSaved("paused", 4*time.Hour, true); !is.Paused || is.Reason == "" {
		t.Errorf("saved %+v", is)
	}
	if h.adopt(chat.EndpointHealth{}); h.stateAt(moment(5*time.Hour)) != Healthy {
		t.Errorf("a resumption was not taken over")
	}
	for what, outcome := range map[string]int{"well": 200, "failing": 500} {
		h = healthy()
		h.judge(moment(time.Hour), 1, 0, status(outcome))
		h.adopt(chat.EndpointHealth{EndpointID: 7, TenantID: 3, Paused: true, Reason: "by hand"})
		wantSaved("paused by hand while it was "+what, 2*time.Hour, false)
		if h.stale() {
			t.Errorf("paused by hand while it was %s: its last success is to be saved, and the pause with it", what)
		}
	}
	if h = newHealth(chat.EndpointHealth{FailingSince: moment(0)}); h.stateAt(moment(time.Hour)) != Suspect {
		t.Errorf("a failing endpoint begins %s", h.stateAt(moment(time.Hour)))
	}
}

func TestWarningsComeDaily(t *testing.T) {
	h := newHealth(chat.EndpointHealth{FailingSince: moment(0)})
	var days []int
	for hour := range 120 {
		if since, due := h.warning(moment(time.Duration(hour) * time.Hour)); due {
			if since != moment(0) {
				t.Errorf("failing since %v", since)
			}
			days = append(days, hour/24)
		}
	}
	if !slices.Equal(days, []int{1, 2, 3, 4}) {
		t.Errorf("warned on days %v", days)
	}
}
