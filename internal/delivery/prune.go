package delivery

import (
	"context"
	"time"
)

// pruneEvery is how often old deliveries are forgotten.
const pruneEvery = time.Hour

// prune forgets what has outlived the retention, once an hour.
func (e *Engine) prune(ctx context.Context) {
	hour := time.NewTicker(pruneEvery)
	defer hour.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hour.C:
		}
		if err := e.svc.Prune(ctx, e.options.Retention); err != nil && ctx.Err() == nil {
			e.options.Log.Error("delivery.prune_failed", "error", err)
		}
	}
}
