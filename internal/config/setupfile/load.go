package setupfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tolmach/tolmach/internal/chat"
)

// Load reads the setup file at a path and the scenario files below its
// directory. Errors are those of the file system, or Parse's.
func Load(file string, lookup func(name string) (string, bool)) ([]chat.Setup, Positions, error) {
	src, err := read(file)
	if err != nil {
		return nil, Positions{}, fmt.Errorf("the setup file can't be read: %w", err)
	}
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, Positions{}, fmt.Errorf("the directory of the setup file can't be read: %w", err)
	}
	setups, positions, err := Parse(file, src, Options{Lookup: lookup, Files: root.FS()})
	if closing := root.Close(); err == nil {
		err = closing
	}
	return setups, positions, err
}

// read takes one byte more than a setup file may have, which Parse refuses.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return src, errors.Join(err, f.Close())
}
