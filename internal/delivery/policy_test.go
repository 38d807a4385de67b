package delivery

import (
	"fmt"
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

func TestWhoIsIll(t *testing.T) {
	const a, b, c = chat.ID(1), chat.ID(2), chat.ID(3)
	ok, bad, no, busy := Outcome{Class: Delivered, Status: 200}, Outcome{Status: 500}, Outcome{Class: Refused, Status: 404}, Outcome{Status: 429}
	type try struct {
		at     time.Duration
		lane   chat.ID
		failed int
		o      Outcome
	}
	event := func(wait time.Duration) verdict {
		return verdict{state: chat.DeliveryRetrying, wait: wait, counts: true}
	}
	endpoint := func(wait time.Duration) verdict { return verdict{state: chat.DeliveryRetrying, wait: wait} }
	parked := verdict{state: chat.DeliveryParked}

	for name, tc := range map[string]struct {
		before []try
		last   try
		want   verdict
		state  State
	}{
		"another lane succeeded in the last minute: the event": {
			[]try{{0, b, 0, ok}}, try{time.Minute, a, 0, bad}, event(time.Second), Healthy,
		},
		"another lane's success is older: suspect": {
			[]try{{0, b, 0, ok}}, try{time.Minute + 1000, a, 0, bad}, endpoint(time.Second), Suspect,
		},
		"its own success does not speak for the endpoint": {
			[]try{{0, a, 0, ok}}, try{time.Second, a, 0, bad}, endpoint(time.Second), Suspect,
		},
		"a success of another before its own does": {
			[]try{{0, b, 0, ok}, {time.Second, a, 0, ok}}, try{2 * time.Second, a, 0, bad}, event(time.Second), Healthy,
		},
		"a network error is judged like a 5xx": {
			[]try{{0, b, 0, ok}}, try{time.Second, a, 0, Outcome{}}, event(time.Second), Healthy,
		},
		"the same lane again: still suspect, longer": {
			[]try{{0, a, 0, bad}}, try{time.Second, a, 0, bad}, endpoint(2 * time.Second), Suspect,
		},
		"a second lane fails: ill, held by the endpoint": {
			[]try{{0, a, 0, bad}}, try{time.Second, b, 0, bad}, endpoint(0), Ill,
		},
		"what the suspicion was about turns out to be the event's: its second step": {
			[]try{{0, a, 0, bad}, {0, b, 0, ok}}, try{time.Second, a, 0, bad}, event(5 * time.Second), Healthy,
		},
		"and its last try is one earlier": {
			[]try{{0, a, 0, bad}, {0, b, 0, ok}}, try{time.Second, a, 4, bad}, parked, Healthy,
		},
		"an event known to be ill stays ill when the others fall silent": {
			[]try{{0, b, 0, ok}, {time.Second, a, 0, bad}}, try{time.Hour, a, 3, bad}, event(2 * time.Minute), Healthy,
		},
		"until another lane fails as well": {
			[]try{{0, b, 0, ok}, {time.Second, a, 0, bad}, {time.Hour, a, 3, bad}}, try{time.Hour, c, 0, bad}, endpoint(0), Ill,
		},
		"429 is about the endpoint, whoever succeeded": {
			[]try{{0, b, 0, ok}}, try{time.Second, a, 0, busy}, endpoint(0), Ill,
		},
		"another 4xx is about the event": {
			nil, try{0, a, 0, no}, event(time.Second), Healthy,
		},
		"the last step of an event": {
			nil, try{0, a, 4, no}, event(10 * time.Minute), Healthy,
		},
		"after the last step it is parked": {
			nil, try{0, a, 5, no}, parked, Healthy,
		},
		"410 pauses and keeps the event": {
			nil, try{0, a, 0, Outcome{Class: Gone, Status: 410}}, endpoint(0), Paused,
		},
		"a failure that was under way when the endpoint fell ill costs nothing": {
			[]try{{0, a, 0, bad}, {0, b, 0, bad}}, try{time.Second, c, 0, bad}, endpoint(0), Ill,
		},
		"a success ends the illness gently": {
			[]try{{0, a, 0, bad}, {0, b, 0, bad}}, try{time.Second, c, 0, ok}, verdict{state: chat.DeliveryDelivered}, Recovering,
		},
		"a refusal ends it too: somebody is there": {
			[]try{{0, a, 0, bad}, {0, b, 0, bad}}, try{time.Second, c, 0, no}, event(time.Second), Recovering,
		},
		"a success ends a suspicion at once": {
			[]try{{0, a, 0, bad}}, try{time.Second, c, 0, ok}, verdict{state: chat.DeliveryDelivered}, Healthy,
		},
		"five days of nothing but failure pause": {
			[]try{{0, a, 0, bad}}, try{5 * 24 * time.Hour, a, 0, bad}, endpoint(5 * time.Minute), Paused,
		},
		"five days with a success do not": {
			[]try{{0, a, 0, bad}, {time.Hour, a, 0, ok}}, try{5 * 24 * time.Hour, a, 0, bad}, endpoint(time.Second), Suspect,
		},
	} {
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

func TestSchedule(t *testing.T) {
	steady := func() float64 { return 0 }
	built, own := scheduleOf(nil, steady), scheduleOf(&chat.Retry{
		Event: []chat.Duration{chat.Duration(time.Minute)}, Endpoint: []chat.Duration{chat.Duration(time.Second), chat.Duration(3 * time.Second)},
	}, steady)
	type event struct {
		n     int
		asked time.Duration
		want  time.Duration
		ok    bool
	}
	for _, c := range []event{
		{0, 0, time.Second, true}, {1, 0, 5 * time.Second, true}, {2, 0, 30 * time.Second, true}, {3, 0, 2 * time.Minute, true},
		{4, 0, 10 * time.Minute, true}, {5, 0, 0, false}, {0, time.Minute, time.Minute, true}, {0, 3 * time.Hour, time.Hour, true},
		{4, time.Minute, 10 * time.Minute, true}, {5, time.Minute, 0, false},
	} {
		if got, ok := built.eventWait(c.n, c.asked); got != c.want || ok != c.ok {
			t.Errorf("event %d, asked %v: %v, %v", c.n, c.asked, got, ok)
		}
	}
	if got, ok := own.eventWait(0, 0); got != time.Minute || !ok {
		t.Errorf("own event step: %v", got)
	}
	if _, ok := own.eventWait(1, 0); ok {
		t.Errorf("own schedule of one step goes on")
	}
	for i, want := range []time.Duration{1, 2, 5, 15, 30, 60, 60, 60} {
		if got := built.endpointWait(i, 0, 0); got != want*time.Second {
			t.Errorf("endpoint %d: %v, want %v", i, got, want*time.Second)
		}
	}
	if got := built.endpointWait(0, time.Hour, 0); got != 5*time.Minute {
		t.Errorf("after an hour: %v", got)
	}
	if got := own.endpointWait(9, 2*time.Hour, 0); got != 3*time.Second {
		t.Errorf("own schedule after an hour: %v", got)
	}
	if got := built.endpointWait(0, 0, 2*time.Hour); got != time.Hour {
		t.Errorf("Retry-After of two hours: %v", got)
	}
}

func TestJitterOnlyAdds(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 10 * time.Second, 0.5: 11 * time.Second, 0.999999: 12 * time.Second} {
		s := scheduleOf(nil, func() float64 { return random })
		if got := s.late(10 * time.Second).Round(time.Millisecond); got != want {
			t.Errorf("%v became %v with %v", 10*time.Second, got, random)
		}
	}
}

func TestPace(t *testing.T) {
	for name, c := range map[string]struct {
		rate    float64
		recover bool
		seconds int
		want    []int // calls in each second, at least; at most one burst more
	}{
		"unlimited":              {0, false, 1, []int{5000}},
		"a rate":                 {50, false, 3, []int{50, 50, 50}},
		"a rate below one":       {0.5, false, 4, []int{1, 0, 1, 0}},
		"gentle":                 {0, true, 7, []int{5, 5, 10, 10, 20, 20, 40}},
		"gentle up to its rate":  {12, true, 7, []int{5, 5, 10, 10, 12, 12, 12}},
		"slower than the ramp":   {3, true, 2, []int{3, 3}},
		"gentle in the end free": {0, true, 17, []int{5, 5, 10, 10, 20, 20, 40, 40, 80, 80, 160, 160, 320, 320, 640, 640, 5000}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pace{rate: c.rate}
			if c.recover {
				p.recover(moment(0))
			}
			got := make([]int, c.seconds)
			for ms := range c.seconds * 1000 {
				now := moment(time.Duration(ms) * time.Millisecond)
				for range 5 {
					if n, again := p.room(now); n == 0 {
						if again <= now {
							t.Fatalf("no room at %v, and to ask again at %v", now, again)
						}
						break
					}
					p.take(now)
					got[ms/1000]++
				}
			}
			for i, want := range c.want {
				if slack := 1 + want/5; got[i] < want-1 || got[i] > want+slack {
					t.Errorf("second %d: %d calls, want %d (all: %v)", i, got[i], want, got)
				}
			}
		})
	}
}

func TestRememberedHealth(t *testing.T) {
	e := &endpoint{Endpoint: chat.Endpoint{ID: 7, TenantID: 3}}
	bad, ok := Outcome{Status: 500}, Outcome{Class: Delivered}
	h := healthy()
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
	h.judge(moment(0), 1, 0, ok)
	wantSaved("a success", 0, false)
	h.judge(moment(0), 1, 0, bad)
	wantSaved("a failure among successes", time.Second, false)
	if is := wantSaved("a failure of a minute", time.Minute, true); is.FailingSince != moment(0) || is.EndpointID != 7 || is.TenantID != 3 {
		t.Errorf("saved %+v", is)
	}
	h.judge(moment(time.Hour), 2, 0, bad)
	wantSaved("known already", time.Hour, false)
	h.judge(moment(2*time.Hour), 2, 0, ok)
	if is := wantSaved("well again", 2*time.Hour, true); is.FailingSince != 0 || is.LastOK != moment(2*time.Hour) {
		t.Errorf("saved %+v", is)
	}
	h.judge(moment(3*time.Hour), 1, 0, bad)
	h.judge(moment(3*time.Hour), 2, 0, bad)
	wantSaved("ill", 3*time.Hour, true)
	h.judge(moment(4*time.Hour), 2, 0, Outcome{Class: Gone})
	if h.adopt(chat.EndpointHealth{FailingSince: moment(3 * time.Hour)}) || h.stateAt(moment(4*time.Hour)) != Paused {
		t.Errorf("a pause was undone by a store that does not know it yet")
	}
	if is := wantSaved("paused", 4*time.Hour, true); !is.Paused || is.Reason == "" {
		t.Errorf("saved %+v", is)
	}
	if !h.adopt(chat.EndpointHealth{}) || h.stateAt(moment(5*time.Hour)) != Healthy {
		t.Errorf("a resumption was not taken over")
	}
	if h = newHealth(chat.EndpointHealth{FailingSince: moment(0)}); h.stateAt(moment(time.Hour)) != Suspect {
		t.Errorf("a failing endpoint begins %s", h.stateAt(moment(time.Hour)))
	}
}

func TestWarningsComeDaily(t *testing.T) {
	const day = 24 * time.Hour
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

func TestBreaker(t *testing.T) {
	b := &breaker{}
	fail := func(at time.Duration, conversation int) { b.judge(moment(at), chat.ID(conversation), false) }
	want := func(at time.Duration, state State, room int) {
		t.Helper()
		if got := b.stateAt(moment(at)); got != state {
			t.Errorf("at %v the bot is %s, want %s", at, got, state)
		}
		if n, _ := b.room(moment(at), 0); n != room {
			t.Errorf("at %v there is room for %d, want %d", at, n, room)
		}
		if got := b.available(moment(at)); got != (state == Healthy || state == Suspect) {
			t.Errorf("at %v available is %v", at, got)
		}
	}
	for i := range 20 {
		fail(0, i%(openAfter-1)) // the same few conversations
	}
	want(0, Healthy, botInflight)
	b.judge(moment(0), 1, true)
	fail(0, 9)
	want(0, Healthy, botInflight)
	for i := range openAfter {
		fail(0, i)
	}
	want(0, Ill, botInflight) // what was asked passes on, unasked
	fail(time.Second, 77)
	want(openFor-1000, Ill, botInflight)
	want(openFor, Suspect, 1)
	fail(openFor, 1)
	want(openFor+2*openFor-1000, Ill, botInflight)
	want(openFor+2*openFor, Suspect, 1)
	b.judge(moment(3*openFor), 1, true)
	want(3*openFor, Healthy, botInflight)
	if b.adopt(chat.EndpointHealth{Paused: true}); b.stateAt(moment(0)) != Paused {
		t.Errorf("a paused bot is %s", b.stateAt(moment(0)))
	}
	if !b.adopt(chat.EndpointHealth{}) {
		t.Errorf("a resumption was not taken over")
	}
}

func TestTheBreakerOpensForTenMinutesAtMost(t *testing.T) {
	b := &breaker{}
	for i := range openAfter {
		b.judge(moment(0), chat.ID(i), false)
	}
	for range 20 {
		at := b.until
		b.judge(at, 1, false)
		if got := b.until.Sub(at); got > openMost {
			t.Fatalf("open for %v", got)
		}
	}
	if b.span != openMost {
		t.Errorf("in the end it opens for %v", b.span)
	}
}

func TestMomentsOfALine(t *testing.T) {
	l := &line{}
	for _, at := range []int{5, 3, 0, 9, 3} {
		l.soon(chat.Micros(at))
	}
	if got := fmt.Sprint(l.dueAt); got != "[3 5 9]" {
		t.Fatalf("moments are %s", got)
	}
	if l.pass(2); l.due {
		t.Errorf("due before its time")
	}
	if l.pass(5); !l.due || l.next() != 9 {
		t.Errorf("due %v, next %v", l.due, l.next())
	}
	if l.again = 7; l.next() != 7 {
		t.Errorf("next is %v", l.next())
	}
	for i := range 2 * maxKnownDue {
		l.soon(chat.Micros(100 + i))
	}
	if len(l.dueAt) > maxKnownDue {
		t.Errorf("%d moments are kept", len(l.dueAt))
	}
}
