package sqlite

import (
	"errors"
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// idBlock is how many ids one write of the sequences row reserves. What is
// left of a block when the process ends is never used.
const idBlock = 1000

// maxID is the greatest integer that JavaScript reads exactly.
const maxID = 1<<53 - 1

// sequence gives out ids from a block in memory. The one writer owns it. A
// block taken inside what is rolled back is not reserved, so it is forgotten;
// ids of an older block are merely skipped.
type sequence struct {
	conn       sqldb.Conn // of the running use case
	next, last int64      // the ids left in the block: next…last
	fresh      bool       // the block was taken since the last mark
}

// NextID implements sqldb.IDs.
func (s *sequence) NextID() (chat.ID, error) {
	if s.next == 0 || s.next > s.last {
		if err := s.reserve(); err != nil {
			return 0, err
		}
	}
	id := s.next
	s.next++
	return chat.ID(id), nil
}

func (s *sequence) reserve() error {
	rows, err := s.conn.Query(`UPDATE sequences SET value = value + $1 WHERE name = 'id' RETURNING value`, idBlock)
	if err != nil {
		return fmt.Errorf("reserving ids: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("reserving ids: the row of the sequence is missing; restore a backup"))
	}
	var last int64
	if err := rows.Scan(&last); err != nil {
		return fmt.Errorf("reserving ids: %w", err)
	}
	if last > maxID {
		return fmt.Errorf("reserving ids: %d is past the greatest id, %d", last, maxID)
	}
	s.next, s.last, s.fresh = last-idBlock+1, last, true
	return nil
}

// mark begins a span of work that may be rolled back.
func (s *sequence) mark() { s.fresh = false }

// undo forgets the block if it was taken in the span that was rolled back.
func (s *sequence) undo() {
	if s.fresh {
		s.forget()
	}
}

// forget makes the next id come from a new block.
func (s *sequence) forget() { s.next, s.last, s.fresh = 0, 0, false }
