package centrifuge

import (
	"context"
	"sync"
	"time"
)

const (
	wheelTick  = 50 * time.Millisecond
	wheelSlots = 1024
)

// wheel is the timer all connections share: one goroutine and one ticker, and
// none while no connection waits for anything. Times are kept to a tick.
type wheel struct {
	now   func() time.Time
	start time.Time

	mu    sync.Mutex
	done  int64 // the last tick whose alarms were taken out
	rung  int64 // the last tick whose alarms have all rung
	count int
	slots [wheelSlots]*alarm
	wake  chan struct{} // tells run that count left zero
}

// alarm is one connection's place in the wheel.
type alarm struct {
	ring       func(now time.Time)
	tick       int64
	prev, next *alarm
	set        bool
}

func newWheel(now func() time.Time) *wheel {
	return &wheel{now: now, start: now(), wake: make(chan struct{}, 1)}
}

// schedule sets the alarm to a time, instead of the one it was set to before. A
// time that has passed means the next tick.
func (w *wheel) schedule(a *alarm, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == 0 {
		// The hand may have stood still while there was nothing to fire.
		w.done = max(w.done, w.tickOf(w.now())-1)
	}
	w.unlink(a)
	a.tick = max(w.tickOf(at), w.done+1)
	slot := &w.slots[a.tick%wheelSlots]
	if a.next = *slot; a.next != nil {
		a.next.prev = a
	}
	*slot, a.set = a, true
	if w.count++; w.count == 1 {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// tickOf rounds up, so that an alarm never rings early.
func (w *wheel) tickOf(t time.Time) int64 {
	return int64((t.Sub(w.start) + wheelTick - 1) / wheelTick)
}

func (w *wheel) cancel(a *alarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(a)
}

func (w *wheel) unlink(a *alarm) {
	if !a.set {
		return
	}
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		w.slots[a.tick%wheelSlots] = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	}
	a.prev, a.next, a.set = nil, nil, false
	w.count--
}

// advance rings, in no order, every alarm due by now, outside of the wheel's
// lock: it may set itself again.
func (w *wheel) advance(now time.Time) (empty bool) {
	var due []*alarm
	w.mu.Lock()
	last := int64(now.Sub(w.start) / wheelTick)
	for tick := max(w.done+1, last-wheelSlots+1); tick <= last; tick++ {
		for a := w.slots[tick%wheelSlots]; a != nil; {
			next := a.next
			if a.tick <= last {
				w.unlink(a)
				due = append(due, a)
			}
			a = next
		}
	}
	w.done = max(w.done, last)
	w.mu.Unlock()
	for _, a := range due {
		a.ring(now)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rung = max(w.rung, last)
	return w.count == 0
}

// run turns the wheel until the context ends.
func (w *wheel) run(ctx context.Context) {
	ticker := time.NewTicker(wheelTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			ticker.Reset(wheelTick)
		case <-ticker.C:
			if w.advance(w.now()) {
				ticker.Stop()
				select { // an alarm set since then has left word
				case <-ctx.Done():
					return
				case <-w.wake:
					ticker.Reset(wheelTick)
				}
			}
		}
	}
}
