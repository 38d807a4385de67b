package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// conn is one connection as one transaction sees it: the extended protocol,
// statements prepared once a connection. After a statement has failed the
// server refuses all others of the transaction, and so does conn, with the
// first failure. One goroutine at a time uses it.
type conn struct {
	ctx     context.Context // ends every statement
	pg      *pgx.Conn
	later   []statement
	failed  error // the first statement that the server refused
	refused error // what came of a statement that nobody waited for
}

// statement is one that waits to be sent with others.
type statement struct {
	query string
	args  []any
	check func(changed int64, err error) error
}

// errRefused stands for conn.refused where the use case could mistake that for
// an answer to what it asked.
var errRefused = errors.New("an earlier statement of the transaction came to nothing")

// Exec implements sqldb.Conn.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	if err := c.ready(args); err != nil {
		return 0, err
	}
	tag, err := c.pg.Exec(c.ctx, query, args...)
	return tag.RowsAffected(), c.watch(err)
}

// Query implements sqldb.Conn.
func (c *conn) Query(query string, args ...any) (sqldb.Rows, error) {
	if err := c.ready(args); err != nil {
		return nil, err
	}
	r, err := c.pg.Query(c.ctx, query, args...)
	if err != nil {
		return nil, c.watch(err)
	}
	return &rows{Rows: r, watch: c.watch}, nil
}

// ready sends what waits and makes the arguments of the next statement ready.
func (c *conn) ready(args []any) error {
	if c.failed != nil {
		return c.failed
	}
	if err := c.flush(); err != nil {
		return errRefused
	}
	return plain(args)
}

// Later implements sqldb.Writer: writes go to the server together, in one
// exchange, when something must be known or the use case has ended.
func (c *conn) Later(query string, args []any, check func(changed int64, err error) error) error {
	if c.failed != nil {
		return c.failed
	}
	if err := plain(args); err != nil {
		return err
	}
	c.later = append(c.later, statement{query, args, check})
	return nil
}

// flush sends the statements that wait. What came of them fails the whole
// transaction, whatever the use case makes of it.
func (c *conn) flush() error {
	if len(c.later) == 0 || c.refused != nil {
		return c.refused
	}
	b := &pgx.Batch{}
	for _, s := range c.later {
		b.Queue(s.query, s.args...)
	}
	answers := c.pg.SendBatch(c.ctx, b)
	for _, s := range c.later {
		tag, err := answers.Exec()
		if c.refused = s.check(tag.RowsAffected(), c.watch(err)); c.refused != nil {
			break
		}
	}
	c.later = c.later[:0]
	if err := c.watch(answers.Close()); err != nil && c.refused == nil {
		c.refused = err
	}
	return c.refused
}

// Script implements sqldb.Migrator. Several statements at once is what the
// extended protocol can't do; there are no values in them.
func (c *conn) Script(text string) error {
	failpoint.Here("store.script")
	_, err := c.pg.PgConn().Exec(c.ctx, text).ReadAll()
	return translate(err, c.pg.IsClosed())
}

func (c *conn) watch(err error) error {
	if err == nil {
		return nil
	}
	err = translate(err, c.pg.IsClosed())
	if c.failed == nil {
		c.failed = err
	}
	return err
}

// plain turns arguments of any integer, string, bool or []byte kind into what
// the driver sends without looking for methods on them.
func plain(args []any) error {
	for i, a := range args {
		switch v := a.(type) {
		case int64, string, bool, []byte, nil:
			continue
		case chat.ID:
			args[i] = int64(v)
			continue
		case chat.Micros:
			args[i] = int64(v)
			continue
		}
		k := reflect.ValueOf(a)
		switch {
		case k.CanInt():
			args[i] = k.Int()
		case k.CanUint() && k.Uint() <= math.MaxInt64:
			args[i] = int64(k.Uint())
		case k.Kind() == reflect.String:
			args[i] = k.String()
		default:
			return fmt.Errorf("argument %d: a %T can't be stored", i+1, a)
		}
	}
	return nil
}
