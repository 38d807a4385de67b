package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile is the file in the data directory that the lock is on.
const lockFile = "lock"

// lockDir takes the lock of a data directory, making the directory when it is
// missing. One process at a time has it; the system frees it when the process
// ends, however it ends. The caller calls unlock.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory can't be made: %w", err)
	}
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory can't be written: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closed := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrDirInUse, dir)
		}
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), closed)
	}
	return f.Close, nil
}

// ErrDirInUse says that another process works in the data directory.
var ErrDirInUse = errors.New("another tolmach works in this data directory; stop it, or use another --data")
