package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/migrations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testOptions(dir string) Options {
	return Options{
		Path: filepath.Join(dir, "tolmach.db"), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Readers: 1,
	}
}

// opened is a store whose writer does not run.
func opened(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// running is a store whose writer runs; stop ends both.
func running(t testing.TB, o Options) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, run(t, s)
}

// run lets the writer of an open store run; stop ends both.
func run(t testing.TB, s *Store) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// recorded opens a running store whose statements are added to the set before
// it stops.
func recorded(t *testing.T, dir string, statements map[string]bool) (chat.Store, func()) {
	s, stop := running(t, testOptions(dir))
	return s, func() {
		err := s.Update(context.Background(), chat.PriorityBulk, func(chat.Tx) error {
			for query := range s.writer.conn.statements {
				statements[query] = true
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		err = s.pool.view(context.Background(), func(c *conn) error {
			for query := range c.statements {
				statements[query] = true
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		stop()
	}
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a dir with 100% odd # names?")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := testOptions(dir)
	for _, before := range []os.FileMode{0, 0o644} { // a new file, then one that others may read
		if before != 0 {
			if err := os.Chmod(o.Path, before); err != nil {
				t.Fatal(err)
			}
		}
		s, stop := running(t, o)
		if err := s.Update(t.Context(), chat.PriorityNormal, keep("a")); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{o.Path, o.Path + "-wal", o.Path + "-shm"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
			}
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
		stop()
	}
}

func TestOpenRefuses(t *testing.T) {
	known, err := migrations.List(migrations.Words{})
	if err != nil {
		t.Fatal(err)
	}
	script := func(text string) func(t *testing.T, o *Options) {
		return func(t *testing.T, o *Options) {
			s := opened(t, *o)
			if err := s.writer.conn.Script(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, o *Options)
		says    string
	}{
		"a directory that is not there": {
			func(_ *testing.T, o *Options) { o.Path = filepath.Join(filepath.Dir(o.Path), "missing", "a.db") }, "create it",
		},
		"a directory": {func(_ *testing.T, o *Options) { o.Path = filepath.Dir(o.Path) }, "is not a file"},
		"a file of something else": {
			func(t *testing.T, o *Options) {
				if err := os.WriteFile(o.Path, []byte(strings.Repeat("something else\n", 100)), 0o600); err != nil {
					t.Fatal(err)
				}
			}, "not a database",
		},
		"a newer schema": {
			script(fmt.Sprintf(`INSERT INTO schema_migrations VALUES (%d, 'of_tomorrow', 0)`, len(known)+1)), "newer version",
		},
		"a schema of another branch": {
			script(`UPDATE schema_migrations SET name = 'other' WHERE version = 2`), "another branch",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t.TempDir())
			c.prepare(t, &o)
			s, err := Open(t.Context(), o)
			if err == nil {
				t.Error(s.Close())
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Fatalf("the error is %q, want it to say %q", err, c.says)
			}
		})
	}
}

// TestMigrationResumes: a step that fails is undone, named, and done when what
// stood in its way is gone.
func TestMigrationResumes(t *testing.T) {
	o := testOptions(t.TempDir())
	dsn, err := dataSource(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connectWith(dsn, writerPragmas)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := c.Script(`CREATE TABLE timers (of INTEGER)`); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "migration 0002 delivery") {
		t.Fatalf("Open: store %v, error %v; want it to name the step", s, err)
	}
	tables, err := c.text(`SELECT group_concat(name, ' ') FROM sqlite_schema WHERE name IN ('clients', 'lanes', 'logins')`)
	if err != nil || tables != "clients" {
		t.Fatalf("there are tables %q, error %v; want those of the first step alone", tables, err)
	}
	if err := c.Script(`DROP TABLE timers`); err != nil {
		t.Fatal(err)
	}
	opened(t, o)
}

func TestCheckEndsWithItsContext(t *testing.T) {
	s := opened(t, testOptions(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Check: %v, want the context's error", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("the next Check: %v", err)
	}
}

func TestCheckVersion(t *testing.T) {
	for version, good := range map[string]bool{
		"3.51.3": true, "3.51.2": false, "3.52.0": true, "3.9.99": false, "4.0.0": true, "": false, "new": false,
	} {
		if err := checkVersion(version); (err == nil) != good {
			t.Errorf("checkVersion(%q) = %v", version, err)
		}
	}
}

// TestClockNeverGoesBack: neither with the machine's clock, nor over a
// transaction.
func TestClockNeverGoesBack(t *testing.T) {
	moments := []int64{100, 50, 101, 0}
	c := clock{now: func() time.Time { return time.UnixMicro(moments[0]) }}
	var got []chat.Micros
	for len(moments) > 0 {
		got = append(got, c.micros())
		moments = moments[1:]
	}
	if want := []chat.Micros{100, 100, 101, 101}; !slices.Equal(got, want) {
		t.Fatalf("the clock said %v, want %v", got, want)
	}
}
