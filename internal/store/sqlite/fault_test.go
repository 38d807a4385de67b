package sqlite

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestIllDisk: while a disk fails, whatever way, nobody is told that something
// is stored, everybody that it is not now, and reading goes on; when it works
// again the store works again, and all that was acknowledged is there, even if
// the power is cut next and the failed sync has lost its pages for good.
func TestIllDisk(t *testing.T) {
	for name, fail := range map[string]func(o op) int32{
		"a sync of the log fails":       failing(opSync, "-wal", lib.SQLITE_IOERR_FSYNC),
		"writes to the log fail":        failing(opWrite, "-wal", lib.SQLITE_IOERR_WRITE), // a file system gone read-only
		"the disk is full":              failing(opWrite, "-wal", lib.SQLITE_FULL),
		"the disk is full half the way": someOf(failing(opWrite, "-wal", lib.SQLITE_FULL)),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			o := testOptions(t.TempDir())
			o.vfs = d.name
			s, stop := running(t, o)
			svc := core(t, s)
			tenant, task := setUp(t, svc)
			sent := [callers]int{}
			send := func(caller int) error {
				err := say(svc, tenant, task, caller, sent[caller])
				if err == nil {
					d.mark(acknowledged{caller, sent[caller]})
					sent[caller]++
				}
				return err
			}
			for round := range 3 {
				for caller := range callers {
					if err := send(caller); err != nil {
						t.Fatalf("round %d, a well disk: %v", round, err)
					}
				}
				d.failing(fail)
				refused := 0
				for caller := range callers {
					switch err := send(caller); {
					case chat.ErrorCode(err) == chat.CodeUnavailable:
						refused++
					case err != nil:
						t.Errorf("an ill disk gave %v, want CodeUnavailable", err)
					}
				}
				if refused == 0 || refused < callers && !strings.Contains(name, "half") {
					t.Errorf("%d of %d calls were refused by an ill disk", refused, callers)
				}
				if has := said(t, s); has[0] < sent[0] {
					t.Errorf("%d messages can be read, %d were acknowledged", has[0], sent[0])
				}
				d.failing(nil)
			}
			for caller := range callers {
				if err := send(caller); err != nil {
					t.Errorf("after the illness: %v", err)
				}
			}
			stop()
			random := rand.New(rand.NewPCG(rand.Uint64(), 0))
			ops := d.recorded()
			for range 6 {
				if lost, _, _ := reopen(t, ops[:moment(ops, random)], random); lost > 0 {
					t.Errorf("%d acknowledged messages are lost by a power cut around the illness", lost)
				}
			}
		})
	}
}

// failing fails operations of a kind on a file.
func failing(kind opKind, suffix string, code int32) func(o op) int32 {
	return func(o op) int32 {
		if o.kind == kind && strings.HasSuffix(o.file, suffix) {
			return code
		}
		return 0
	}
}

// someOf lets every third through.
func someOf(fail func(o op) int32) func(o op) int32 {
	n := 0
	return func(o op) int32 {
		if n++; n%3 == 0 {
			return 0
		}
		return fail(o)
	}
}

// TestFilesTakenAway: whoever deletes or replaces a file of an open database
// ends the writer. What was acknowledged before and at that moment is stored,
// as long as the database itself is there.
func TestFilesTakenAway(t *testing.T) {
	for name, c := range map[string]struct {
		take  func(path string) error
		saved bool
	}{
		"the log is deleted":           {func(path string) error { return os.Remove(path + "-wal") }, true},
		"the shared memory is deleted": {func(path string) error { return os.Remove(path + "-shm") }, true},
		"both are": {func(path string) error {
			return errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		}, true},
		"the log is replaced": {func(path string) error {
			return errors.Join(os.Remove(path+"-wal"), os.WriteFile(path+"-wal", nil, 0o600))
		}, true},
		"the database is moved away": {func(path string) error { return os.Rename(path, path+".old") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t.TempDir())
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Run(t.Context()) }()
			<-s.Ready()
			acked := 0
			for range 5 {
				addedTenant(t, s)
				acked++
			}
			if err := c.take(o.Path); err != nil {
				t.Fatal(err)
			}
			err = s.Update(context.Background(), chat.PriorityNormal, addTenant)
			switch {
			case err == nil:
				acked++
			case chat.ErrorCode(err) != chat.CodeUnavailable:
				t.Errorf("the next write: %v, want CodeUnavailable", err)
			}
			if c.saved != (err == nil) {
				t.Errorf("the next write: %v", err)
			}
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(err.Error(), filepath.Base(o.Path)) {
					t.Errorf("Run ended with %v, want it to name the file", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the writer goes on")
			}
			if code := chat.ErrorCode(s.Update(context.Background(), chat.PriorityNormal, addTenant)); code != chat.CodeUnavailable {
				t.Errorf("after that: code %q", code)
			}
			if !c.saved {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			copyNow := copiedFile(t, o) // without a log: what a kill -9 would leave now
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for moment, there := range map[string]Options{"as a kill leaves it": copyNow, "after the end": o} {
				if found := tenantsIn(t, there); found != acked {
					t.Errorf("%s there are %d tenants, %d were acknowledged", moment, found, acked)
				}
			}
		})
	}
}

// TestClockStepsBack: messages go on in order and their lanes are due at once
// when the machine's clock is set back, while the store is open or between two
// runs.
func TestClockStepsBack(t *testing.T) {
	o := testOptions(t.TempDir())
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return now }
	sent := 0
	for range 3 {
		s, stop := running(t, o)
		svc := core(t, s)
		tenant, task := setUp(t, svc)
		for range 3 {
			if err := say(svc, tenant, task, 0, sent); err != nil {
				t.Fatal(err)
			}
			sent++
			now = now.Add(-time.Hour)
		}
		if has := said(t, s); has[0] != sent {
			t.Errorf("%d messages are stored, %d were acknowledged", has[0], sent)
		}
		rising(t, s)
		for _, e := range svc.Catalog().Endpoints() {
			if e.Kind != chat.EndpointIntegration {
				continue
			}
			if err := svc.ReleaseLanes(t.Context()); err != nil { // as a start does
				t.Fatal(err)
			}
			if lanes, err := svc.ClaimLanes(t.Context(), e, 10, time.Minute); err != nil || len(lanes) != 1 {
				t.Errorf("claimed %d lanes, error %v; want the one of the conversation", len(lanes), err)
			}
		}
		stop()
	}
}

// rising demands that the moments of every log rise strictly.
func rising(t *testing.T, s *Store) {
	t.Helper()
	err := s.View(t.Context(), func(r chat.Reader) error {
		tenants, err := r.Tenants()
		if err != nil {
			return err
		}
		list, err := r.Conversations(tenants[0].ID, chat.ConversationFilter{Limit: 10})
		if err != nil {
			return err
		}
		entries, err := r.Events(tenants[0].ID, list[0].ID, 0, 1000)
		for i := 1; i < len(entries); i++ {
			if entries[i].At <= entries[i-1].At || entries[i].ID <= entries[i-1].ID {
				t.Errorf("event %d is at %d, id %d; the one before at %d, id %d", entries[i].Seq, entries[i].At, entries[i].ID, entries[i-1].At, entries[i-1].ID)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
