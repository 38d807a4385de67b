package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// A batch takes no new use case once it is this old or this large. It never
// waits for one: what has gathered while the last batch was being written is
// the next batch, so a lone write costs one fsync and a crowd shares one.
const (
	batchTime = 3 * time.Millisecond
	batchSize = 128
)

// job is a use case that waits for its turn and its answer.
type job struct {
	ctx    context.Context // of the caller
	fn     func(tx chat.Tx) error
	answer chan error // takes one answer without waiting
	err    error      // of the last run
}

// writer owns the only connection that writes.
type writer struct {
	dsn      string
	conn     *conn // nil after a failure, until the next batch connects again
	dialect  *sqldb.Dialect
	clock    *clock
	sequence sequence
	cache    *cache
	version  int64 // of the data, as changed by others
	present  present
	lost     error // a file of the database that is gone: the writer ends
	log      *slog.Logger
	observe  func(Batch)

	normal, bulk chan *job
	started      atomic.Bool
	ready, ended chan struct{}
}

func newWriter(o Options, c *conn, dsn string, d *sqldb.Dialect, clk *clock) *writer {
	return &writer{
		dsn: dsn, conn: c, dialect: d, clock: clk, cache: newCache(rowRoom, factRoom), log: o.Logger, observe: o.Observe,
		normal: make(chan *job, o.Queue), bulk: make(chan *job, o.Queue),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
}

// do hands a use case to the writer and waits for its answer.
func (w *writer) do(ctx context.Context, priority chat.Priority, fn func(tx chat.Tx) error) error {
	if err := w.running(); err != nil {
		return err
	}
	queue := w.normal
	if priority == chat.PriorityBulk {
		queue = w.bulk
	}
	j := &job{ctx: ctx, fn: fn, answer: make(chan error, 1)}
	select {
	case queue <- j:
	default:
		return unavailable("the server is too busy; try again in a moment", nil)
	}
	select {
	case err := <-j.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-w.ended:
	}
	select {
	case err := <-j.answer: // it came with the last batch
		return err
	default:
		return w.running()
	}
}

func (w *writer) running() error {
	select {
	case <-w.ended:
		return unavailable("the server is stopping; try again in a moment", nil)
	default:
	}
	select {
	case <-w.ready:
		return nil
	default:
		return unavailable("the server is starting; try again in a moment", nil)
	}
}

// run is the writer's goroutine.
func (w *writer) run(ctx context.Context) error {
	if !w.started.CompareAndSwap(false, true) {
		return errors.New("the writer of a store runs once; Run was called again")
	}
	defer close(w.ended)
	close(w.ready)
	for {
		j, bulk := w.wait(ctx)
		if j == nil {
			return nil
		}
		if w.write(j, bulk); w.lost != nil {
			return w.lost
		}
	}
}

// wait returns the next use case, a bulk one only when no other is there, or
// nil when ctx has ended.
func (w *writer) wait(ctx context.Context) (j *job, bulk bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	select {
	case j := <-w.normal:
		return j, false
	default:
	}
	select {
	case j := <-w.normal:
		return j, false
	case j := <-w.bulk:
		return j, true
	case <-ctx.Done():
		return nil, false
	}
}

// write runs a batch that begins with j: what waits by now, as far as time and
// size allow, and one bulk job at its end, so that neither kind starves.
func (w *writer) write(j *job, bulk bool) {
	b := &batch{writer: w, began: w.clock.now()}
	for j != nil {
		b.run(j)
		if j = nil; b.over {
			break
		}
		if !b.full() {
			j = poll(w.normal)
		}
		if j == nil && !bulk {
			bulk = true
			j = poll(w.bulk)
		}
	}
	b.finish()
	for _, j := range b.orphans {
		alone := &batch{writer: w, began: w.clock.now()}
		alone.run(j)
		alone.finish()
	}
}

func poll(queue chan *job) *job {
	select {
	case j := <-queue:
		return j
	default:
		return nil
	}
}

// connection returns the writer's connection, a new one after a failure.
func (w *writer) connection() (*conn, error) {
	if w.conn != nil {
		return w.conn, nil
	}
	c, err := connectWith(w.dsn, writerPragmas)
	if err != nil {
		return nil, fmt.Errorf("connecting again: %w", err)
	}
	w.conn = c
	w.sequence.forget()
	w.log.Info("store.reconnected")
	return c, nil
}

// notice clears the cache when somebody else has written: a person with a tool,
// for no other server may.
func (w *writer) notice() error {
	version, err := w.conn.number(`PRAGMA data_version`)
	if err == nil && version != w.version {
		w.version = version
		w.cache.clear()
	}
	return err
}

// discard gives the connection up after a failure that leaves its state in
// doubt.
func (w *writer) discard(cause error) {
	w.cache.clear()
	w.log.Error("store.connection_failed", "error", cause)
	if err := w.close(); err != nil {
		w.log.Error("store.close_failed", "error", err)
	}
}

func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	c := w.conn
	w.conn = nil
	return c.Close()
}
