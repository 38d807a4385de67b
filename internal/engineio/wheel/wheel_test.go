package wheel

import (
	"testing"
	"time"
)

type counter struct{ fired []time.Time }

func (c *counter) Due(now time.Time) { c.fired = append(c.fired, now) }

func TestTimersFireOnceAndNeverEarly(t *testing.T) {
	start := time.Unix(0, 0)
	const step = 10 * time.Millisecond
	for _, delay := range []time.Duration{0, time.Millisecond, step, 15 * time.Millisecond, 512 * step, 513 * step, 2000 * step} {
		w := New(start, step)
		var c counter
		var timer Timer
		w.Schedule(&timer, &c, start.Add(delay))
		for now := start; now.Before(start.Add(delay + 10*step)); now = now.Add(step / 2) {
			w.Advance(now)
		}
		if len(c.fired) != 1 || c.fired[0].Before(start.Add(delay)) || c.fired[0].After(start.Add(delay+step)) {
			t.Errorf("delay %v: fired %v", delay, c.fired)
		}
	}
}

func TestScheduleMovesAndStopDisarms(t *testing.T) {
	start := time.Unix(0, 0)
	w := New(start, time.Millisecond)
	var moved, stopped counter
	var a, b Timer
	w.Schedule(&a, &moved, start.Add(time.Millisecond))
	w.Schedule(&a, &moved, start.Add(20*time.Millisecond))
	w.Schedule(&b, &stopped, start.Add(time.Millisecond))
	w.Stop(&b)
	w.Stop(&b)
	w.Advance(start.Add(19 * time.Millisecond))
	if len(moved.fired) != 0 || len(stopped.fired) != 0 {
		t.Fatal("fired too early")
	}
	w.Advance(start.Add(time.Hour)) // a pause of many turns
	if len(moved.fired) != 1 || len(stopped.fired) != 0 {
		t.Fatalf("moved %d, stopped %d", len(moved.fired), len(stopped.fired))
	}
}
