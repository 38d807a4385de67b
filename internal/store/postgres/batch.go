package postgres

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// A batch takes what waits when it begins, up to its size; it never waits for
// more.
const (
	batchSize    = 64
	commitPlaces = 2

	// batchLocks is how long a batch waits for somebody else's lock: all its
	// members wait with it. It is shorter than the server's own look for
	// deadlocks, so two batches, of different nodes, that wait for each other end here.
	batchLocks = `SET LOCAL lock_timeout = '50ms'`
)

// batch is use cases that share a transaction. What they ask goes to the
// server together, one exchange for all of them, round after round, until each
// has ended; then one commit serves all. They are answered after it: even a
// refusal may rest on what another member wrote.
//
// No member sees another one's rows half written, for it owns what it works on
// (see together). When one fails after it wrote, or a statement fails, the
// transaction is given up: that one runs alone, the others in another batch.
type batch struct {
	store   *Store
	ctx     context.Context // of every statement
	pg      *pgx.Conn
	now     chat.Micros
	worked  func() // lets the next one begin, before the commit
	members []*member
	owned   map[thing]*member
	marked  bool    // the transaction has its mark (ids.go)
	failed  error   // the first statement that the server refused
	culprit *member // because of whom the transaction is given up
}

// share runs a use case in a batch; errAlone when it can't be in one.
func (s *Store) share(ctx context.Context, fn func(tx chat.Tx) error) error {
	j := newJob(ctx, func(m *member) error {
		return fn(&together{Tx: sqldb.NewTx(m, s.dialect, m.batch.now, m), m: m})
	})
	for {
		if err := s.gate.together(j, s.lead); !errors.Is(err, errOthers) {
			return err
		}
		j = j.afresh()
	}
}

// lead runs one batch, and says when nothing is left of it but the commit. It goes on without its leader's context: it is not his
// alone.
func (s *Store) lead(jobs []*job, worked func()) {
	ctx, cancel := context.WithTimeout(context.Background(), workPatience)
	defer cancel()
	pg, now, release, err := s.begin(ctx, writing, batchLocks)
	if err != nil {
		for _, j := range jobs {
			j.answer <- err
		}
		return
	}
	defer release()
	b := &batch{store: s, ctx: ctx, pg: pg, now: now, worked: worked, owned: map[thing]*member{}}
	b.run(jobs)
	b.finish()
}

// run lets the use cases run until all have ended or the transaction is lost.
func (b *batch) run(jobs []*job) {
	for _, j := range jobs {
		m := newMember(b, j)
		b.members = append(b.members, m)
		defer m.stop()
		b.resume(m)
	}
	for !b.lost() && (b.round() || b.nextLast()) {
		failpoint.Here("store.mid_batch")
	}
}

// nextLast lets one of those go on that waited for all others to end.
func (b *batch) nextLast() bool {
	for _, m := range b.members {
		if m.last && !m.sole && !m.done {
			m.sole = true
			b.resume(m)
			return true
		}
	}
	return false
}

// resume lets a member run until it waits again or has ended.
func (b *batch) resume(m *member) {
	m.next()
	if m.rows != nil {
		m.rows.Close()
		_ = b.watch(m.rows.Err()) // the batch remembers it
		m.rows = nil
	}
	if b.failed != nil || m.done && m.wrote && (m.err != nil || m.left != nil) {
		b.culprit = m
	}
}

// round asks the server what the members wait for and lets them go on. It says
// whether there was anybody.
func (b *batch) round() bool {
	var asking, wanting []*member
	exchange := &pgx.Batch{}
	for _, m := range b.members {
		switch {
		case m.done || m.left != nil || m.last && !m.sole:
		case m.wantsIDs:
			wanting = append(wanting, m)
		default:
			asking = append(asking, m)
			m.queue(exchange)
		}
	}
	b.queueIDs(exchange, len(wanting))
	if exchange.Len() == 0 {
		return false
	}
	answers := b.pg.SendBatch(b.ctx, exchange)
	for _, m := range asking {
		if b.tell(answers, m); b.culprit != nil {
			break
		}
	}
	var blocks []chat.ID
	if b.culprit == nil && len(wanting) > 0 {
		blocks = b.readIDs(answers)
	}
	_ = b.watch(answers.Close()) // the batch remembers it
	for i, last := range blocks {
		if b.failed != nil {
			break
		}
		wanting[i].takeBlock(last)
		b.resume(wanting[i])
	}
	return true
}

// tell gives a member the answers to what it asked.
func (b *batch) tell(answers pgx.BatchResults, m *member) {
	for _, s := range m.later {
		tag, err := answers.Exec()
		if err := s.check(tag.RowsAffected(), b.watch(err)); err != nil {
			b.culprit = m
			return
		}
	}
	m.later = m.later[:0]
	switch {
	case m.ask.query == "":
	case m.reads:
		m.rows, m.failure = answers.Query()
	default:
		tag, err := answers.Exec()
		m.changed, m.failure = tag.RowsAffected(), b.watch(err)
	}
	b.resume(m)
}

// watch remembers the first statement that failed.
func (b *batch) watch(err error) error {
	if err == nil {
		return nil
	}
	err = translate(err, b.pg.IsClosed())
	if b.failed == nil {
		b.failed = err
	}
	return err
}

// finish commits and tells everybody.
func (b *batch) finish() {
	ctx := context.Background() // what was begun is ended
	if b.lost() {
		b.store.rollback(ctx, b.pg)
		b.giveUp()
		return
	}
	raced, failure := b.commit(ctx)
	if raced {
		failure = errAlone
	}
	b.answer(failure)
}

// lost says whether the transaction is to be given up.
func (b *batch) lost() bool { return b.culprit != nil || b.failed != nil }

// answer tells every member what came of it, or the failure of them all.
func (b *batch) answer(failure error) {
	for _, m := range b.members {
		m.job.answer <- cmp.Or(m.left, failure, m.err)
	}
}

// giveUp tells every member what to do after the transaction was given up.
func (b *batch) giveUp() {
	for _, m := range b.members {
		m.job.answer <- b.verdict(m)
	}
}

// commit makes what the members did durable, if any did something.
func (b *batch) commit(ctx context.Context) (raced bool, err error) {
	kept := 0
	for _, m := range b.members {
		if m.left == nil && m.err == nil {
			kept++
		}
	}
	if kept == 0 {
		b.store.rollback(ctx, b.pg)
		return false, nil
	}
	b.worked()
	defer failpoint.Here("store.committed")
	return b.store.commit(ctx, b.pg, kept)
}

// verdict is what a member does after the transaction was given up: again with
// others, unless it is to blame, or nobody is known to be.
func (b *batch) verdict(m *member) error {
	if b.culprit == nil || m == b.culprit || errors.Is(m.left, errAlone) {
		return errAlone
	}
	return errOthers
}
