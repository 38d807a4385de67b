// Package sqlite is chat.Store in one SQLite file.
//
// One goroutine, Run, writes: it gathers the use cases that wait, runs each in
// its own savepoint, commits them together with one fsync, and answers them.
// Reads have their own connections and never wait for it.
//
// Life cycle: Open, then Run in the owner's goroutine, then Update. Before Run
// takes work (Ready) and after it has ended, Update answers CodeUnavailable.
// View works from Open to Close. Close comes after Run has returned.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// Options say where the database is and how it is driven.
type Options struct {
	Path   string           // of the file; its directory exists
	Now    func() time.Time // the wall clock
	Logger *slog.Logger

	// Readers is the number of connections that read; default 4.
	Readers int
	// Queue is how many use cases may wait for the writer before the next one
	// is refused as CodeUnavailable; default 4096. Bulk work has as many
	// places of its own.
	Queue int
	// Observe, when set, is told of every batch, from the writer's goroutine:
	// it must return at once.
	Observe func(Batch)

	vfs string // of the engine, for tests; "" is the system's
}

// Store implements chat.Store.
type Store struct {
	path    string
	dialect *sqldb.Dialect
	clock   *clock
	epoch   string
	pool    *pool
	writer  *writer
	closing sync.Once
}

var _ chat.Store = (*Store)(nil)

// Open opens the database, creating it when it is not there, and brings its
// schema up to date. It refuses, untouched, a schema newer than it knows. The
// caller closes the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Queue <= 0 {
		o.Queue = 4096
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := prepareFile(o.Path); err != nil {
		return nil, err
	}
	dsn, err := dataSource(o.Path)
	if err != nil {
		return nil, err
	}
	if o.vfs != "" {
		dsn += "?vfs=" + o.vfs
	}
	s := &Store{path: o.Path, dialect: dialect(), clock: &clock{now: o.Now}}
	c, err := connectWith(dsn, writerPragmas)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Path, err)
	}
	if s.epoch, err = prepare(c, s.dialect, s.clock.micros()); err != nil {
		return nil, closing(c, fmt.Errorf("%s: %w", o.Path, err))
	}
	if s.pool, err = openPool(dsn, o.Readers); err != nil {
		return nil, closing(c, fmt.Errorf("%s: %w", o.Path, err))
	}
	s.writer = newWriter(o, c, dsn, s.dialect, s.clock)
	if err := s.writer.present.note(o.Path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Run writes until ctx ends; it finishes the batch in hand, answers whoever
// still waits with CodeUnavailable, and returns nil. It ends with an error when
// a file of the database was deleted or replaced. It runs once.
func (s *Store) Run(ctx context.Context) error { return s.writer.run(ctx) }

// Ready is closed once Run takes work.
func (s *Store) Ready() <-chan struct{} { return s.writer.ready }

// Update implements chat.Store. fn runs on the writer's goroutine; when ctx
// ends first, the caller gets ctx.Err() and the work may commit all the same,
// unless it had not begun. CodeUnavailable when the writer does not run, when
// too many wait, or when the commit failed: the caller can't know then whether
// it is stored, and repeats it under its idempotency key.
func (s *Store) Update(ctx context.Context, priority chat.Priority, fn func(tx chat.Tx) error) error {
	return s.writer.do(ctx, priority, fn)
}

// View implements chat.Store. It waits for a free connection until ctx ends.
func (s *Store) View(ctx context.Context, fn func(r chat.Reader) error) error {
	return s.pool.view(ctx, func(c *conn) error {
		return fn(sqldb.NewReader(c, s.dialect, s.clock.micros()))
	})
}

// Epoch implements chat.Store.
func (s *Store) Epoch() string { return s.epoch }

// Check reads the whole file, until ctx ends, and returns what SQLite finds
// wrong with it.
func (s *Store) Check(ctx context.Context) error {
	return s.pool.view(ctx, func(c *conn) error {
		c.ctx = ctx
		defer func() { c.ctx = context.Background() }()
		found, err := c.text(`PRAGMA quick_check(1)`)
		if err != nil {
			return fmt.Errorf("checking the database: %w", err)
		}
		if found != "ok" {
			return fmt.Errorf("the database is damaged (%s); stop the server and restore a backup", found)
		}
		return nil
	})
}

// Close waits for running views and closes the file. Run has returned by then,
// or was never called. A second Close does nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() { err = errors.Join(s.pool.close(), s.writer.close()) })
	return err
}
