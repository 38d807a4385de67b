package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestBulkWaitsButDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		nothing := func(chat.Tx) error { return nil }
		for i := range 3 {
			g.submit(fmt.Sprintf("bulk %d", i), chat.PriorityBulk, nothing)
		}
		for i := range batchSize {
			g.submit(fmt.Sprintf("normal %d", i), chat.PriorityNormal, nothing)
		}
		g.pass()
		// The first batch is the gate and 127 others, then one bulk use case;
		// the second the last of the others and the second of the bulk.
		at := func(name string) int { return slices.Index(g.ran, name) }
		if at("bulk 0") != batchSize || at("normal 127") != batchSize+1 || at("bulk 1") != batchSize+2 {
			t.Fatalf("bulk use cases ran at %d and %d, the last other at %d", at("bulk 0"), at("bulk 1"), at("normal 127"))
		}
		g.want("", "bulk 0", "bulk 1", "bulk 2")
		sizes := []int{g.batches[0].Size, g.batches[1].Size, g.batches[2].Size}
		if !slices.Equal(sizes, []int{batchSize + 1, 2, 1}) {
			t.Fatalf("batches were of %v", sizes)
		}
	})
}

func TestFullQueueRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.Queue = 2 })
		g.submit("a", chat.PriorityNormal, keep("a"))
		g.submit("b", chat.PriorityNormal, keep("b"))
		g.submit("too many", chat.PriorityNormal, keep("too many"))
		g.want(chat.CodeUnavailable, "too many")
		g.submit("bulk", chat.PriorityBulk, keep("bulk"))
		g.pass()
		g.want("", "a", "b", "bulk")
		if got := g.kept("too many"); len(got) != 0 {
			t.Fatal("a refused use case was run")
		}
	})
}

// TestCallerLeaves: one who leaves before his turn is spared, one who leaves
// during it has his work done.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		leave := func(name string, fn func(tx chat.Tx) error) (context.CancelFunc, chan error) {
			ctx, cancel := context.WithCancel(context.Background())
			answer := make(chan error, 1)
			go func() { answer <- g.store.Update(ctx, chat.PriorityNormal, fn) }()
			synctest.Wait()
			return cancel, answer
		}
		cancel, answer := leave("early", keep("early"))
		cancel()
		synctest.Wait()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("who left early was told %v", err)
		}
		working, goOn := make(chan struct{}), make(chan struct{})
		cancel, answer = leave("late", func(tx chat.Tx) error {
			close(working)
			<-goOn
			return keep("late")(tx)
		})
		g.pass()
		<-working
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("who left late was told %v", err)
		}
		close(goOn)
		synctest.Wait()
		if got := g.kept("early", "late"); !slices.Equal(got, []string{"late"}) {
			t.Fatalf("kept %v, want late", got)
		}
	})
}

func TestLifeCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, testOptions(t.TempDir()))
		update := func() chat.Code {
			return chat.ErrorCode(s.Update(context.Background(), chat.PriorityNormal, keep("a")))
		}
		if code := update(); code != chat.CodeUnavailable {
			t.Errorf("before Run: code %q", code)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		<-s.Ready()
		if code := update(); code != "" {
			t.Errorf("while it runs: code %q", code)
		}
		if err := s.Run(ctx); err == nil {
			t.Error("a second Run was let in")
		}

		// What waits when the end comes is answered; what is being done is finished.
		hold, done, waits := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		go func() {
			done <- s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
				<-hold
				return keep("last")(tx)
			})
		}()
		synctest.Wait()
		cancel()
		close(hold)
		go func() { waits <- s.Update(context.Background(), chat.PriorityBulk, keep("never")) }()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("what was being done: %v", err)
		}
		if err := <-waits; err != nil && chat.ErrorCode(err) != chat.CodeUnavailable {
			t.Errorf("what waited: %v", err)
		}
		if code := update(); code != chat.CodeUnavailable {
			t.Errorf("after Run: code %q", code)
		}
	})
}
