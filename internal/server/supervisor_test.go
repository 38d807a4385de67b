package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary notes in which order workers ended.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) worker(name string) worker {
	return worker{name, func(ctx context.Context) error {
		<-ctx.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lines = append(d.lines, name)
		return nil
	}}
}

func TestStagesStopFromTheLastToTheFirst(t *testing.T) {
	var d diary
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := supervise(ctx, []worker{d.worker("store")}, []worker{d.worker("delivery")}, []worker{d.worker("http")}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"http", "delivery", "store"}; !slices.Equal(d.lines, want) {
		t.Errorf("ended in the order %v, want %v", d.lines, want)
	}
}

func TestOneFailureStopsEverything(t *testing.T) {
	var d diary
	boom := errors.New("boom")
	err := supervise(t.Context(), []worker{d.worker("store")}, []worker{{"http", func(context.Context) error { return boom }}})
	if !errors.Is(err, boom) || !slices.Equal(d.lines, []string{"store"}) {
		t.Errorf("err %v, ended %v", err, d.lines)
	}
}

func TestAWorkerThatEndsByItselfIsAFailure(t *testing.T) {
	if err := supervise(t.Context(), []worker{{"x", func(context.Context) error { return nil }}}); err == nil {
		t.Error("a worker that ended by itself passed unnoticed")
	}
}
