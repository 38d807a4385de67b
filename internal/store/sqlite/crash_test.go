package sqlite

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestCopyInTheMiddleOfWriting opens copies of the files, made while the store
// writes, as a crash would have left them: all that was acknowledged before a
// copy is in it.
func TestCopyInTheMiddleOfWriting(t *testing.T) {
	o := testOptions(t.TempDir())
	s, stop := running(t, o)
	defer stop()
	err := s.Update(t.Context(), chat.PriorityNormal, func(chat.Tx) error {
		// So that the log only grows between the copies of the two files.
		return s.writer.conn.Script(`PRAGMA wal_autocheckpoint = 0`)
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	acknowledged := make(chan struct{}, 1<<20)
	var writers sync.WaitGroup
	for range 8 {
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
	for least := 100; least <= 500; least += 100 {
		for range 100 {
			<-acknowledged
		}
		if found := tenantsIn(t, copied(t, o)); found < least {
			t.Errorf("the copy has %d rows; %d were acknowledged before it was made", found, least)
		}
	}
}

func addTenant(tx chat.Tx) error {
	id, err := tx.NextID()
	if err != nil {
		return err
	}
	return tx.CreateTenant(&chat.Tenant{ID: id, Name: id.String()})
}

// copied copies the files of a database to a directory of their own.
func copied(t *testing.T, o Options) Options {
	t.Helper()
	return copiedParts(t, o, "", "-wal")
}

// copiedFile copies the database's own file alone.
func copiedFile(t *testing.T, o Options) Options {
	t.Helper()
	return copiedParts(t, o, "")
}

func copiedParts(t *testing.T, o Options, parts ...string) Options {
	t.Helper()
	to := testOptions(t.TempDir())
	for _, suffix := range parts {
		data, err := os.ReadFile(o.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to.Path+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func tenantsIn(t *testing.T, o Options) int {
	t.Helper()
	s := opened(t, o)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := 0
	err := s.View(t.Context(), func(r chat.Reader) error {
		tenants, err := r.Tenants()
		count = len(tenants)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}
