package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestBackupWhileWriting: a backup made under load is private, sound, holds all
// that was acknowledged before it began, and stands in nobody's way.
func TestBackupWhileWriting(t *testing.T) {
	o := testOptions(t.TempDir())
	s, stop := running(t, o)
	defer stop()
	ctx, end := context.WithCancel(context.Background())
	acknowledged := make(chan struct{}, 1<<20)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := s.Update(context.Background(), chat.PriorityNormal, addTenant); err != nil {
					t.Error(err)
					return
				}
				acknowledged <- struct{}{}
			}
		})
	}
	defer writers.Wait()
	defer end()
	for least := 100; least <= 300; least += 100 {
		for range 100 {
			<-acknowledged
		}
		to := testOptions(t.TempDir())
		if err := s.Backup(t.Context(), to.Path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(to.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup has mode %v, error %v", info.Mode(), err)
		}
		alone(t, to.Path)
		if found := tenantsIn(t, to); found < least {
			t.Errorf("the backup has %d rows; %d were acknowledged before it began", found, least)
		}
	}
}

// alone demands that nothing lies beside a file.
func alone(t *testing.T, file string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(file) {
		t.Errorf("there are %v, want %s alone", entries, filepath.Base(file))
	}
}

func TestBackupRefuses(t *testing.T) {
	s, stop := running(t, testOptions(t.TempDir()))
	defer stop()
	dir := t.TempDir()
	there := filepath.Join(dir, "there.db")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), there); err == nil || !strings.Contains(err.Error(), "new name") {
		t.Errorf("over another file: %v", err)
	}
	if kept, err := os.ReadFile(there); err != nil || string(kept) != "mine" {
		t.Errorf("the other file is %q now, error %v", kept, err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "missing", "a.db")); err == nil {
		t.Error("a backup was made in a directory that is not there")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ended, filepath.Join(dir, "b.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted backup: %v", err)
	}
	alone(t, there)
}

// backedUp is a backup with one tenant, and the epoch and id of its time.
func backedUp(t *testing.T, o Options) (file, epoch string, id chat.ID) {
	t.Helper()
	s, stop := running(t, o)
	defer stop()
	id = addedTenant(t, s)
	file = filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	return file, s.Epoch(), id
}

func addedTenant(t *testing.T, s *Store) (id chat.ID) {
	t.Helper()
	err := s.Update(t.Context(), chat.PriorityNormal, func(tx chat.Tx) (err error) {
		if id, err = tx.NextID(); err != nil {
			return err
		}
		return tx.CreateTenant(&chat.Tenant{ID: id, Name: id.String()})
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestRestoreBeginsANewHistory: what was stored later is gone, and neither a
// position nor an id of that time can be taken for one of the new history.
func TestRestoreBeginsANewHistory(t *testing.T) {
	o := testOptions(t.TempDir())
	file, epoch, _ := backedUp(t, o)
	s, stop := running(t, o)
	var last chat.ID
	err := s.Update(t.Context(), chat.PriorityNormal, func(tx chat.Tx) (err error) {
		for range 2 * idBlock { // more than was reserved when the backup was made
			if last, err = tx.NextID(); err != nil {
				return err
			}
		}
		return addTenant(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	for range 2 { // a restore over a restored one, too
		if err := Restore(t.Context(), file, o); err != nil {
			t.Fatal(err)
		}
		if found := tenantsIn(t, o); found != 1 {
			t.Fatalf("there are %d tenants, want the one of the backup", found)
		}
		s, stop = running(t, o)
		if s.Epoch() == epoch {
			t.Error("the epoch is that of before")
		}
		epoch = s.Epoch()
		if id := addedTenant(t, s); id <= last {
			t.Errorf("id %d is given out again; %d was known already", id, last)
		}
		stop()
	}
}

// TestRestoreTakesAnyState: whatever is at the path, what is there afterwards
// is the backup and nothing else.
func TestRestoreTakesAnyState(t *testing.T) {
	file, _, _ := backedUp(t, testOptions(t.TempDir()))
	for name, prepare := range map[string]func(t *testing.T, o Options){
		"nothing": func(*testing.T, Options) {},
		"a database that was not closed": func(t *testing.T, o Options) {
			s, stop := running(t, o)
			defer stop()
			addedTenant(t, s)
			addedTenant(t, s)
			for from, to := range map[string]string{o.Path: "crashed", o.Path + "-wal": "crashed-wal"} {
				data, err := os.ReadFile(from)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(filepath.Dir(o.Path), to), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"a damaged one": func(t *testing.T, o Options) {
			for _, name := range []string{o.Path, o.Path + "-wal", o.Path + "-shm"} {
				if err := os.WriteFile(name, bytes.Repeat([]byte("ruin"), 5000), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"a log of nothing": func(t *testing.T, o Options) {
			if err := os.WriteFile(o.Path+"-wal", bytes.Repeat([]byte("ruin"), 5000), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t.TempDir())
			prepare(t, o)
			dir := filepath.Dir(o.Path)
			for _, part := range []string{"", "-wal"} {
				if _, err := os.Stat(filepath.Join(dir, "crashed"+part)); err != nil {
					continue
				}
				if err := os.Rename(filepath.Join(dir, "crashed"+part), o.Path+part); err != nil {
					t.Fatal(err)
				}
			}
			if err := Restore(t.Context(), file, o); err != nil {
				t.Fatal(err)
			}
			alone(t, o.Path)
			if found := tenantsIn(t, o); found != 1 {
				t.Errorf("there are %d tenants, want 1", found)
			}
		})
	}
}

// TestRestoreRefuses: a file that can't be restored changes nothing.
func TestRestoreRefuses(t *testing.T) {
	good, _, _ := backedUp(t, testOptions(t.TempDir()))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	for i := 4096; i+4096 <= len(damaged); i += 4096 {
		copy(damaged[i+8:], bytes.Repeat([]byte{0xff}, 500))
	}
	foreign := testOptions(t.TempDir()).Path
	dsn, err := dataSource(foreign)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connectWith(dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Script(`CREATE TABLE notes (text TEXT)`), c.Close()); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text": []byte(strings.Repeat("a text\n", 1000)), "nothing": nil, "half of it": whole[:len(whole)/2], "damaged": damaged, "something else's": other,
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t.TempDir())
			s, stop := running(t, o)
			addedTenant(t, s)
			addedTenant(t, s)
			stop()
			file := filepath.Join(t.TempDir(), "backup.db")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Restore(t.Context(), file, o); err == nil {
				t.Fatal("it was restored")
			} else {
				t.Log(err)
			}
			alone(t, o.Path)
			if found := tenantsIn(t, o); found != 2 {
				t.Errorf("there are %d tenants, want the 2 of before", found)
			}
		})
	}
}
