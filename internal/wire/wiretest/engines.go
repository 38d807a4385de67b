package wiretest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// database is a store as a process runs it.
type database interface {
	chat.Store
	Run(ctx context.Context) error
	Ready() <-chan struct{}
	Close() error
}

// opener opens the database of one scenario, each time a process starts there.
type opener func() (database, error)

// onEach runs a test on every engine: on PostgreSQL where there is one
// (pgtest.Shared). fresh makes a database for one scenario.
func onEach(t *testing.T, test func(t *testing.T, fresh func(t testing.TB) opener)) {
	t.Run("SQLite", func(t *testing.T) { test(t, freshSQLite) })
	if os.Getenv("TOLMACH_TEST_POSTGRES") == "" {
		t.Log("not on PostgreSQL: TOLMACH_TEST_POSTGRES is not set (make test sets it)")
		return
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		server := pgtest.Shared(t)
		at := server.Database(t)
		test(t, func(t testing.TB) opener {
			url := server.Schema(t, at)
			return func() (database, error) {
				return opened(postgres.Open(context.Background(), postgres.Options{URL: url, Logger: slog.New(slog.DiscardHandler)}))
			}
		})
	})
}

func freshSQLite(t testing.TB) opener {
	path := filepath.Join(t.TempDir(), "tolmach.db")
	return func() (database, error) {
		return opened(sqlite.Open(context.Background(), sqlite.Options{Path: path, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}))
	}
}

// opened keeps a nil store from becoming a database that is not nil.
func opened[S database](store S, err error) (database, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}
