package postgres

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// member is a use case in a batch. It runs until it must know something of the
// database, stands still while the batch asks for all of them at once, and goes
// on with its answer: only one of them runs at a time. It is the connection and
// the source of ids of its transaction.
type member struct {
	batch *batch
	job   *job
	next  func() (struct{}, bool) // lets it run on; false when it has ended
	stop  func()
	yield func(struct{}) bool // stands still; false when it must end

	allowed bool // the statement is one of those that may be in a batch
	later   []statement
	ask     statement // what it waits for; no query: only for what comes later
	reads   bool      // it waits for rows
	rows    pgx.Rows
	changed int64
	failure error // of what it asked

	wantsIDs   bool    // it waits for a block of ids, and for nothing else
	id, lastID chat.ID // what is left of the block

	wrote bool  // the server has had something of it that changes rows
	last  bool  // it goes on when all others have ended
	sole  bool  // they have: it may do everything
	left  error // why it is not part of the batch any more, or nil
	done  bool
	err   error // of the use case
}

// Why a member leaves its batch.
var (
	errAlone  = errors.New("the use case needs a transaction of its own")
	errOthers = errors.New("the use case needs what another one of its batch works on")
	errOver   = errors.New("the batch is over")
)

func newMember(b *batch, j *job) *member {
	m := &member{batch: b, job: j}
	m.next, m.stop = iter.Pull(func(yield func(struct{}) bool) {
		m.yield = yield
		m.err = m.call()
		m.done = true
	})
	return m
}

// call runs the use case. A panic is its own error.
func (m *member) call() (err error) {
	defer func() {
		if v := recover(); v != nil {
			m.batch.store.log.Error("store.use_case_panicked", "stack", string(debug.Stack()))
			err = fmt.Errorf("a use case panicked: %v", v)
		}
	}()
	if err = m.job.run(m); err != nil {
		m.later = nil // nobody has seen it
		return err
	}
	if len(m.later) == 0 || m.left != nil {
		return nil
	}
	return m.wait(statement{}, false)
}

// leave takes it out of the batch, whatever the use case makes of the error.
func (m *member) leave(why error) error {
	if m.left == nil {
		m.left = why
	}
	return m.left
}

// part keeps it from what it can't do beside others. As long as nothing of it
// has been sent it leaves. Later that would cost everybody the transaction, so
// it waits for the others to end, and then goes on as if it came after them.
func (m *member) part(why error) error {
	if !m.wrote {
		return m.leave(why)
	}
	m.last = true
	if !m.yield(struct{}{}) {
		return m.leave(errOver)
	}
	return nil
}

// take owns something, if no other member does, until the batch ends: the
// server's locks are the batch's, they part no members. What a member had that
// has left, and so changed nothing, is free: else two that want the same in
// opposite orders would both go, time and again.
func (m *member) take(what thing) bool {
	if owner := m.batch.owned[what]; owner != nil && owner != m && owner.left == nil && !m.sole {
		return false
	}
	m.batch.owned[what] = m
	return true
}

// own takes what is about to be read or written.
func (m *member) own(what thing) error {
	if m.left == nil && !m.take(what) {
		return m.part(errOthers)
	}
	return m.left
}

// ownRead takes what was read. It is too late to wait.
func (m *member) ownRead(what thing) error {
	if m.left == nil && !m.take(what) {
		return m.leave(errOthers)
	}
	return m.left
}

// queue adds what it waits for to an exchange.
func (m *member) queue(exchange *pgx.Batch) {
	for _, s := range m.later {
		exchange.Queue(s.query, s.args...)
		m.wrote = true
	}
	if m.ask.query != "" {
		exchange.Queue(m.ask.query, m.ask.args...)
	}
}

// wait stands still until the batch has asked.
func (m *member) wait(ask statement, reads bool) error {
	m.ask, m.reads, m.failure = ask, reads, nil
	if !m.yield(struct{}{}) {
		return m.leave(errOver)
	}
	if m.left != nil {
		return m.left
	}
	return m.failure
}

// ready says whether a statement may be in a batch, and makes its arguments
// ready.
func (m *member) ready(args []any) error {
	if m.left != nil {
		return m.left
	}
	if !m.allowed && !m.sole {
		if err := m.part(errAlone); err != nil {
			return err
		}
	}
	return plain(args)
}

// Exec implements sqldb.Conn.
func (m *member) Exec(query string, args ...any) (int64, error) {
	if err := m.ready(args); err != nil {
		return 0, err
	}
	m.wrote = true
	err := m.wait(statement{query: query, args: args}, false)
	return m.changed, err
}

// Query implements sqldb.Conn. The rows must be read before the next statement.
func (m *member) Query(query string, args ...any) (sqldb.Rows, error) {
	if err := m.ready(args); err != nil {
		return nil, err
	}
	if err := m.wait(statement{query: query, args: args}, true); err != nil {
		return nil, err
	}
	return &rows{Rows: m.rows, watch: m.batch.watch}, nil
}

// Later implements sqldb.Writer.
func (m *member) Later(query string, args []any, check func(changed int64, err error) error) error {
	if err := m.ready(args); err != nil {
		return err
	}
	m.later = append(m.later, statement{query, args, check})
	return nil
}

// NextID implements sqldb.IDs. Its block is taken when the first id is asked
// for, as in a transaction of its own (ids.go).
func (m *member) NextID() (chat.ID, error) {
	if m.left != nil {
		return 0, m.left
	}
	if m.id == m.lastID {
		m.wantsIDs = true
		if err := m.wait(statement{}, false); err != nil {
			return 0, fmt.Errorf("reserving ids: %w", err)
		}
	}
	m.id++
	return m.id, nil
}
