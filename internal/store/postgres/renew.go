package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// idGap is what a new history skips: ids given out after the dump was made are
// known to receivers and must not come to mean something else. It is a multiple
// of idBlock.
const idGap = 1_000_000_000

// What must be so before a database gets a new history.
const (
	isOurs     = `SELECT to_regclass('installation') IS NOT NULL AND to_regclass('schema_migrations') IS NOT NULL`
	isDeserted = `SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'tolmach' AND pid <> pg_backend_pid())`
)

// Renew begins a new history in a database that was put back to an earlier
// state by PostgreSQL's own means: it is brought up to date, its epoch changes,
// and its ids go on far above those that may have been given out since. A
// database of something else, or one that a server works with, is refused.
func Renew(ctx context.Context, o Options) error {
	if err := mayRenew(ctx, o); err != nil {
		return err
	}
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // it never fails
	return s.direct(ctx, func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, `SELECT setval('ids', last_value + $1) FROM ids`, idGap); err != nil {
			return fmt.Errorf("moving the ids on: %w", err)
		}
		tag, err := c.Exec(ctx, `UPDATE installation SET value = $1 WHERE name = 'epoch'`, rand.Text())
		if err == nil && tag.RowsAffected() != 1 {
			err = errors.New("the database has no epoch")
		}
		return err
	})
}

func mayRenew(ctx context.Context, o Options) (err error) {
	config, err := poolConfig(o)
	if err != nil {
		return err
	}
	pg, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("PostgreSQL can't be reached; check --database and that the server runs: %w", err)
	}
	defer func() { err = errors.Join(err, pg.Close(context.WithoutCancel(ctx))) }()
	c := &conn{ctx: ctx, pg: pg}
	for _, must := range []struct{ be, or string }{
		{isOurs, "it is not a database of tolmach; put the dump back first (pg_restore)"},
		{isDeserted, "a server works with this database; stop every one of them first"},
	} {
		if is, err := value[bool](c, must.be); err != nil {
			return err
		} else if !is {
			return errors.New(must.or)
		}
	}
	return nil
}
