package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tolmach/tolmach/internal/failpoint"
)

// backupPragmas: like a reader's, but VACUUM INTO writes, so query_only is not
// for it.
var backupPragmas = []string{
	`PRAGMA busy_timeout = 5000`,
	`PRAGMA cache_size = -16384`,
	`PRAGMA temp_store = MEMORY`,
}

// Backup writes the database, as of the moment it begins, into a new file while
// everything goes on; see the function Backup.
func (s *Store) Backup(ctx context.Context, file string) error {
	return Backup(ctx, s.path, file)
}

// Backup writes the database at a path, as of one moment, into a new file of
// mode 0600; whether it is open elsewhere doesn't matter. The file gets its
// name when it is whole and durable, so that a file of that name is always a
// good backup; an interrupted one leaves at most a file whose name holds
// ".partial-". Meanwhile the write-ahead log can't be cut short, so it grows.
// ctx ends it early.
func Backup(ctx context.Context, path, file string) error {
	if _, err := os.Lstat(path); err != nil {
		return fmt.Errorf("there is no database to back up: %w", err)
	}
	if _, err := os.Lstat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already; give the backup a new name", file), err)
	}
	return publish(file, func(partial string) error {
		if err := copyInto(ctx, path, partial); err != nil {
			return err
		}
		failpoint.Here("backup.written")
		return nil
	})
}

// copyInto copies the database at a path into an empty file.
func copyInto(ctx context.Context, path, file string) error {
	dsn, err := dataSource(path)
	if err != nil {
		return err
	}
	c, err := connectWith(dsn, backupPragmas)
	if err != nil {
		return err
	}
	c.ctx = ctx
	if _, err := c.Exec(`VACUUM INTO $1`, file); err != nil {
		return closing(c, fmt.Errorf("writing the backup: %w", err))
	}
	return c.Close()
}

// publish lets write fill a private file beside the final one, makes it
// durable and gives it the final name. Nothing is left of a failure.
func publish(file string, write func(partial string) error) error {
	dir, base := filepath.Split(file)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, base+".partial-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	partial := f.Name()
	if err = f.Close(); err == nil {
		err = write(partial)
	}
	if err == nil {
		err = syncFile(partial)
	}
	if err == nil {
		err = os.Rename(partial, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return syncFile(dir)
}

// syncFile makes a file, or the names in a directory, durable.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("making %s durable: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("making %s durable: %w", name, err)
	}
	return nil
}
