package sqlite

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// Batch is what the observer is told of one batch.
type Batch struct {
	Size    int           // use cases answered
	Failed  int           // of them, with an error
	Took    time.Duration // from the first use case to the commit
	Commit  time.Duration // the commit alone
	Waiting int           // use cases in the queues when it was done
	Err     error         // why the commit failed, or nil
}

// batch is the use cases of one transaction. Nobody is answered before its
// end: even a refusal may rest on what another use case of the batch wrote.
type batch struct {
	writer *writer
	began  time.Time
	jobs   []*job
	open   bool // a transaction is open
	kept   int  // use cases whose work is in it

	// over says that the engine gave the transaction up because of one use
	// case. The others are orphans: they run again, each in a batch of its own.
	over    bool
	orphans []*job

	refused error // why no transaction could begin: nobody else waits for that
}

// full says that the batch has had its time or its size.
func (b *batch) full() bool {
	return len(b.jobs) >= batchSize || b.writer.clock.now().Sub(b.began) >= batchTime
}

// run runs one use case in a savepoint of its own, unless nothing else is in
// the transaction yet: then the transaction serves as one.
func (b *batch) run(j *job) {
	if j.ctx.Err() != nil {
		return // the caller left before it began
	}
	b.jobs = append(b.jobs, j)
	if j.err = b.begin(); j.err != nil {
		return
	}
	b.writer.sequence.mark()
	b.writer.cache.mark()
	nested := b.kept > 0
	var err error
	if nested {
		_, err = b.writer.conn.Exec(`SAVEPOINT job`)
	}
	if err == nil {
		j.err = b.call(j)
		err = b.settle(j.err == nil, nested)
	}
	if err != nil {
		b.abandon(j, err)
	}
	failpoint.Here("store.mid_batch")
}

// begin opens the transaction if it is not open.
func (b *batch) begin() error {
	if b.open || b.refused != nil {
		return b.refused
	}
	c, err := b.writer.connection()
	if err == nil {
		_, err = c.Exec(`BEGIN IMMEDIATE`)
	}
	if err == nil {
		err = b.writer.notice()
	}
	if err != nil {
		b.refused = fmt.Errorf("beginning to write: %w", err)
		return b.refused
	}
	b.open, b.kept = true, 0
	return nil
}

// call runs the use case. A panic is its own error and nobody else's. What the
// engine failed at counts, whatever the use case made of it.
func (b *batch) call(j *job) (err error) {
	w := b.writer
	guarded := &guard{conn: w.conn, cache: w.cache}
	w.sequence.conn = guarded
	defer func() {
		if v := recover(); v != nil {
			w.log.Error("store.use_case_panicked", "stack", string(debug.Stack()))
			err = fmt.Errorf("a use case panicked: %v", v)
		}
		if guarded.failed != nil {
			err = guarded.failed
		}
	}()
	return j.fn(&tx{sqldb.NewTx(guarded, w.dialect, w.clock.micros(), &w.sequence), guarded, w.cache})
}

// settle keeps or takes back what the use case wrote. An error means that the
// transaction is gone.
func (b *batch) settle(keep, nested bool) error {
	c := b.writer.conn
	if keep {
		b.kept++
		if !nested {
			return nil
		}
		_, err := c.Exec(`RELEASE job`)
		return err
	}
	b.writer.sequence.undo()
	b.writer.cache.undo()
	if !nested {
		b.open = false
		_, err := c.Exec(`ROLLBACK`)
		return err
	}
	if _, err := c.Exec(`ROLLBACK TO job`); err != nil {
		return err
	}
	_, err := c.Exec(`RELEASE job`)
	return err
}

// abandon ends a batch whose transaction the engine gave up, as it does on a
// full disk. The use case it happened to is told; the others did nothing wrong.
func (b *batch) abandon(culprit *job, cause error) {
	b.writer.discard(cause)
	b.open, b.over = false, true
	if culprit.err == nil {
		culprit.err = unavailable("the server could not store it; try again", cause)
	}
	b.orphans = slices.DeleteFunc(b.jobs, func(j *job) bool { return j == culprit })
	b.jobs = []*job{culprit}
}

// finish commits and answers everyone.
func (b *batch) finish() {
	began := b.writer.clock.now()
	failure := b.commit()
	failpoint.Here("store.committed")
	done := b.writer.clock.now()
	failed := 0
	for _, j := range b.jobs {
		if failure != nil {
			j.err = failure
		}
		if j.err != nil {
			failed++
		}
		j.answer <- j.err
	}
	if observe := b.writer.observe; observe != nil {
		observe(Batch{
			Size: len(b.jobs), Failed: failed, Took: done.Sub(b.began), Commit: done.Sub(began),
			Waiting: len(b.writer.normal) + len(b.writer.bulk), Err: failure,
		})
	}
}

// commit makes the batch durable. When it fails nobody can know whether the
// batch is stored, so nobody is told that it is.
func (b *batch) commit() error {
	if !b.open {
		return nil
	}
	b.open = false
	if _, err := b.writer.conn.Exec(`COMMIT`); err != nil {
		b.writer.discard(err)
		return inDoubt(err)
	}
	w := b.writer
	if w.lost = w.present.check(); w.lost == nil {
		return nil
	}
	if err := w.rescue(); err != nil {
		w.log.Error("store.not_rescued", "error", err)
		return inDoubt(errors.Join(w.lost, err))
	}
	return nil
}

// inDoubt says what is wrong, where that is known, and what to do.
func inDoubt(cause error) error {
	message := "the server can't tell whether it is stored; repeat it with the same idempotency key"
	var known *chat.Error
	if errors.As(cause, &known) {
		message = known.Message + ". It may be stored all the same: repeat it with the same idempotency key"
	}
	return unavailable(message, cause)
}
