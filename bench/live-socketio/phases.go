package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// plan is what to measure.
type plan struct {
	few, many int
	idle      time.Duration
}

// memory opens few, then many connections, and is what each of those in between costs.
func memory(ctx context.Context, p plan, server *process, c *crowd, connect func(context.Context, int) error) (int64, error) {
	var readings [2]stats
	for i, want := range []int{p.few, p.many} {
		if err := c.open(ctx, int(c.joined.Load()), want, connect); err != nil {
			return 0, fmt.Errorf("open %d connections: %w", want, err)
		}
		var err error
		if readings[i], err = server.stats(ctx); err != nil {
			return 0, err
		}
		if readings[i].Connections != want || readings[i].Sockets != want {
			return 0, fmt.Errorf("the server has %d connections and %d sockets, not %d", readings[i].Connections, readings[i].Sockets, want)
		}
	}
	return (readings[1].RSS - readings[0].RSS) / int64(p.many-p.few), nil
}

// webSockets measures everything that is measured by WebSocket.
func webSockets(ctx context.Context, p plan, r *report) error {
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	c := newCrowd(server.address, 2, p.many)
	defer c.close()
	if r.WebSocketBytes, err = memory(ctx, p, server, c, c.webSocket); err != nil {
		return err
	}
	if r.IdleMicros, err = idle(ctx, p, server); err != nil {
		return err
	}
	if r.PairsPerCore, r.PairsPerSecond, err = fanOut(ctx, server, c, "r", p.many/2, 1, 10, int64(p.many)); err != nil {
		return err
	}
	if r.CoalescedPerCore, r.CoalescedPerSecond, err = fanOut(ctx, server, c, "all", 1, 200, 3, int64(p.many/2)*200); err != nil {
		return err
	}
	r.StormSeconds, err = storm(ctx, server, c, p.many)
	return err
}

func pollingSessions(ctx context.Context, p plan, r *report) error {
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	c := newCrowd(server.address, 4, p.many)
	defer c.close()
	r.PollingBytes, err = memory(ctx, p, server, c, c.poll)
	return err
}

// idle is the CPU of the server for one idle connection, in microseconds a second.
func idle(ctx context.Context, p plan, server *process) (float64, error) {
	before, err := server.stats(ctx)
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(p.idle):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	after, err := server.stats(ctx)
	if err != nil {
		return 0, err
	}
	return float64((after.CPU - before.CPU).Microseconds()) / p.idle.Seconds() / float64(p.many), nil
}

// fanOut publishes in rounds and waits for the deliveries of each: deliveries a second of the server's CPU, and of the clock
// with the clients on the same machine.
func fanOut(ctx context.Context, server *process, c *crowd, prefix string, rooms, count, rounds int, deliveries int64) (perCore, perSecond float64, err error) {
	before, err := server.stats(ctx)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	for range rounds {
		want := c.messages.Load() + deliveries
		if _, err := server.call(ctx, fmt.Sprintf("/publish?prefix=%s&rooms=%d&count=%d", prefix, rooms, count)); err != nil {
			return 0, 0, err
		}
		if err := c.wait(ctx, &c.messages, want); err != nil {
			return 0, 0, fmt.Errorf("deliveries: %w", err)
		}
	}
	took := time.Since(start)
	after, err := server.stats(ctx)
	if err != nil {
		return 0, 0, err
	}
	total := float64(deliveries) * float64(rounds)
	return total / (after.CPU - before.CPU).Seconds(), total / took.Seconds(), nil
}

// storm drops everybody and is how long it takes until all are back, each having come back the moment it was dropped.
func storm(ctx context.Context, server *process, c *crowd, many int) (float64, error) {
	back := newCrowd(server.address, 3, many)
	defer back.close()
	var returning sync.WaitGroup
	defer returning.Wait()
	start := time.Now()
	if _, err := server.call(ctx, "/drop"); err != nil {
		return 0, err
	}
	failed := make(chan error, many)
	returning.Go(func() {
		for range many {
			select {
			case number := <-c.lost:
				back.done.Go(func() {
					if err := back.webSocket(ctx, number); err != nil {
						failed <- err
						back.nudge()
					}
				})
			case <-ctx.Done():
				return
			}
		}
	})
	for back.joined.Load() < int64(many) {
		select {
		case <-back.news:
		case err := <-failed:
			return 0, fmt.Errorf("reconnect: %w", err)
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d are back: %w", back.joined.Load(), many, ctx.Err())
		}
	}
	return time.Since(start).Seconds(), nil
}
