package sqlite

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/tolmach/tolmach/internal/chat"
)

// gate is a running store, inside a synctest bubble, whose writer stands still
// in a use case until go on is called, so that a known batch gathers behind it.
type gate struct {
	t       *testing.T
	store   *Store
	batches []Batch
	answers map[string]chan error
	ran     []string // names of the use cases in the order of their runs
	open    chan struct{}
}

func newGate(t *testing.T, change func(*Options)) *gate {
	g := &gate{t: t, answers: map[string]chan error{}}
	o := testOptions(t.TempDir())
	o.Observe = func(b Batch) { g.batches = append(g.batches, b) }
	if change != nil {
		change(&o)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	g.store = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	g.close()
	return g
}

// close makes the writer stand still.
func (g *gate) close() {
	open := make(chan struct{})
	g.open = open
	g.submit("gate", chat.PriorityNormal, func(chat.Tx) error { <-open; return nil })
}

// submit queues a use case and returns when it waits.
func (g *gate) submit(name string, p chat.Priority, fn func(tx chat.Tx) error) {
	answer := make(chan error, 1)
	g.answers[name] = answer
	go func() {
		answer <- g.store.Update(context.Background(), p, func(tx chat.Tx) error {
			g.ran = append(g.ran, name)
			return fn(tx)
		})
	}()
	synctest.Wait()
}

// pass lets the writer go on and waits until it has nothing to do.
func (g *gate) pass() {
	close(g.open)
	synctest.Wait()
}

func (g *gate) answer(name string) error {
	g.t.Helper()
	select {
	case err := <-g.answers[name]:
		return err
	default:
		g.t.Fatalf("%s has no answer", name)
		return nil
	}
}

func (g *gate) want(code chat.Code, names ...string) {
	g.t.Helper()
	for _, name := range names {
		if err := g.answer(name); chat.ErrorCode(err) != code {
			g.t.Errorf("%s was answered %v, want code %q", name, err, code)
		}
	}
}

// kept is the names of the secrets that a use case stored.
func (g *gate) kept(names ...string) []string {
	g.t.Helper()
	var kept []string
	err := g.store.View(context.Background(), func(r chat.Reader) error {
		for _, name := range names {
			_, err := r.Secret(name)
			if err == nil {
				kept = append(kept, name)
			} else if chat.ErrorCode(err) != chat.CodeNotFound {
				return err
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return kept
}

// keep is a use case that stores a secret of the name.
func keep(name string) func(tx chat.Tx) error {
	return func(tx chat.Tx) error { return tx.SaveSecret(name, []byte("x")) }
}
