package postgres

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// conn is one connection as one transaction sees it: the extended protocol,
// statements prepared once a connection. After a statement has failed the
// server refuses all others of the transaction, and so does conn, with the
// first failure. One goroutine at a time uses it.
type conn struct {
	ctx    context.Context // ends every statement
	pg     *pgx.Conn
	failed error
}

// Exec implements sqldb.Conn.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	if c.failed != nil {
		return 0, c.failed
	}
	if err := plain(args); err != nil {
		return 0, err
	}
	tag, err := c.pg.Exec(c.ctx, query, args...)
	return tag.RowsAffected(), c.watch(err)
}

// Query implements sqldb.Conn.
func (c *conn) Query(query string, args ...any) (sqldb.Rows, error) {
	if c.failed != nil {
		return nil, c.failed
	}
	if err := plain(args); err != nil {
		return nil, err
	}
	r, err := c.pg.Query(c.ctx, query, args...)
	if err != nil {
		return nil, c.watch(err)
	}
	return &rows{Rows: r, conn: c}, nil
}

// Script implements sqldb.Migrator. Several statements at once is what the
// extended protocol can't do; there are no values in them.
func (c *conn) Script(text string) error {
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

// rows tells the connection of what fails while rows are read.
type rows struct {
	pgx.Rows
	conn *conn
}

func (r *rows) Err() error { return r.conn.watch(r.Rows.Err()) }

func (r *rows) Close() {
	r.Rows.Close()
	_ = r.conn.watch(r.Rows.Err()) // the connection remembers it for the commit
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
