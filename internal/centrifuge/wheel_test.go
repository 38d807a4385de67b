package centrifuge

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWheelRingsAtTheRightTick(t *testing.T) {
	epoch := time.Unix(0, 0)
	for _, after := range []time.Duration{0, 1, wheelTick, wheelTick + 1, time.Second, wheelTick * wheelSlots, 3*wheelTick*wheelSlots + 7, time.Hour} {
		w := newWheel(func() time.Time { return epoch })
		rung := 0
		w.schedule(&alarm{ring: func(time.Time) { rung++ }}, epoch.Add(after))
		for at := time.Duration(0); at < after; at += wheelTick {
			w.advance(epoch.Add(at))
		}
		if rung != 0 {
			t.Errorf("an alarm for %v rang early", after)
		}
		w.advance(epoch.Add(after + wheelTick))
		if rung != 1 {
			t.Errorf("an alarm for %v rang %d times, want 1", after, rung)
		}
	}
}

func TestWheelCatchesUpAfterAPause(t *testing.T) {
	epoch := time.Unix(0, 0)
	w := newWheel(func() time.Time { return epoch })
	var rung []int
	for i := range 10 {
		w.schedule(&alarm{ring: func(time.Time) { rung = append(rung, i) }}, epoch.Add(time.Duration(i)*time.Minute))
	}
	if empty := w.advance(epoch.Add(time.Hour)); !empty {
		t.Error("the wheel is not empty after an hour")
	}
	slices.Sort(rung)
	if !slices.Equal(rung, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("rang %v, want each once", rung)
	}
}

func TestWheelCancelAndReschedule(t *testing.T) {
	epoch := time.Unix(0, 0)
	w := newWheel(func() time.Time { return epoch })
	var rung []string
	add := func(name string) *alarm {
		a := &alarm{ring: func(time.Time) { rung = append(rung, name) }}
		w.schedule(a, epoch.Add(time.Second))
		return a
	}
	first, second, third := add("first"), add("second"), add("third")
	w.cancel(second)
	w.cancel(second)
	w.schedule(first, epoch.Add(2*time.Second))
	w.advance(epoch.Add(time.Second))
	if !slices.Equal(rung, []string{"third"}) {
		t.Errorf("after a second %v rang, want the third alone", rung)
	}
	w.advance(epoch.Add(2 * time.Second))
	if !slices.Equal(rung, []string{"third", "first"}) {
		t.Errorf("rang %v, want third, first", rung)
	}
	w.cancel(third)
	if w.count != 0 {
		t.Errorf("%d alarms left, want none", w.count)
	}
}

func TestWheelRunsAndRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { w.run(ctx); close(stopped) }()
		begin := time.Now()
		for range 3 {
			rung := make(chan time.Duration, 1)
			begin = time.Now()
			w.schedule(&alarm{ring: func(now time.Time) { rung <- now.Sub(begin) }}, begin.Add(time.Minute))
			if after := <-rung; after < time.Minute || after > time.Minute+2*wheelTick {
				t.Errorf("an alarm for a minute rang after %v", after)
			}
			<-time.After(time.Hour) // in the bubble's time: the wheel rests
		}
		cancel()
		<-stopped
	})
}
