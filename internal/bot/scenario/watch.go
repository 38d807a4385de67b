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

// An editor writes, renames and changes modes within a moment; a file is looked at when its directory was quiet for
// settleTime, but no later than settleMost after the first sign.
const (
	settleTime = 100 * time.Millisecond
	settleMost = time.Second
)

// watched is a file and what was in it when it was last seen; ok is false while it can't be read.
type watched struct {
	name string
	sum  [sha256.Size]byte
	ok   bool
}

// Watch tells onChange the name of each file, as given, whenever its content has changed on disk. It watches the
// directories, not the files, and compares contents, so it copes with editors and deployments that replace a file or
// a link to it; a file that vanishes is kept in mind until it is back. onChange runs on the caller's goroutine.
// Watch returns nil when ctx ends, and an error when watching can't go on, for example because a directory is gone.
func Watch(ctx context.Context, files []string, onChange func(file string)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("scenario: files can't be watched here: %w", err)
	}
	defer func() { _ = watcher.Close() }() // nothing is lost with a watch
	directories := map[string]bool{}
	for _, file := range files {
		directories[filepath.Dir(file)] = true
	}
	for directory := range directories {
		if err := watcher.Add(directory); err != nil {
			return fmt.Errorf("scenario: the directory %s can't be watched; check that it exists: %w", directory, err)
		}
	}
	list := make([]watched, len(files))
	for i, file := range files {
		list[i] = look(file)
	}
	return follow(ctx, watcher, directories, list, onChange)
}

// follow waits for signs and looks at the files after each burst of them.
func follow(ctx context.Context, watcher *fsnotify.Watcher, directories map[string]bool, list []watched, onChange func(string)) error {
	quiet := time.NewTimer(0) // at once: a file may have changed between the first look and the first sign
	defer quiet.Stop()
	latest := time.NewTimer(settleMost)
	defer latest.Stop()
	inBurst := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("scenario: watching files failed: %w", err)
			}
			quiet.Reset(settleTime) // signs were lost, so look at everything
		case sign := <-watcher.Events:
			if directories[sign.Name] && (sign.Has(fsnotify.Remove) || sign.Has(fsnotify.Rename)) {
				return fmt.Errorf("scenario: the directory %s is gone; create it and start again", sign.Name)
			}
			if !inBurst {
				inBurst = true
				latest.Reset(settleMost)
			}
			quiet.Reset(settleTime)
		case <-quiet.C:
			inBurst = false
			report(list, onChange)
		case <-latest.C:
			if inBurst {
				report(list, onChange)
				latest.Reset(settleMost)
			}
		}
	}
}

// report looks at every file and tells which hold something else than before.
func report(list []watched, onChange func(string)) {
	for i, before := range list {
		now := look(before.name)
		if !now.ok || now.sum == before.sum {
			continue
		}
		list[i] = now
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
