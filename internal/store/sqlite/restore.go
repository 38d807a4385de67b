package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// idGap is what a restore skips: ids given out after the backup was made are
// known to receivers and must not come to mean something else.
const idGap = 1_000_000_000

// Restore makes the database at o.Path the one that Backup wrote into a file,
// brought up to date, under a new epoch: positions of what it replaces mean
// nothing in it. What is at the path stays until the new one is whole and
// checked, and is then replaced at once. Nobody has it open meanwhile: the
// caller sees to that.
func Restore(ctx context.Context, backup string, o Options) error {
	if err := looksRight(backup); err != nil {
		return err
	}
	return publish(o.Path, func(partial string) error {
		fresh := o
		fresh.Path = partial
		err := copyDatabase(ctx, backup, partial)
		if err == nil {
			err = renew(ctx, fresh)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", backup, err), removeAll(partial+"-wal", partial+"-shm"))
		}
		return fold(o.Path)
	})
}

// looksRight refuses early, with plain words, what is no database at all.
func looksRight(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("the backup can't be read: %w", err)
	}
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	if closed := f.Close(); closed != nil {
		return closed
	}
	if err != nil || string(head) != "SQLite format 3\x00" {
		return fmt.Errorf("%s is not a backup of tolmach: it is no SQLite database", file)
	}
	return nil
}

// renew checks a restored copy, brings it up to date, and begins a new history
// in it. It leaves one file.
func renew(ctx context.Context, o Options) error {
	if err := ours(o.Path); err != nil {
		return err
	}
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	s.writer.conn.ctx = ctx
	found, err := s.writer.conn.text(`PRAGMA integrity_check(1)`)
	if err == nil && found != "ok" {
		err = fmt.Errorf("the backup is damaged (%s); take another one", found)
	}
	if err == nil {
		_, err = s.writer.conn.Exec(`UPDATE installation SET value = $1 WHERE name = 'epoch'`, rand.Text())
	}
	if err == nil {
		_, err = s.writer.conn.Exec(`UPDATE sequences SET value = value + $1 WHERE name = 'id'`, idGap)
	}
	return errors.Join(err, s.Close()) // the last to close puts the log into the file
}

// ours refuses a database of something else, which Open would take for a new
// one and fill.
func ours(path string) error {
	dsn, err := dataSource(path)
	if err != nil {
		return err
	}
	c, err := connectWith(dsn, backupPragmas)
	if err != nil {
		return err
	}
	n, err := c.text(`SELECT CAST(count(*) AS TEXT) FROM sqlite_schema WHERE name IN ('schema_migrations', 'installation')`)
	if err == nil && n != "2" {
		err = errors.New("it is a database of something else, not a backup of tolmach")
	}
	return errors.Join(err, c.Close())
}

// fold puts the write-ahead log of the database that is to be replaced into
// its file, so that from here on one rename replaces all of it. A database that
// is too ill for that loses its log.
func fold(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return removeAll(path+"-wal", path+"-shm") // of nothing
	}
	dsn, err := dataSource(path)
	if err != nil {
		return err
	}
	if c, err := connectWith(dsn, writerPragmas); err == nil {
		// What fails here is that database's illness, and it is on its way out.
		_, _ = c.text(`PRAGMA wal_checkpoint(TRUNCATE)`)
		_ = c.Close()
	}
	return removeAll(path+"-wal", path+"-shm")
}

// copyDatabase copies the file of a database, and its log if it has one: a copy
// of a stopped installation may.
func copyDatabase(ctx context.Context, from, to string) error {
	if err := copyFile(ctx, from, to); err != nil {
		return fmt.Errorf("copying it: %w", err)
	}
	if err := copyFile(ctx, from+"-wal", to+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copying its log: %w", err)
	}
	return nil
}

func copyFile(ctx context.Context, from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, while{ctx, in})
	return errors.Join(err, out.Close())
}

// while reads until ctx ends.
type while struct {
	ctx context.Context
	io.Reader
}

func (w while) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Reader.Read(p)
}

func removeAll(names ...string) error {
	var errs []error
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
