package delivery

import (
	"context"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// keeper exchanges with the store what is not in a settlement: it saves the
// health of integrations, takes over pauses that somebody else made, and looks
// for lanes that nobody announced.
type keeper struct {
	engine *Engine
	found  chan<- map[chat.ID]chat.Backlog
	nudge  <-chan struct{}
}

// run looks around at once, at every sweep, and when nudged.
func (k *keeper) run(ctx context.Context) {
	sweep := time.NewTicker(k.engine.options.Sweep)
	defer sweep.Stop()
	for {
		if err := k.look(ctx); err != nil && ctx.Err() == nil {
			k.engine.options.Log.Error("delivery.sweep_failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.nudge:
		case <-sweep.C:
		}
	}
}

// look saves before it reads, so that what it reads is never older than what
// this process knows.
func (k *keeper) look(ctx context.Context) error {
	e := k.engine
	endpoints := e.known.list()
	if err := e.saveHealth(ctx, endpoints, false); err != nil {
		return err
	}
	stored, err := e.storedHealth(ctx)
	if err != nil {
		return err
	}
	plain := make([]chat.Endpoint, len(endpoints))
	for i, ep := range endpoints {
		plain[i] = ep.Endpoint
		ep.gate.adopt(stored[ep.ID])
	}
	backlogs, err := e.svc.Backlogs(ctx, plain)
	if err != nil {
		return err
	}
	e.known.note(backlogs)
	select {
	case k.found <- backlogs:
	case <-ctx.Done():
	}
	return nil
}

// saveHealth writes the health that changed, and says aloud what an owner
// should know.
func (e *Engine) saveHealth(ctx context.Context, endpoints []*endpoint, ending bool) error {
	now := e.now()
	for _, ep := range endpoints {
		if ep.health == nil {
			continue
		}
		log := e.options.Log.With("endpoint", ep.label, "endpoint_id", ep.ID)
		if since, due := ep.health.warning(now); due {
			log.Warn("endpoint.failing", "since", since.Time(), "paused_at", since.Add(giveUp).Time())
		}
		is, changed := ep.health.unsaved(now, ep)
		if !changed && (ending || !ep.health.stale()) {
			continue
		}
		if err := e.svc.SaveHealth(ctx, is); err != nil {
			return err
		}
		ep.health.wasSaved(is)
		if is.Paused {
			log.Warn("endpoint.paused", "reason", is.Reason)
		}
	}
	return nil
}
