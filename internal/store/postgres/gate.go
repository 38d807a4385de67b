package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// gate bounds how many transactions are under way and how many use cases wait.
// Batches, use cases that are alone, and bulk work have places of their own, so
// that no kind starves. One batch works at a time, beside those that are being
// committed: so batches of one node wait for each other's locks no longer than
// a commit takes, and never in a circle.
type gate struct {
	normal, bulk chan struct{} // the places; full when all are taken
	leaders      chan struct{} // the place of the batch at work, and of those that are being committed
	jobs         queue         // those that wait to be in a batch
	room         int           // for those who wait, of each kind
	waiting      atomic.Int64  // for a place alone
	started      atomic.Bool
	ready, ended chan struct{}
}

func newGate(places, room int) *gate {
	return &gate{
		normal: make(chan struct{}, places), bulk: make(chan struct{}, bulkPlaces),
		leaders: make(chan struct{}, 1+commitPlaces), jobs: queue{free: 1}, room: room,
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
	for _, places := range []chan struct{}{g.leaders, g.normal, g.bulk} {
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
	limit := time.NewTimer(waitPatience)
	defer limit.Stop()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-limit.C:
		return nil, tooBusy()
	case <-g.ended:
		return nil, stopping()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// together waits until a job was in a batch and returns what came of it;
// ctx.Err() only if it had not begun.
func (g *gate) together(j *job, lead func(jobs []*job, worked func())) error {
	if err := errors.Join(j.ctx.Err(), g.open()); err != nil {
		return err
	}
	if !g.jobs.add(j, g.room) {
		return tooBusy()
	}
	return g.jobs.pass(j, g.ended, func() { g.serve(lead) })
}

// serve leads one batch. Its place is given to the next leader when the batch is
// about to be committed, or has ended without that.
func (g *gate) serve(lead func(jobs []*job, worked func())) {
	release := sync.OnceFunc(g.jobs.release)
	defer release()
	select {
	case g.leaders <- struct{}{}:
		defer func() { <-g.leaders }()
	case <-g.ended:
		return
	}
	if jobs := g.jobs.take(batchSize); len(jobs) > 0 {
		lead(jobs, release)
	}
}

// length is how many use cases wait.
func (g *gate) length() int { return g.jobs.len() + int(g.waiting.Load()) }

func stopping() error { return unavailable("the server is stopping; try again in a moment", nil) }
func tooBusy() error  { return unavailable("the server is too busy; try again in a moment", nil) }
