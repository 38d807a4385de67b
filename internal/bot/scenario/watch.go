package scenario

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// An editor writes, renames and changes modes within a moment; the files are looked at when their directories were
// quiet for settleTime, but in a busy directory at least every settleMost.
const (
	settleTime = 100 * time.Millisecond
	settleMost = time.Second
)

// Watch tells onChange the name of each file, as given, whenever its content has changed on disk. It watches the
// directories, not the files, and compares contents, so it copes with editors and deployments that replace a file or
// a link to it; a file that vanishes is kept in mind until it is back. onChange runs on the caller's goroutine.
// Watch returns nil when ctx ends, and an error when watching can't go on, for example because a directory is gone.
func Watch(ctx context.Context, files []string, onChange func(file string)) error {
	w, err := newWatch(files)
	if err != nil {
		return err
	}
	return w.follow(ctx, onChange)
}

// watch is the files of one call of Watch.
type watch struct {
	signs       *fsnotify.Watcher
	directories map[string]bool
	files       []watched
}

// watched is a file and what was in it when it was last read; ok is false while it can't be read.
type watched struct {
	name string
	sum  [sha256.Size]byte
	ok   bool
}

// newWatch takes note of what is in the files now; every later change is seen by follow, which must be called.
func newWatch(files []string) (*watch, error) {
	signs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("scenario: files can't be watched here: %w", err)
	}
	w := &watch{signs: signs, directories: map[string]bool{}}
	for _, file := range files {
		directory := filepath.Dir(file)
		if err := signs.Add(directory); err != nil {
			return nil, errors.Join(
				fmt.Errorf("scenario: the directory %s can't be watched; check that it exists: %w", directory, err), signs.Close())
		}
		w.directories[directory] = true
		w.files = append(w.files, look(file))
	}
	return w, nil
}

// follow waits for signs and looks at the files after each burst of them.
func (w *watch) follow(ctx context.Context, onChange func(string)) error {
	defer func() { _ = w.signs.Close() }() // nothing is lost with a watch
	quiet, busy := stopped(), stopped()
	defer quiet.Stop()
	defer busy.Stop()
	burst := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.signs.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("scenario: watching files failed: %w", err)
			}
		case sign := <-w.signs.Events:
			if w.directories[sign.Name] && (sign.Has(fsnotify.Remove) || sign.Has(fsnotify.Rename)) {
				return fmt.Errorf("scenario: the directory %s is gone; create it and start again", sign.Name)
			}
		case <-quiet.C:
			w.report(onChange)
			burst = false
			busy.Stop()
			continue
		case <-busy.C:
			w.report(onChange)
			burst = false
			continue
		}
		quiet.Reset(settleTime)
		if !burst {
			burst = true
			busy.Reset(settleMost)
		}
	}
}

// stopped is a timer that waits for its first Reset.
func stopped() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}

// report looks at every file and tells which hold something else than before.
func (w *watch) report(onChange func(string)) {
	for i, before := range w.files {
		now := look(before.name)
		if !now.ok || now.sum == before.sum {
			continue
		}
		w.files[i] = now
		onChange(now.name)
	}
}

// look reads a file as far as a scenario may be long, so that a longer one still counts as changed.
func look(name string) watched {
	w := watched{name: name}
	file, err := os.Open(name)
	if err != nil {
		return w // it may come back
	}
	defer func() { _ = file.Close() }() // only read from
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(file, maxFile+1)); err != nil {
		return w
	}
	sum.Sum(w.sum[:0])
	w.ok = true
	return w
}
