package chat

import (
	"context"
	"time"
)

// pruneChunk is how many rows one transaction of Prune removes.
const pruneChunk = 256

// Prune forgets what has outlived the retention: settled deliveries with their
// tries, idempotency keys and expired logins. It works in small chunks that let
// everything else pass.
func (s *Service) Prune(ctx context.Context, retention time.Duration) error {
	for {
		left := false
		err := s.store.Update(ctx, PriorityBulk, func(tx Tx) error {
			before := tx.Now().Add(-retention)
			deliveries, err := tx.PruneDeliveries(before, pruneChunk)
			if err != nil {
				return err
			}
			keys, err := tx.PruneKeys(before, pruneChunk)
			if err != nil {
				return err
			}
			cursors, err := tx.PrunePollCursors(before, pruneChunk)
			if err != nil {
				return err
			}
			left = deliveries == pruneChunk || keys == pruneChunk || cursors == pruneChunk
			return tx.PruneLogins(tx.Now())
		})
		if err != nil {
			return err
		}
		if !left {
			return s.signOffAbsent(ctx)
		}
	}
}
