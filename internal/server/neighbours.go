package server

import (
	"context"
	"errors"
	"time"

	"github.com/tolmach/tolmach/internal/hub"
)

// neighbourSweep is how often a node looks at what the others did.
const neighbourSweep = 500 * time.Millisecond

// meet readies the node for others that work with the same database and returns
// the worker that listens to them. A database of its own holds claims of a
// predecessor only, and they are let go; in a shared one they may be anybody's,
// and end with their leases.
func (a *app) meet(ctx context.Context) ([]worker, error) {
	sweeper, several := a.core.bus.(*hub.Sweeper)
	if !several {
		return nil, a.core.service.ReleaseLanes(ctx)
	}
	if err := sweeper.Sweep(ctx); err != nil {
		return nil, err
	}
	shared, is := a.core.store.(sharedDatabase)
	if !is {
		return nil, errors.New("a bus for several nodes over a database of one")
	}
	return []worker{
		{"neighbours", func(ctx context.Context) error { return a.hear(ctx, sweeper) }},
		{"life", func(ctx context.Context) error { return shared.Live(ctx, a.core.service.Process()) }},
	}, nil
}

// hear makes the node know what others do with the same database: what they
// have said to conversations that somebody follows here, and their changes of
// the settings. It runs until ctx ends.
func (a *app) hear(ctx context.Context, sweeper *hub.Sweeper) error {
	tick := time.NewTicker(neighbourSweep)
	defer tick.Stop()
	deaf := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := firstOf(sweeper.Sweep(ctx), a.core.service.ReloadCatalog(ctx))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !deaf {
			a.log.Error("neighbours.failed", "error", err)
		}
		deaf = err != nil
	}
}
