package sqlite

import (
	"crypto/rand"
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/migrations"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// writerPragmas: durable commits (WAL with FULL), checkpoints of 16 MB at a
// time (specs/live.md §3), and a small cache: nearly every commit splits a page,
// after which the engine walks its whole cache, and what is not there is in the
// system's. The rows that every message needs are in the writer's own.
var writerPragmas = []string{
	`PRAGMA busy_timeout = 5000`,
	`PRAGMA journal_mode = WAL`,
	`PRAGMA synchronous = FULL`,
	`PRAGMA foreign_keys = ON`,
	`PRAGMA cache_size = -16384`,
	`PRAGMA wal_autocheckpoint = 4000`,
	`PRAGMA temp_store = MEMORY`,
}

var readerPragmas = []string{
	`PRAGMA busy_timeout = 5000`,
	`PRAGMA cache_size = -16384`,
	`PRAGMA temp_store = MEMORY`,
	`PRAGMA query_only = ON`,
}

// dialect: one writer needs no locks.
func dialect() *sqldb.Dialect {
	return &sqldb.Dialect{
		Wake:      "NOTHING",
		Duplicate: isDuplicate,
		Words:     migrations.Words{ID: "INTEGER", Bytes: "BLOB", Clustered: "WITHOUT ROWID"},
	}
}

func connectWith(dsn string, pragmas []string) (*conn, error) {
	c, err := connect(dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	for _, pragma := range pragmas {
		if err := c.Script(pragma); err != nil {
			return nil, closing(c, fmt.Errorf("%s: %w", pragma, err))
		}
	}
	return c, nil
}

// closing closes a connection that can't be used and returns why.
func closing(c *conn, err error) error {
	if e := c.Close(); e != nil {
		return fmt.Errorf("%w (and closing it: %w)", err, e)
	}
	return err
}

// prepare checks the engine, brings the schema up to date and returns the
// epoch, which it makes up when the database is new.
func prepare(c *conn, d *sqldb.Dialect, now chat.Micros) (epoch string, err error) {
	version, err := c.text(`SELECT sqlite_version()`)
	if err != nil {
		return "", err
	}
	if err := checkVersion(version); err != nil {
		return "", err
	}
	mode, err := c.text(`PRAGMA journal_mode`)
	if err != nil {
		return "", err
	}
	if mode != "wal" {
		return "", fmt.Errorf("the database can't use a write-ahead log (journal mode %q); keep it on a local disk", mode)
	}
	if err := sqldb.Migrate(c, d.Words, now); err != nil {
		return "", err
	}
	if _, err := c.Exec(`INSERT INTO installation (name, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING`, rand.Text()); err != nil {
		return "", fmt.Errorf("writing the epoch: %w", err)
	}
	return c.text(`SELECT value FROM installation WHERE name = 'epoch'`)
}

// checkVersion refuses engines that can lose commits: before 3.51.3 a reset of
// the write-ahead log could overwrite pages another connection still needed.
func checkVersion(version string) error {
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return fmt.Errorf("the SQLite version %q can't be read: %w", version, err)
	}
	if major*1_000_000+minor*1_000+patch < 3_051_003 {
		return fmt.Errorf("SQLite %s may corrupt its write-ahead log; build tolmach with 3.51.3 or newer", version)
	}
	return nil
}
