// Package wheel is one timer for many owners: a hashed timing wheel whose timers live inside the
// things they time, so that arming one allocates nothing and ten thousand idle connections cost one goroutine.
package wheel

import (
	"context"
	"sync"
	"time"
)

// slots is the size of the ring: a timer further away than slots ticks goes round more than once.
const slots = 512

// Owner is told when its timer is due.
type Owner interface {
	// Due is called on the goroutine of the wheel, without any lock held: it must not block.
	// It may arm the timer again. A Stop that races with the sweep may come too late, so an owner
	// checks its own state.
	Due(now time.Time)
}

// Timer is armed by Schedule and embedded in whatever it times. The zero value is ready for use; it must not be copied.
type Timer struct {
	prev, next *Timer
	owner      Owner
	tick       int64
}

// Wheel fires timers with the precision of its tick, never early. It is safe for concurrent use.
type Wheel struct {
	mu    sync.Mutex
	step  time.Duration
	start time.Time
	hand  int64 // the last tick that was swept
	ring  [slots]Timer
}

// New makes a wheel that moves every step, counting from start.
func New(start time.Time, step time.Duration) *Wheel {
	w := &Wheel{step: step, start: start}
	for i := range w.ring {
		head := &w.ring[i]
		head.prev, head.next = head, head
	}
	return w
}

// Schedule arms t for the moment at, instead of any moment it was armed for before. A moment in the past is due at the next step.
func (w *Wheel) Schedule(t *Timer, owner Owner, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	unlink(t)
	t.owner = owner
	t.tick = max(w.hand+1, int64((at.Sub(w.start)+w.step-1)/w.step))
	head := &w.ring[t.tick%slots]
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
}

// Stop disarms t. A timer that is not armed is left as it is.
func (w *Wheel) Stop(t *Timer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	unlink(t)
}

func unlink(t *Timer) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.prev, t.next = nil, nil
}

// Advance fires every timer due at now. Only one goroutine may call it.
func (w *Wheel) Advance(now time.Time) {
	for _, owner := range w.sweep(int64(now.Sub(w.start) / w.step)) {
		owner.Due(now)
	}
}

func (w *Wheel) sweep(to int64) []Owner {
	w.mu.Lock()
	defer w.mu.Unlock()
	var due []Owner
	// After a long pause one turn visits every slot.
	for from := max(w.hand+1, to-slots+1); from <= to; from++ {
		head := &w.ring[from%slots]
		for t := head.next; t != head; {
			next := t.next
			if t.tick <= to {
				unlink(t)
				due = append(due, t.owner)
			}
			t = next
		}
	}
	w.hand = max(w.hand, to)
	return due
}

// Run advances the wheel every step by the clock now until ctx is done.
func (w *Wheel) Run(ctx context.Context, now func() time.Time) {
	ticker := time.NewTicker(w.step)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.Advance(now())
		}
	}
}
