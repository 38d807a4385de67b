package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// worker is one long-running part of the server. Run returns nil when its
// context ends.
type worker struct {
	name string
	run  func(ctx context.Context) error
}

// supervise runs the workers of all stages until ctx ends or one of them
// fails, then stops the stages from the last to the first: a stage loses its
// context only when everything that leans on it has ended. It returns the
// first failure.
func supervise(ctx context.Context, stages ...[]worker) error {
	failed := make(chan error, 1)
	var running []*stage
	for _, workers := range stages {
		running = append(running, start(workers, failed))
	}
	var first error
	select {
	case <-ctx.Done():
	case first = <-failed:
	}
	for i := len(running) - 1; i >= 0; i-- {
		running[i].stop()
		running[i].wait.Wait()
	}
	select {
	case err := <-failed:
		first = errors.Join(first, err)
	default:
	}
	return first
}

type stage struct {
	stop context.CancelFunc
	wait sync.WaitGroup
}

func start(workers []worker, failed chan<- error) *stage {
	ctx, stop := context.WithCancel(context.Background())
	s := &stage{stop: stop}
	for _, w := range workers {
		s.wait.Go(func() {
			err := w.run(ctx)
			if err == nil && ctx.Err() == nil {
				err = errors.New("ended by itself")
			}
			if err == nil {
				return
			}
			select {
			case failed <- fmt.Errorf("%s: %w", w.name, err):
			default: // an earlier failure is already stopping everything
			}
		})
	}
	return s
}
