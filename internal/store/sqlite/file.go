package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// prepareFile makes sure that the database file exists, in a directory that
// does, and is its owner's alone. SQLite gives the files beside it (-wal,
// -shm) the same mode.
func prepareFile(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("the directory %s of the database is not there; create it, or choose another path", dir)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Only a file that is not open yet is opened here: closing it would
		// drop the locks of whoever has the database open in this process.
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("creating the database: %w", err)
		}
		// The names must last as long as what is acknowledged: that of the file,
		// and that of a directory that was made just before.
		return errors.Join(f.Close(), syncFile(dir), syncFile(filepath.Dir(filepath.Clean(dir))))
	case err != nil:
		return fmt.Errorf("looking for the database: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file; give the path of a database", path)
	case info.Mode().Perm()&0o077 != 0:
		if err := os.Chmod(path, 0o600); err != nil {
			return fmt.Errorf("others may read the database and that can't be changed: %w", err)
		}
	}
	return nil
}

// dataSource names the file in a URI, whatever characters its path has.
func dataSource(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("the path of the database: %w", err)
	}
	return "file:" + (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath(), nil
}
