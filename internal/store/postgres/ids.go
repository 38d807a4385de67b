package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
)

// idBlock is how many ids one step of the sequence is worth, as its INCREMENT
// says. What a transaction leaves of a block is never used.
const idBlock = 16

// lockSpace keeps our advisory locks apart from anybody else's: its upper ten
// bits say whose they are, the lower 53 hold an id.
const lockSpace = int64(0x2B7) << 53

// ids gives out the ids of one transaction, from blocks of its own. They are
// taken when the first is asked for, after the rows are locked: so the ids of
// one conversation rise with its log, whichever nodes write it.
//
// Before the first block the transaction takes an advisory lock, shared, that
// names an id below all it will give out. Whoever reads by id sees from these
// locks how far all transactions have ended (horizon.go).
type ids struct {
	conn       *conn
	next, last int64
}

const (
	firstBlock = `WITH mark AS MATERIALIZED (
		SELECT pg_advisory_xact_lock_shared($1 + last_value)::text AS taken FROM ids)
	SELECT nextval('ids') FROM mark WHERE taken IS NOT NULL`
	nextBlock = `SELECT nextval('ids')`
)

// NextID implements sqldb.IDs.
func (s *ids) NextID() (chat.ID, error) {
	if s.next == s.last {
		if err := s.reserve(); err != nil {
			return 0, fmt.Errorf("reserving ids: %w", err)
		}
	}
	s.next++
	return chat.ID(s.next), nil
}

func (s *ids) reserve() (err error) {
	var last int64
	if s.last == 0 {
		last, err = value[int64](s.conn, firstBlock, lockSpace)
	} else {
		last, err = value[int64](s.conn, nextBlock)
	}
	if err == nil {
		s.next, s.last = last-idBlock, last
	}
	return err
}

// Blocks for several members of a batch at once.
const (
	firstBlocks = `WITH mark AS MATERIALIZED (
		SELECT pg_advisory_xact_lock_shared($1 + last_value)::text AS taken FROM ids)
	SELECT nextval('ids') FROM mark, generate_series(1, $2) WHERE taken IS NOT NULL`
	nextBlocks = `SELECT nextval('ids') FROM generate_series(1, $1)`
)

// queueIDs asks for n blocks, after everything else that is asked: nobody's ids
// are older than his locks.
func (b *batch) queueIDs(exchange *pgx.Batch, n int) {
	switch {
	case n == 0:
	case b.marked:
		exchange.Queue(nextBlocks, n)
	default:
		exchange.Queue(firstBlocks, lockSpace, n)
		b.marked = true
	}
}

func (b *batch) readIDs(answers pgx.BatchResults) []chat.ID {
	rows, err := answers.Query()
	if err == nil {
		var blocks []chat.ID
		if blocks, err = pgx.CollectRows(rows, pgx.RowTo[chat.ID]); err == nil {
			return blocks
		}
	}
	_ = b.watch(err) // the batch remembers it
	return nil
}

// takeBlock makes the member's ids those up to last.
func (m *member) takeBlock(last chat.ID) {
	m.wantsIDs, m.id, m.lastID = false, last-idBlock, last
}
