package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tolmach/tolmach/internal/chat"
)

// gate bounds how many transactions are under way and how many use cases wait.
// Batches, use cases that are alone, and bulk work have places of their own, so
// that no kind starves.
type gate struct {
	batches, normal, bulk chan struct{} // the places; full when all are taken
	jobs                  queue         // those that wait to be in a batch
	room                  int           // for those who wait, of each kind
	waiting               atomic.Int64  // for a place alone
	started               atomic.Bool
	ready, ended          chan struct{}
}

func newGate(places, room int) *gate {
	return &gate{
		batches: make(chan struct{}, min(places, batchPlaces)),
		normal:  make(chan struct{}, places), bulk: make(chan struct{}, bulkPlaces), room: room,
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
}

// run opens the gate until ctx ends, and returns when everyone has left.
func (g *gate) run(ctx context.Context) error {
	if !g.started.CompareAndSwap(false, true) {
		return errors.New("a store runs once; Run was called again")
	}
	close(g.ready)
	<-ctx.Done()
	close(g.ended)
	for _, places := range []chan struct{}{g.batches, g.normal, g.bulk} {
		for range cap(places) {
			places <- struct{}{}
		}
	}
	return nil
}

// open says why nobody is let in, or nil.
func (g *gate) open() error {
	select {
	case <-g.ended: // also when a place is free
		return stopping()
	default:
	}
	select {
	case <-g.ready:
		return nil
	default:
		return unavailable("the server is starting; try again in a moment", nil)
	}
}

// enter waits for a place alone until ctx ends. The caller leaves it.
func (g *gate) enter(ctx context.Context, priority chat.Priority) (leave func(), err error) {
	if err := errors.Join(ctx.Err(), g.open()); err != nil {
		return nil, err
	}
	places := g.normal
	if priority == chat.PriorityBulk {
		places = g.bulk
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.room) {
		return nil, tooBusy()
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-g.ended:
		return nil, stopping()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// together waits until a job was in a batch. Whoever waits when there is a
// place for another batch leads it: it serves the first who wait, be it with
// or without his own. It returns what came of the job; ctx.Err() only if it had
// not begun.
func (g *gate) together(j *job, room int, lead func(jobs []*job)) error {
	if err := errors.Join(j.ctx.Err(), g.open()); err != nil {
		return err
	}
	if !g.jobs.add(j, room) {
		return tooBusy()
	}
	left, ended := j.ctx.Done(), g.ended
	for {
		select { // an answer comes before the lead of others
		case err := <-j.answer:
			return err
		default:
		}
		select {
		case err := <-j.answer:
			return err
		case g.batches <- struct{}{}:
			g.serve(lead)
		case <-left:
			if left = nil; g.jobs.leave(j) {
				return j.ctx.Err()
			}
		case <-ended:
			if ended = nil; g.jobs.leave(j) {
				return stopping()
			}
		}
	}
}

// serve leads one batch in a place that was taken.
func (g *gate) serve(lead func(jobs []*job)) {
	defer func() { <-g.batches }()
	if jobs := g.jobs.take(batchSize); len(jobs) > 0 {
		lead(jobs)
	}
}

// length is how many use cases wait.
func (g *gate) length() int { return g.jobs.len() + int(g.waiting.Load()) }

func stopping() error { return unavailable("the server is stopping; try again in a moment", nil) }
func tooBusy() error  { return unavailable("the server is too busy; try again in a moment", nil) }
