package chat

import (
	"context"
	"time"
)

// A process that shares its database shows every beat that it lives, and is
// taken for dead when it has not for its life. One that is alone needs no beat:
// every other one it finds traces of is dead.
const (
	processBeat = 2 * time.Second
	processLife = 10 * time.Second
)

// RunBeat shows the other processes at the same database that this one lives,
// until ctx ends. Questions that are waited for here are lost to their callers
// when it ends: their answers are late.
func (s *Service) RunBeat(ctx context.Context) error {
	beat := time.NewTicker(processBeat)
	defer beat.Stop()
	for {
		err := s.store.Update(ctx, PriorityNormal, func(tx Tx) error { return tx.BeatProcess(s.process) })
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.Error("process.beat_failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}
