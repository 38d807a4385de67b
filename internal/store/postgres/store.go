// Package postgres is chat.Store in a PostgreSQL database, for any number of
// nodes at once.
//
// A transaction, READ COMMITTED, locks what it reads to change, in one order:
// client, conversation, session, lane. Use cases that wait at the same time
// share one (batch.go), so that a crowd costs few exchanges and few commits; a
// use case out of the common run of messages has one of its own. The only clock
// is the database's.
//
// Life cycle: Open, then Run in the owner's goroutine, then Update. Before Run
// takes work (Ready) and after it has ended, Update answers CodeUnavailable.
// View works from Open to Close. Close comes after Run has returned.
package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// Options say where the database is and how it is driven.
type Options struct {
	URL    string // postgres://user:password@host/name; a secret
	Logger *slog.Logger

	// Writers is how many use cases may be under way at once outside of batches;
	// default 16. Reads have half as many connections of their own, batches and
	// bulk work have two each.
	Writers int
	// Queue is how many use cases may wait for their turn before the next one
	// is refused as CodeUnavailable; default 4096.
	Queue int
	// Observe, when set, is told of every commit; it must return at once.
	Observe func(Commit)
}

// Commit is what the observer is told of one transaction.
type Commit struct {
	Size    int           // use cases that shared it
	Took    time.Duration // of the commit alone
	Waiting int           // use cases that waited for their turn when it was done
	Err     error         // why it failed, or nil
}

// Store implements chat.Store.
type Store struct {
	pool    *pgxpool.Pool
	dialect *sqldb.Dialect
	log     *slog.Logger
	observe func(Commit)
	gate    *gate
	views   queue
	epoch   string
	clock   clock
	broken  atomic.Bool // the last connection failed
}

var _ chat.Store = (*Store)(nil)

// Open connects, brings the schema up to date and refuses, untouched, a schema
// newer than it knows. Several nodes may open one database at once. No error
// tells the password. The caller closes the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	o.Writers = cmp.Or(max(o.Writers, 0), 16)
	o.Queue = cmp.Or(max(o.Queue, 0), 4096)
	config, err := poolConfig(o)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: dialect(), log: o.Logger, observe: o.Observe, gate: newGate(o.Writers, o.Queue)}
	s.views.free = viewPlaces
	if s.epoch, err = prepare(ctx, config.ConnConfig, s.dialect); err != nil {
		return nil, err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	return s, nil
}

// Run lets use cases in until ctx ends; then it refuses new ones, waits for
// those under way and returns nil. It runs once.
func (s *Store) Run(ctx context.Context) error { return s.gate.run(ctx) }

// Ready is closed once Run takes work.
func (s *Store) Ready() <-chan struct{} { return s.gate.ready }

// Epoch implements chat.Store.
func (s *Store) Epoch() string { return s.epoch }

// Now is the database's clock, as well as it is known here: the wall clock of
// this machine, corrected by what the last transaction said.
func (s *Store) Now() time.Time { return s.clock.now() }

// Close waits for running views and closes every connection. Run has returned
// by then, or was never called. A second Close does nothing. It never fails.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// clock is the distance of the database's clock from this machine's.
type clock struct{ ahead atomic.Int64 }

func (c *clock) set(database time.Time) { c.ahead.Store(int64(time.Until(database))) }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }
