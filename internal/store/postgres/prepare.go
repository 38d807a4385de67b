package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// oldest is the oldest version that is still maintained by its makers.
const oldest = 14_00_00

// prepareLock lets one node at a time prepare the database.
const prepareLock = lockSpace + 1<<53

// sequence is where ids come from (see ids.go). It begins where the counter of
// the schema stands, so that rows brought from elsewhere keep their ids.
const sequence = `CREATE SEQUENCE IF NOT EXISTS ids INCREMENT BY 16 MINVALUE 0 MAXVALUE 9007199254740976 START 0 CACHE 1`

// room leaves space in the pages of rows that every message changes, so that
// the new version mostly fits beside the old one and no index hears of it.
const room = `ALTER TABLE clients SET (fillfactor = 75); ALTER TABLE conversations SET (fillfactor = 75)`

// prepare checks the server, brings the schema up to date and returns the
// epoch, which it makes up when the database is new. It works on a connection
// of its own, whose end frees the lock, whatever happens.
func prepare(ctx context.Context, config *pgx.ConnConfig, d *sqldb.Dialect) (epoch string, err error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration takes as long as it takes
	config.RuntimeParams["lock_timeout"] = "0"
	pg, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL can't be reached; check --database and that the server runs: %w", err)
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectPatience)
		defer cancel()
		err = errors.Join(err, pg.Close(ending))
	}()
	c := &conn{ctx: ctx, pg: pg}
	version, err := value[int](c, `SELECT current_setting('server_version_num')::int`)
	if err != nil {
		return "", err
	}
	if version < oldest {
		return "", fmt.Errorf("PostgreSQL %d is too old; use 14 or newer", version/10000)
	}
	if _, err := c.Exec(`SELECT pg_advisory_lock($1)`, prepareLock); err != nil {
		return "", fmt.Errorf("waiting for another node to prepare the database: %w", err)
	}
	now, err := value[time.Time](c, `SELECT now()`)
	if err != nil {
		return "", err
	}
	if err := sqldb.Migrate(c, d.Words, chat.MicrosOf(now)); err != nil {
		return "", err
	}
	return makeUp(c)
}

// makeUp makes what this engine needs beside the schema.
func makeUp(c *conn) (epoch string, err error) {
	known, err := value[bool](c, `SELECT to_regclass('ids') IS NOT NULL`)
	if err == nil && !known {
		err = c.Script(`BEGIN; ` + room + `; ` + sequence + `; SELECT setval('ids', (SELECT value FROM sequences WHERE name = 'id')); COMMIT`)
	}
	if err != nil {
		return "", fmt.Errorf("making the sequence of ids, and room for changes: %w", err)
	}
	if _, err := c.Exec(`INSERT INTO installation (name, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING`, rand.Text()); err != nil {
		return "", fmt.Errorf("writing the epoch: %w", err)
	}
	return value[string](c, `SELECT value FROM installation WHERE name = 'epoch'`)
}

// value is the only value of a query.
func value[T any](c *conn, query string, args ...any) (v T, err error) {
	rows, err := c.Query(query, args...)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	if !rows.Next() {
		return v, errors.Join(rows.Err(), fmt.Errorf("%s: no answer", query))
	}
	return v, rows.Scan(&v)
}
