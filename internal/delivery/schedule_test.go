package delivery

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

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
