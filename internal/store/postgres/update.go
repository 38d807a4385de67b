package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	// tries bounds how often a use case is run that lost to others each time.
	tries = 10
	// takenTries bounds it for a key that was found taken: the second run sees
	// who took it, unless that one lost a race as well.
	takenTries = 3
	// lostTries bounds it for a connection that failed.
	lostTries = 2

	writing = `BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE`
)

// Update implements chat.Store. fn runs in a batch with others, on the
// goroutine of whoever leads it, or else, as bulk work does, in a transaction of
// its own on the caller's. When ctx ends before fn has begun nothing is stored;
// after that, what comes of it is waited for. CodeUnavailable when the store does not run, when too many wait, when
// the database can't be reached, or when the answer to the commit was lost: the
// caller can't know then whether it is stored, and repeats it under its
// idempotency key.
func (s *Store) Update(ctx context.Context, priority chat.Priority, fn func(tx chat.Tx) error) error {
	if priority == chat.PriorityNormal {
		if err := s.share(ctx, fn); !errors.Is(err, errAlone) {
			return err
		}
	}
	return s.alone(ctx, priority, fn)
}

// alone runs a use case in a transaction of its own.
func (s *Store) alone(ctx context.Context, priority chat.Priority, fn func(tx chat.Tx) error) error {
	leave, err := s.gate.enter(ctx, priority)
	if err != nil {
		return err
	}
	defer leave()
	for try := 1; ; try++ {
		t := &trial{store: s, fn: fn}
		err := t.run(ctx)
		if err == nil || ctx.Err() != nil || !t.again(try) {
			return err
		}
		pause := time.NewTimer(rand.N(time.Duration(try) * 2 * time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// trial is one run of a use case in a transaction of its own.
type trial struct {
	store *Store
	fn    func(tx chat.Tx) error
	raced bool // it lost to others, and nothing of it is stored
	taken bool // it found a key taken, and nothing of it is stored
	lost  bool // its connection failed, and nothing of it is stored
}

// again says whether the use case may win when it is run once more.
func (t *trial) again(try int) bool {
	return t.raced && try < tries || t.taken && try < takenTries || t.lost && try < lostTries
}

func (t *trial) run(ctx context.Context) error {
	c, now, release, err := t.store.begin(ctx, writing)
	if err != nil {
		return err
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	work := &conn{ctx: limited, pg: c}
	x := newTx(work, t.store.dialect, now)
	err = t.call(x, work)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		t.raced, err = t.store.commit(ctx, c, 1)
		return err
	}
	t.raced, t.lost = isRaced(work.failed), c.IsClosed()
	t.taken = chat.ErrorCode(err) == chat.CodeConflict && x.Taken()
	t.store.rollback(ctx, c)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// call runs the use case. A panic is its own error. What the engine failed at
// counts, whatever the use case made of it; a refusal it may have explained.
func (t *trial) call(x *tx, c *conn) (err error) {
	defer func() {
		if v := recover(); v != nil {
			t.store.log.Error("store.use_case_panicked", "stack", string(debug.Stack()))
			err = fmt.Errorf("a use case panicked: %v", v)
		}
		switch {
		case c.failed != nil && !isConstraint(c.failed):
			err = c.failed
		case c.refused != nil:
			err = c.refused
		case c.failed != nil && err == nil:
			err = &chat.Error{Code: chat.CodeConflict, Message: "it exists already", Err: c.failed}
		}
	}()
	if err := t.fn(x); err != nil {
		return err
	}
	return c.flush()
}

// commit makes so many use cases durable, whether the caller still waits or
// not. Only an answer says what became of them; raced says that nothing is
// stored and another run may win.
func (s *Store) commit(ctx context.Context, c *pgx.Conn, size int) (raced bool, err error) {
	began := time.Now()
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience)
	defer cancel()
	tag, err := c.Exec(detached, `COMMIT`)
	switch {
	case err == nil && tag.String() == "COMMIT":
	case err == nil:
		err = errors.New("the database took the transaction back")
	case isRaced(err):
		raced, err = true, translate(err, false)
	default:
		s.failed(err)
		err = unavailable("the server can't tell whether it is stored; repeat it with the same idempotency key", err)
	}
	if s.observe != nil {
		s.observe(Commit{Size: size, Took: time.Since(began), Waiting: s.gate.length(), Err: err})
	}
	return raced, err
}

// begin takes a connection and begins a transaction on it. Connections that
// died while nobody used them are given up until one lives.
func (s *Store) begin(ctx context.Context, how ...string) (c *pgx.Conn, now chat.Micros, release func(), err error) {
	for range s.pool.Config().MaxConns + 1 {
		var held *pgxpool.Conn
		if held, err = s.pool.Acquire(ctx); err != nil {
			break
		}
		if now, err = s.start(ctx, held.Conn(), how); err == nil {
			s.recovered()
			return held.Conn(), now, held.Release, nil
		}
		dead := held.Conn().IsClosed()
		held.Release() // the pool closes one that is dead or inside a transaction
		if !dead {
			break
		}
	}
	if ctx.Err() != nil {
		return nil, 0, nil, ctx.Err()
	}
	s.failed(err)
	return nil, 0, nil, unavailable("the server has lost its database; try again", err)
}

// start begins and asks for the moment, in one exchange.
func (s *Store) start(ctx context.Context, c *pgx.Conn, how []string) (chat.Micros, error) {
	limited, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	b := &pgx.Batch{}
	for _, statement := range how {
		b.Queue(statement)
	}
	b.Queue(`SELECT transaction_timestamp()`)
	answers := c.SendBatch(limited, b)
	var now time.Time
	var err error
	for range how {
		if _, err = answers.Exec(); err != nil {
			break
		}
	}
	if err == nil {
		err = answers.QueryRow().Scan(&now)
	}
	if err = errors.Join(err, answers.Close()); err != nil {
		return 0, err
	}
	s.clock.set(now)
	return chat.MicrosOf(now), nil
}

// rollback ends a transaction that is not to be stored. A connection on which
// that fails is closed by the pool, which ends it as well.
func (s *Store) rollback(ctx context.Context, c *pgx.Conn) {
	if c.IsClosed() {
		s.failed(errors.New("the connection was closed in the middle of a transaction"))
		return
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectPatience)
	defer cancel()
	if _, err := c.Exec(detached, `ROLLBACK`); err != nil {
		s.failed(err)
	}
}

// failed and recovered log the first failure of a row and its end.
func (s *Store) failed(err error) {
	if !s.broken.Swap(true) {
		s.log.Error("store.connection_failed", "error", err)
	}
}

func (s *Store) recovered() {
	if s.broken.Load() && s.broken.Swap(false) {
		s.log.Info("store.reconnected")
	}
}
