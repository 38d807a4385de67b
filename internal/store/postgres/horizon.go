package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// The horizon is the greatest id up to which nothing can appear any more. It
// is the lesser of the last id given out and the least id that a transaction
// under way has marked. The order matters: a transaction marks before it takes
// ids, so one whose mark is not there yet takes ids above what the sequence
// said before we looked for marks; and it lets its mark go after its commit can
// be seen, so one whose mark is gone is seen by whoever looks afterwards.
const (
	lastGiven = `SELECT last_value FROM ids`
	leastMark = `SELECT min(((classid::bigint & 2097151) << 32) | objid::bigint) FROM pg_locks
	WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 21 = $1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
	markedBits = lockSpace >> 53
)

func horizon(ctx context.Context, pg *pgx.Conn) (chat.ID, error) {
	b := &pgx.Batch{}
	b.Queue(lastGiven)
	b.Queue(leastMark, markedBits)
	answers := pg.SendBatch(ctx, b)
	var last int64
	var least *int64
	err := answers.QueryRow().Scan(&last)
	if err == nil {
		err = answers.QueryRow().Scan(&least)
	}
	if err = errors.Join(err, answers.Close()); err != nil {
		return 0, err
	}
	if least != nil {
		last = min(last, *least)
	}
	return chat.ID(last), nil
}

// reader is the reading half as this engine has it.
type reader struct {
	*sqldb.Reader
	horizon chat.ID // found before the state that is read; -1: not yet
	wanted  bool    // somebody asked for the feed and the horizon is not known
}

var errHorizon = errors.New("the feed needs its horizon first; the view runs again")

// Feed implements chat.LogReader. A view that asks for it is run again with the
// horizon known: only one from before the state that is read is sound.
func (r *reader) Feed(tenant, after chat.ID, limit int) ([]chat.Entry, error) {
	if r.horizon < 0 {
		r.wanted = true
		return nil, errHorizon
	}
	return r.FeedTo(r.horizon, tenant, after, limit)
}

// FeedEnd implements chat.LogReader, as Feed does.
func (r *reader) FeedEnd(tenant chat.ID) (chat.ID, error) {
	if r.horizon < 0 {
		r.wanted = true
		return 0, errHorizon
	}
	return r.FeedEndTo(r.horizon, tenant)
}

// Horizon implements hub.Log.
func (s *Store) Horizon(ctx context.Context) (last chat.ID, err error) {
	err = s.direct(ctx, func(ctx context.Context, c *pgx.Conn) (err error) {
		last, err = horizon(ctx, c)
		return err
	})
	return last, err
}

const newEvents = `SELECT id, tenant_id, conversation_id, seq FROM events WHERE id > $1 ORDER BY id LIMIT $2`

// NewEvents implements hub.Log.
func (s *Store) NewEvents(ctx context.Context, after chat.ID, limit int) (list []chat.Event, err error) {
	err = s.direct(ctx, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, newEvents, int64(after), limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e chat.Event, err error) {
			return e, row.Scan(&e.ID, &e.TenantID, &e.ConversationID, &e.Seq)
		})
		return err
	})
	return list, err
}
