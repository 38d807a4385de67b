package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// A process that lives holds an advisory lock of two numbers under its name, on
// a connection of its own: the server frees it the moment the process is gone.
const (
	holdLife = `SELECT pg_advisory_lock(7103, hashtext($1))`
	lives    = `EXISTS (SELECT 1 FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = 7103
		AND CAST(objid AS BIGINT) = CAST(hashtext($1) AS BIGINT) & 4294967295
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
	lifeCheck = 5 * time.Second // between looks whether the connection still stands
	lifeRetry = 500 * time.Millisecond
)

// Live shows the other nodes that a process lives, until ctx ends; then it
// returns nil. While the database is away it tries again and again: meanwhile
// the process counts as gone.
func (s *Store) Live(ctx context.Context, process string) error {
	for {
		err := s.live(ctx, process)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		s.log.Warn("postgres.life_lost", "error", err)
		if !wait(ctx, lifeRetry) {
			return nil
		}
	}
}

// live holds the lock for as long as its connection stands.
func (s *Store) live(ctx context.Context, process string) (err error) {
	pg, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectPatience)
		defer cancel()
		err = errors.Join(err, pg.Close(ending))
	}()
	if _, err := pg.Exec(ctx, holdLife, process); err != nil {
		return err
	}
	for wait(ctx, lifeCheck) {
		if err := pg.Ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wait is false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
