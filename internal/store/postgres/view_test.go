package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// TestViewsTogether: views that share a state each see a whole one while others
// write, and one that fails, panics or wants more spoils nobody's.
func TestViewsTogether(t *testing.T) {
	s := started(t, pgtest.Shared(t).Database(t))
	const talks, rounds, readers = 4, 30, 24
	var ids [talks]chat.ID
	for i := range ids {
		ids[i] = newTalk(t, s)
	}
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			for range rounds {
				update(t, s, sayIn(id))
			}
		})
	}
	var seen [readers]int64
	for i := range readers {
		all.Go(func() {
			for seen[i] < rounds {
				err := s.View(context.Background(), func(r chat.Reader) error { return lookAt(r, ids[i%talks], i, &seen[i]) })
				if failed := i%6 == 4 || i%6 == 5; failed != (err != nil) {
					t.Errorf("reader %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// lookAt reads a conversation and its log, then does what its number says.
func lookAt(r chat.Reader, id chat.ID, number int, seen *int64) error {
	conv, err := r.Conversation(tenant, id)
	if err != nil {
		return err
	}
	events, err := r.Events(tenant, id, 0, 1000)
	if err != nil {
		return err
	}
	if int64(len(events)) != conv.Seq || conv.Seq < *seen {
		return errors.New("the log and its number are of different moments, or of an earlier one")
	}
	*seen = conv.Seq
	switch number % 6 {
	case 3:
		_, err = r.Feed(tenant, 0, 1)
	case 4:
		panic("a bug")
	case 5:
		return errRefusal
	}
	return err
}
