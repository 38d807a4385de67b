package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestGatheredWrites: the pages of a commit reach the log in one write, before
// the sync that the acknowledgement waits for.
func TestGatheredWrites(t *testing.T) {
	d := newDisk(t)
	o := testOptions(t.TempDir())
	o.vfs = d.name
	s, stop := running(t, o)
	defer stop()
	for i := range 3 {
		if err := s.Update(context.Background(), chat.PriorityNormal, secrets(i*10, 10, 3000)); err != nil {
			t.Fatal(err)
		}
		d.mark(i)
	}
	var since string // what happened to the log after the last mark
	commits := 0
	for _, o := range d.recorded() {
		switch {
		case o.mark == 0: // what came before is how the log begins
			since = ""
		case o.mark != nil:
			if commits++; since != "ws" {
				t.Errorf("a commit was %q to the log, want one write and one sync", since)
			}
			since = ""
		case strings.HasSuffix(o.file, "-wal"):
			since += map[opKind]string{opWrite: "w", opSync: "s", opTruncate: "t"}[o.kind]
		}
	}
	if commits != 2 {
		t.Fatalf("%d commits were looked at, want 2", commits)
	}
}

// TestGatheredSpill: a transaction greater than the engine's cache and than
// what is gathered reads what it wrote, and so does everybody after it.
func TestGatheredSpill(t *testing.T) {
	s, stop := running(t, testOptions(t.TempDir()))
	defer stop()
	ctx := context.Background()
	all := func(read func(name string) ([]byte, error)) error {
		for i := range 400 {
			v, err := read(fmt.Sprint("secret ", i))
			if err != nil {
				return err
			}
			if want := strings.Repeat(string(rune('a'+i%26)), 10_000); string(v) != want {
				return fmt.Errorf("secret %d is another one", i)
			}
		}
		return nil
	}
	err := s.Update(ctx, chat.PriorityNormal, func(tx chat.Tx) error {
		if err := s.writer.conn.Script(`PRAGMA cache_size = 20`); err != nil {
			return err
		}
		if err := secrets(0, 400, 10_000)(tx); err != nil {
			return err
		}
		return all(tx.Secret)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.View(ctx, func(r chat.Reader) error { return all(r.Secret) }); err != nil {
		t.Error(err)
	}
}

// TestWriterSyncs: gathering rests on the log being synced before its pages
// are made known.
func TestWriterSyncs(t *testing.T) {
	s := opened(t, testOptions(t.TempDir()))
	if full, err := s.writer.conn.number(`PRAGMA synchronous`); err != nil || full != 2 {
		t.Errorf("synchronous is %d (%v), want FULL", full, err)
	}
}

// secrets writes so many of a size, from a number on.
func secrets(from, count, size int) func(tx chat.Tx) error {
	return func(tx chat.Tx) error {
		for i := from; i < from+count; i++ {
			v := strings.Repeat(string(rune('a'+i%26)), size)
			if err := tx.SaveSecret(fmt.Sprint("secret ", i), []byte(v)); err != nil {
				return err
			}
		}
		return nil
	}
}
