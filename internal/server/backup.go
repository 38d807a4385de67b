package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/store/postgres"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// backupRequest and backupAnswer are the call behind `tolmach backup`.
type backupRequest struct {
	File string `json:"file"` // absolute
}

type backupAnswer struct {
	Size  int64  `json:"size"`
	Error string `json:"error,omitempty"`
}

// backup lets the server that has the database open write the backup: it ends
// early when the caller goes away.
func (a *admin) backup(w http.ResponseWriter, r *http.Request) {
	var in backupRequest
	if !readAdmin(w, r, &in) {
		return
	}
	var answer backupAnswer
	var err error
	if answer.Size, err = writeBackup(r.Context(), a.core.store, in.File); err != nil {
		answer.Error = err.Error()
	}
	writeAdmin(w, answer)
}

// backuper is a store that can copy itself while it works.
type backuper interface {
	Backup(ctx context.Context, file string) error
}

// writeBackup writes a backup and returns its size.
func writeBackup(ctx context.Context, store any, file string) (int64, error) {
	b, able := store.(backuper)
	if !able {
		return 0, errors.New("this installation's database is a server of its own; back it up with that server's means")
	}
	if !filepath.IsAbs(file) {
		return 0, fmt.Errorf("the path of the backup, %s, must be absolute here", file)
	}
	if err := b.Backup(ctx, file); err != nil {
		return 0, err
	}
	return sizeOf(file)
}

func sizeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Backup writes the database of a data directory into a new file, whether a
// server runs there or not, and returns its size in bytes. With a server it is
// the server that writes, as its user and where it may write.
func Backup(ctx context.Context, data, file string) (size int64, err error) {
	file, err = filepath.Abs(file)
	if err != nil {
		return 0, err
	}
	client := dialAdmin(ctx, data)
	if client == nil {
		return backupOffline(ctx, data, file)
	}
	var answer backupAnswer
	if err := client.call(ctx, "/backup", backupRequest{file}, &answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, errors.New(answer.Error)
	}
	if seen, err := sizeOf(file); err != nil || seen != answer.Size {
		return 0, fmt.Errorf("the server wrote %s, but where it sees that path is not where you do (a private /tmp?); "+
			"choose a directory that both see", file)
	}
	return answer.Size, nil
}

// backupOffline copies a database that nobody works with. It changes nothing in
// it: a newer tolmach does not bring the schema up to date here.
func backupOffline(ctx context.Context, data, file string) (size int64, err error) {
	if _, err := os.Stat(filepath.Join(data, databaseFile)); err != nil {
		return 0, fmt.Errorf("%s holds no database: %w", filepath.Clean(data), err)
	}
	unlock, err := lockDir(data)
	if err != nil {
		return 0, err
	}
	defer func() { err = firstOf(err, unlock()) }()
	if err := sqlite.Backup(ctx, filepath.Join(data, databaseFile), file); err != nil {
		return 0, err
	}
	return sizeOf(file)
}

// Restore makes a backup the database of a data directory, where no server
// runs. A directory that holds anything is refused unless force is set; then
// its database is replaced.
func Restore(ctx context.Context, data, file string, force bool, log io.Writer) (err error) {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("the backup can't be read: %w", err)
	}
	unlock, err := lockDir(data)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, unlock()) }()
	holds, err := contents(data)
	if err != nil {
		return err
	}
	if len(holds) > 0 && !force {
		return fmt.Errorf("%s is not empty (it holds %s); restore into a new directory, or replace its database with --force",
			filepath.Clean(data), holds[0])
	}
	return sqlite.Restore(ctx, file, sqlite.Options{
		Path: filepath.Join(data, databaseFile), Now: time.Now, Logger: quiet(log), Readers: 1,
	})
}

// Renew begins a new history in a PostgreSQL database that was put back to an
// earlier state and that no server works with.
func Renew(ctx context.Context, where config.Storage, log io.Writer) error {
	return postgres.Renew(ctx, postgres.Options{URL: where.Database, Logger: quiet(log)})
}

// contents lists what a directory holds besides the lock and a socket that was
// left over.
func contents(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !slices.Contains([]string{lockFile, adminSocket}, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
