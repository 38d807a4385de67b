package scenario

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// watching watches the files; changes come on the channel.
func watching(t *testing.T, files ...string) (changes <-chan string) {
	t.Helper()
	w, err := newWatch(files)
	if err != nil {
		t.Fatal(err)
	}
	seen, done := make(chan string), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		done <- w.follow(ctx, func(file string) {
			select {
			case seen <- file:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watching ended with %v", err)
		}
	})
	return seen
}

// await waits for the next change, which must be of this file.
func await(t *testing.T, changes <-chan string, file string) {
	t.Helper()
	select {
	case got := <-changes:
		if got != file {
			t.Fatalf("%s changed, want %s", got, file)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("nobody saw that %s changed", file)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settled changes a second file until that is seen, which proves that everything before it was looked at:
// then the first change that is told tells whether anything else counted as one.
func settled(t *testing.T, changes <-chan string, marker string) {
	t.Helper()
	write(t, marker, time.Now().String())
	await(t, changes, marker)
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	bot, marker := filepath.Join(dir, "bot.yaml"), filepath.Join(dir, "marker.yaml")
	write(t, bot, "one")
	write(t, marker, "")
	changes := watching(t, bot, marker)
	settled(t, changes, marker)

	write(t, bot, "two") // in place
	await(t, changes, bot)

	write(t, bot+".new", "three") // replaced, as editors and deployments do
	if err := os.Rename(bot+".new", bot); err != nil {
		t.Fatal(err)
	}
	await(t, changes, bot)

	write(t, bot, "four") // the watch survived the replacement
	await(t, changes, bot)

	write(t, bot, "four") // the same content is no change
	if err := os.Chmod(bot, 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "other.yaml"), "x") // somebody else's file
	settled(t, changes, marker)

	if err := os.Rename(bot, bot+"~"); err != nil { // away, and back with another content
		t.Fatal(err)
	}
	settled(t, changes, marker)
	write(t, bot, "five")
	await(t, changes, bot)
}

func TestWatchFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "bot.yaml"), version)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "current")
	link("current/bot.yaml", "bot.yaml")
	bot, marker := filepath.Join(dir, "bot.yaml"), filepath.Join(dir, "marker.yaml")
	write(t, marker, "")
	changes := watching(t, bot, marker)
	settled(t, changes, marker)
	link("v2", "next")
	if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	await(t, changes, bot)
}

func TestWatchRefuses(t *testing.T) {
	if err := Watch(t.Context(), []string{filepath.Join(t.TempDir(), "no", "bot.yaml")}, nil); err == nil {
		t.Error("a directory that isn't there was accepted")
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Watch(ctx, []string{filepath.Join(t.TempDir(), "bot.yaml")}, nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsThatADirectoryIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := newWatch([]string{filepath.Join(dir, "bot.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := w.follow(t.Context(), nil); err == nil {
		t.Error("got no error")
	}
}

// A directory that is never quiet must not hide a change.
func TestWatchInABusyDirectory(t *testing.T) {
	dir := t.TempDir()
	bot := filepath.Join(dir, "bot.yaml")
	write(t, bot, "one")
	changes := watching(t, bot)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(settleTime / 10); ctx.Err() == nil; <-tick.C {
			if err := os.WriteFile(filepath.Join(dir, "noise"), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	write(t, bot, "two")
	await(t, changes, bot)
	cancel()
	<-done
}
