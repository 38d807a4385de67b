package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/store/postgres"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// databaseFile is the embedded database in the data directory.
const databaseFile = "tolmach.db"

// database is a store as the server runs it, whichever engine it is: opened,
// then Run, then closed.
type database interface {
	chat.Store
	Run(ctx context.Context) error
	Ready() <-chan struct{}
	// Check returns what is wrong with the database.
	Check(ctx context.Context) error
	Close() error
}

// sharedDatabase is one that other nodes work with at the same time.
type sharedDatabase interface {
	database
	hub.Log
	// Now is the database's clock, which all nodes go by.
	Now() time.Time
	// Live shows the other nodes that a process lives, until ctx ends.
	Live(ctx context.Context, process string) error
}

// commit is what is told of one commit.
type commit struct {
	size, waiting int
	took          time.Duration
	err           error
}

// openDatabase opens the database of an installation: PostgreSQL when it is
// named, else the file in the data directory, whose lock is held. observe may
// be nil.
func openDatabase(ctx context.Context, where config.Storage, log *slog.Logger, observe func(commit)) (database, error) {
	if where.Database != "" {
		o := postgres.Options{URL: where.Database, Logger: log}
		if observe != nil {
			o.Observe = func(c postgres.Commit) { observe(commit{c.Size, c.Waiting, c.Took, c.Err}) }
		}
		return opened(postgres.Open(ctx, o))
	}
	o := sqlite.Options{Path: filepath.Join(where.Data, databaseFile), Now: time.Now, Logger: log}
	if observe != nil {
		o.Observe = func(b sqlite.Batch) { observe(commit{b.Size, b.Waiting, b.Commit, b.Err}) }
	}
	return opened(sqlite.Open(ctx, o))
}

// opened keeps a nil store from becoming a database that is not nil.
func opened[S database](store S, err error) (database, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}

// clockOf is the clock that the database goes by.
func clockOf(d database) func() time.Time {
	if shared, is := d.(sharedDatabase); is {
		return shared.Now
	}
	return time.Now
}

// busOf is the bus of a node: its hub alone, or with what other nodes commit.
func busOf(d database, h *hub.Hub) chat.Bus {
	if shared, is := d.(sharedDatabase); is {
		return hub.NewSweeper(h, shared)
	}
	return h
}
