package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestBatchIsOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		for i := range 10 {
			g.submit(fmt.Sprint(i), chat.PriorityNormal, keep(fmt.Sprint(i)))
		}
		g.pass()
		if len(g.batches) != 1 || g.batches[0].Size != 11 || g.batches[0].Failed != 0 {
			t.Fatalf("batches were %+v, want one of 11 use cases", g.batches)
		}
		if got := g.kept("0", "9"); len(got) != 2 {
			t.Fatalf("kept %v", got)
		}
	})
}

func TestBatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		for i := range batchSize + 5 {
			g.submit(fmt.Sprint(i), chat.PriorityNormal, keep(fmt.Sprint(i)))
		}
		g.pass()
		if len(g.batches) != 2 || g.batches[0].Size != batchSize || g.batches[1].Size != 6 {
			t.Fatalf("batches were %+v, want %d and 6", g.batches, batchSize)
		}
	})
}

func TestOneFailsInABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		g.submit("a", chat.PriorityNormal, keep("a"))
		g.submit("refused", chat.PriorityNormal, func(tx chat.Tx) error {
			return errors.Join(keep("refused")(tx), chat.Errorf(chat.CodeClosed, "no"))
		})
		g.submit("panics", chat.PriorityNormal, func(tx chat.Tx) error {
			if err := keep("panics")(tx); err != nil {
				return err
			}
			panic("a bug")
		})
		g.submit("b", chat.PriorityNormal, keep("b"))
		g.pass()
		g.want("", "a", "b")
		g.want(chat.CodeClosed, "refused")
		g.want(chat.CodeInternal, "panics")
		if got := g.kept("a", "refused", "panics", "b"); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("kept %v, want a and b", got)
		}
		if len(g.batches) != 1 {
			t.Fatalf("batches were %+v, want one", g.batches)
		}
	})
}

// TestEngineGivesUpTheTransaction: the one it happened to is told, everybody
// else's work is done again.
func TestEngineGivesUpTheTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		g.submit("a", chat.PriorityNormal, keep("a"))
		g.submit("refused", chat.PriorityNormal, func(chat.Tx) error { return chat.Errorf(chat.CodeClosed, "no") })
		g.submit("aborted", chat.PriorityNormal, func(tx chat.Tx) error {
			if err := keep("aborted")(tx); err != nil {
				return err
			}
			return g.store.writer.conn.Script(`ROLLBACK`) // what a full disk may do
		})
		g.submit("b", chat.PriorityNormal, keep("b"))
		g.pass()
		g.want("", "a", "b")
		g.want(chat.CodeClosed, "refused")
		g.want(chat.CodeUnavailable, "aborted")
		if got := g.kept("a", "aborted", "b"); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("kept %v, want a and b", got)
		}
		if runs := slices.DeleteFunc(g.ran, func(name string) bool { return name != "a" }); len(runs) != 2 {
			t.Fatalf("a ran %d times, want twice", len(runs))
		}
	})
}

// TestFullDisk fills the disk in the middle of a batch.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		g.submit("a", chat.PriorityNormal, keep("a"))
		swallowed := error(nil)
		g.submit("large", chat.PriorityNormal, func(tx chat.Tx) error {
			if err := g.store.writer.conn.Script(`PRAGMA max_page_count = 1`); err != nil { // no less than there are
				return err
			}
			swallowed = tx.SaveSecret("large", make([]byte, 1<<20))
			return keep("after")(tx) // and the use case goes on as if nothing were
		})
		g.submit("b", chat.PriorityNormal, keep("b"))
		g.pass()
		if chat.ErrorCode(swallowed) != chat.CodeUnavailable {
			t.Errorf("the failed write was answered %v, want code %q", swallowed, chat.CodeUnavailable)
		}
		g.want("", "a", "b")
		g.want(chat.CodeUnavailable, "large")
		if got := g.kept("a", "large", "after", "b"); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("kept %v, want a and b", got)
		}
	})
}

// TestCommitFails: nobody is told that it is stored, and the store recovers.
func TestCommitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		g.submit("a", chat.PriorityNormal, keep("a"))
		g.submit("spoils", chat.PriorityNormal, func(chat.Tx) error { // a debt that only COMMIT collects
			return g.store.writer.conn.Script(`CREATE TABLE debt (id INTEGER PRIMARY KEY, of INTEGER
				REFERENCES debt (id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO debt VALUES (1, 2)`)
		})
		g.submit("refused", chat.PriorityNormal, func(chat.Tx) error { return chat.Errorf(chat.CodeClosed, "no") })
		g.pass()
		g.want(chat.CodeUnavailable, "gate", "a", "spoils", "refused")
		if got := g.kept("a"); len(got) != 0 {
			t.Fatalf("kept %v, want nothing", got)
		}
		if last := g.batches[len(g.batches)-1]; last.Err == nil || last.Failed != 4 {
			t.Fatalf("the observer was told %+v, want the failure", last)
		}
		g.close()
		g.submit("b", chat.PriorityNormal, keep("b"))
		g.pass()
		g.want("", "b")
		if got := g.kept("b"); len(got) != 1 {
			t.Fatal("b is not kept after the store recovered")
		}
	})
}

// TestIDsAfterRollback: a block of ids reserved in what was rolled back is
// reserved again, and no id comes twice.
func TestIDsAfterRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		seen := map[chat.ID]string{}
		for i := range 6 {
			name := fmt.Sprint(i)
			g.submit(name, chat.PriorityNormal, func(tx chat.Tx) error {
				var ids []chat.ID
				for range idBlock/2 + 100 {
					id, err := tx.NextID()
					if err != nil {
						return err
					}
					ids = append(ids, id)
				}
				if i%2 == 1 {
					return chat.Errorf(chat.CodeClosed, "no")
				}
				for _, id := range ids {
					if other, taken := seen[id]; taken {
						return fmt.Errorf("id %d went to %s and %s", id, other, name)
					}
					seen[id] = name
				}
				return nil
			})
		}
		g.pass()
		g.want("", "0", "2", "4")
		g.want(chat.CodeClosed, "1", "3", "5")
	})
}
