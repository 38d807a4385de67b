package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

func addTenant(name string) func(tx chat.Tx) error {
	return func(tx chat.Tx) error {
		id, err := tx.NextID()
		if err != nil {
			return err
		}
		return tx.CreateTenant(&chat.Tenant{ID: id, Name: name})
	}
}

func tenants(t testing.TB, s *Store) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := s.View(context.Background(), func(r chat.Reader) error {
		list, err := r.Tenants()
		for _, one := range list {
			names[one.Name] = true
		}
		return err
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return names
}

// backend is the server's process of a transaction.
const backend = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint >> 21 = $1
	AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// TestKilledInTheMiddle: a use case whose connection is lost before the commit
// is run again, on another one.
func TestKilledInTheMiddle(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s, c := started(t, url), spy(t, url)
	runs := 0
	update(t, s, func(tx chat.Tx) error {
		if _, err := tx.NextID(); err != nil {
			return err
		}
		if runs++; runs == 1 {
			ask[bool](t, c, `SELECT pg_terminate_backend((`+backend+`), 10000)`, markedBits)
		}
		return addTenant("a")(tx)
	})
	if runs != 2 || !tenants(t, s)["a"] {
		t.Errorf("%d runs, stored %v; want the second to be stored", runs, tenants(t, s))
	}
}

// TestKilledAtTheCommit: nobody is told that it is stored when nobody knows,
// and it is not run again by itself.
func TestKilledAtTheCommit(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s, c := started(t, url), spy(t, url)
	runs := 0
	err := s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
		runs++
		if err := addTenant("a")(tx); err != nil {
			return err
		}
		ask[bool](t, c, `SELECT pg_terminate_backend((`+backend+`), 10000)`, markedBits)
		return nil
	})
	if chat.ErrorCode(err) != chat.CodeUnavailable || runs != 1 {
		t.Errorf("got %v after %d runs, want unavailable after one", err, runs)
	}
	if len(tenants(t, s)) != 0 {
		t.Error("it is stored")
	}
	update(t, s, addTenant("a"))
}

// TestAnswerOfTheCommitLost: the commit is done and its answer does not arrive.
// The caller is told to repeat, and the key finds what is stored.
func TestAnswerOfTheCommitLost(t *testing.T) {
	database := pgtest.Shared(t).Database(t)
	wire := newWire(t, database)
	s := started(t, wire.url)
	key := &chat.IdempotencyKey{TenantID: tenant, Scope: "s", Key: "k", MessageID: 7}
	use := func(cut bool) error {
		return s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
			_, err := tx.Key(tenant, "s", "k")
			if chat.ErrorCode(err) != chat.CodeNotFound {
				return err
			}
			if err := errors.Join(addTenant("a")(tx), tx.PutKey(key)); err != nil {
				return err
			}
			wire.cut.Store(cut)
			return nil
		})
	}
	if err := use(true); chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Fatalf("with the answer lost: %v, want unavailable", err)
	}
	if !tenants(t, s)["a"] {
		t.Fatal("the commit had not been done; the test proves nothing")
	}
	if err := use(false); err != nil {
		t.Errorf("repeated: %v", err)
	}
}

// wire passes bytes between a store and its server. With cut set it loses the
// server's next answer, and the connection with it.
type wire struct {
	url    string
	server string
	cut    atomic.Bool
	open   sync.WaitGroup
}

func newWire(t *testing.T, database string) *wire {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{server: u.Host}
	u.Host = l.Addr().String()
	w.url = u.String()
	w.open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.open.Go(func() { w.pass(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.open.Wait()
	})
	return w
}

func (w *wire) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	w.open.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil || w.cut.CompareAndSwap(true, false) {
			return
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

// TestRestartUnderLoad: a server that crashes and comes back costs refusals and
// nothing that was acknowledged; the store goes on by itself.
func TestRestartUnderLoad(t *testing.T) {
	server := pgtest.Private(t)
	s := started(t, server.Database(t))
	var mu sync.Mutex
	acknowledged := []string{}
	stop := make(chan struct{})
	end := sync.OnceFunc(func() { close(stop) })
	defer end()
	var writers sync.WaitGroup
	enough := make(chan struct{}, 1<<16)
	for w := range 8 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("%d/%d", w, n)
				switch err := s.Update(context.Background(), chat.PriorityNormal, addTenant(name)); chat.ErrorCode(err) {
				case "":
					mu.Lock()
					acknowledged = append(acknowledged, name)
					mu.Unlock()
					enough <- struct{}{}
				case chat.CodeUnavailable:
				default:
					t.Errorf("while the server restarts: %v", err)
				}
			}
		})
	}
	for _, mode := range []string{"immediate", "fast"} {
		for range 50 {
			<-enough
		}
		server.Control(t, "restart", "-m", mode)
		for len(enough) > 0 {
			<-enough
		}
	}
	for range 50 { // by itself
		<-enough
	}
	end()
	writers.Wait()
	stored := tenants(t, s)
	for _, name := range acknowledged {
		if !stored[name] {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	t.Logf("%d acknowledged, %d stored", len(acknowledged), len(stored))

	server.Control(t, "stop", "-m", "fast")
	if err := s.Update(t.Context(), chat.PriorityNormal, addTenant("x")); chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Errorf("Update without a server: %v, want unavailable", err)
	}
	if err := s.View(t.Context(), func(chat.Reader) error { return nil }); chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Errorf("View without a server: %v, want unavailable", err)
	}
	if _, err := s.Horizon(t.Context()); chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Errorf("Horizon without a server: %v, want unavailable", err)
	}
	server.Control(t, "start")
	update(t, s, addTenant("x"))
}
