package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

const (
	reading   = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`
	noHorizon = chat.ID(-1)
)

// View implements chat.Store: fn sees one state, that of the moment it begins.
// Views that wait at the same time share one; a fn that reads more than rows of
// conversations runs again, in a view of its own, and so does one that reads the
// feed, twice.
func (s *Store) View(ctx context.Context, fn func(r chat.Reader) error) error {
	if err := s.lookTogether(ctx, fn); !errors.Is(err, errAlone) {
		return err
	}
	again, err := s.look(ctx, noHorizon, fn)
	if !again {
		return err
	}
	last, err := s.Horizon(ctx)
	if err != nil {
		return err
	}
	_, err = s.look(ctx, last, fn)
	return err
}

// look runs fn once; again says that it asked for a horizon that was not known.
func (s *Store) look(ctx context.Context, last chat.ID, fn func(r chat.Reader) error) (again bool, err error) {
	c, now, release, err := s.begin(ctx, reading)
	if err != nil {
		return false, err
	}
	defer release()
	defer s.rollback(ctx, c)
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	work := &conn{ctx: limited, pg: c}
	r := &reader{Reader: sqldb.NewReader(work, s.dialect, now), horizon: last}
	err = fn(r)
	switch {
	case r.wanted:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case work.failed != nil:
		return false, work.failed
	}
	return false, err
}

// direct runs fn on a connection outside of any transaction.
func (s *Store) direct(ctx context.Context, fn func(ctx context.Context, c *pgx.Conn) error) error {
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	held, err := s.pool.Acquire(limited)
	dead := err != nil
	if err == nil {
		defer held.Release()
		err = fn(limited, held.Conn())
		dead = held.Conn().IsClosed()
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return translate(err, dead)
}
