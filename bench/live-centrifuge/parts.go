package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

const (
	pairs         = 1000 // channels with two subscribers each
	crowd         = 5000 // subscribers of one channel
	crowdBurst    = 40   // publications of one round to the crowd
	fanOutTime    = 8 * time.Second
	idleTime      = 20 * time.Second
	firstThousand = 1000
)

// idleAndStorm measures what idle connections cost between the first thousand
// and all, then cuts them all and waits until they are back.
func idleAndStorm(ctx context.Context, t *target, connections int) ([]figure, error) {
	l := newLoad(ctx, t.address)
	defer l.stop()
	if err := l.add(0, firstThousand, connections); err != nil {
		return nil, err
	}
	few, err := t.settled(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.add(firstThousand, connections, connections); err != nil {
		return nil, err
	}
	cpu, err := t.during(ctx, idleTime)
	if err != nil {
		return nil, err
	}
	many, err := t.settled(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.pull(ctx, "/collect"); err != nil {
		return nil, err
	}
	collected, err := t.resident()
	if err != nil {
		return nil, err
	}
	back, err := storm(ctx, t, l, connections)
	if err != nil {
		return nil, err
	}
	added := float64(connections - firstThousand)
	return []figure{
		{Name: fmt.Sprintf("memory per idle connection, %d to %d", firstThousand, connections), Value: (many - few) / added / 1024, Unit: "KB", Bar: 12},
		{Name: "the same after a forced collection", Value: (collected - few) / added / 1024, Unit: "KB"},
		{Name: "CPU per 1,000 idle connections", Value: cpu / idleTime.Seconds() / float64(connections) * 1000 * 100, Unit: "% of a core"},
		{Name: fmt.Sprintf("%d clients cut and back", connections), Value: back.Seconds(), Unit: "s", Bar: 15},
	}, nil
}

// during returns the CPU time the server uses in a while.
func (t *target) during(ctx context.Context, d time.Duration) (float64, error) {
	before, err := t.cpu()
	if err != nil {
		return 0, err
	}
	if err := wait(ctx, d); err != nil {
		return 0, err
	}
	after, err := t.cpu()
	return after - before, err
}

func storm(ctx context.Context, t *target, l *load, connections int) (time.Duration, error) {
	begin := time.Now()
	if err := t.pull(ctx, "/cut"); err != nil {
		return 0, err
	}
	if err := l.reach(&l.returned, int64(connections)); err != nil {
		return 0, fmt.Errorf("clients back after the storm: %w", err)
	}
	return time.Since(begin), nil
}

// fanOut is one way to publish to many.
type fanOut struct {
	name                  string
	subscribers, channels int
	messages              int  // to each channel in a round
	batch                 bool // in one call
	bar                   float64
}

func fanOuts(ctx context.Context, t *target, _ int) ([]figure, error) {
	var all []figure
	for _, f := range []fanOut{
		{name: "fan-out to pairs", subscribers: 2 * pairs, channels: pairs, messages: 1, bar: 50_000},
		{name: fmt.Sprintf("fan-out to %d, coalesced", crowd), subscribers: crowd, channels: 1, messages: crowdBurst, batch: true, bar: 1_000_000},
		{name: fmt.Sprintf("fan-out to %d, published one by one", crowd), subscribers: crowd, channels: 1, messages: crowdBurst},
	} {
		figures, err := f.run(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		all = append(all, figures...)
	}
	return all, nil
}

// run publishes round by round, each round once the one before is received, and
// relates the deliveries to the time and to the server's CPU time.
func (f fanOut) run(ctx context.Context, t *target) ([]figure, error) {
	l := newLoad(ctx, t.address)
	defer l.stop()
	if err := l.add(0, f.subscribers, f.channels); err != nil {
		return nil, err
	}
	lever := fmt.Sprintf("/publish?channels=%d&messages=%d", f.channels, f.messages)
	if f.batch {
		lever += "&batch=1"
	}
	before, err := t.cpu()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	for expected := int64(0); time.Since(begin) < fanOutTime; {
		if err := t.pull(ctx, lever); err != nil {
			return nil, err
		}
		expected += int64(f.subscribers * f.messages)
		if err := l.reach(&l.received, expected); err != nil {
			return nil, fmt.Errorf("deliveries: %w", err)
		}
	}
	took := time.Since(begin).Seconds()
	after, err := t.cpu()
	if err != nil {
		return nil, err
	}
	deliveries := float64(l.received.Load())
	return []figure{
		{Name: f.name + ", per core of the server", Value: deliveries / (after - before), Unit: "deliveries/s", Bar: f.bar, AtLeast: true},
		{Name: fmt.Sprintf("%s, with the load on %d cores", f.name, runtime.NumCPU()), Value: deliveries / took, Unit: "deliveries/s"},
	}, nil
}
