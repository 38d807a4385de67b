package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tolmach/tolmach/internal/chat"
)

// gate bounds how many use cases are under way and how many wait. Bulk work
// has places of its own, so that neither kind starves.
type gate struct {
	normal, bulk chan struct{} // the places; full when all are taken
	queue        int64
	waiting      atomic.Int64
	started      atomic.Bool
	ready, ended chan struct{}
}

func newGate(places, queue int) *gate {
	return &gate{
		normal: make(chan struct{}, places), bulk: make(chan struct{}, bulkPlaces), queue: int64(queue),
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
	for _, places := range []chan struct{}{g.normal, g.bulk} {
		for range cap(places) {
			places <- struct{}{}
		}
	}
	return nil
}

// enter waits for a place until ctx ends. The caller leaves it.
func (g *gate) enter(ctx context.Context, priority chat.Priority) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-g.ready:
	default:
		return nil, unavailable("the server is starting; try again in a moment", nil)
	}
	places := g.normal
	if priority == chat.PriorityBulk {
		places = g.bulk
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return nil, unavailable("the server is too busy; try again in a moment", nil)
	}
	defer g.waiting.Add(-1)
	select {
	case <-g.ended: // also when a place is free
		return nil, stopping()
	default:
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

func stopping() error { return unavailable("the server is stopping; try again in a moment", nil) }
