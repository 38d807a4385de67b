package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"

	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// conn is one connection and the statements prepared on it. It stands directly
// on the driver: the writer owns one connection and each reader another, so
// what database/sql adds (a pool, locks, reflection on every value) would only
// cost. One goroutine at a time uses it.
type conn struct {
	driver     driver.Conn
	statements map[string]statement
	args       []driver.NamedValue // of the running statement; the driver keeps none
	ctx        context.Context     // interrupts statements; costs a goroutine each unless it never ends
}

// statement is what this driver's statements are.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func connect(dsn string) (*conn, error) {
	d, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, translate(err)
	}
	return &conn{driver: d, statements: map[string]statement{}, ctx: context.Background()}, nil
}

// Close finalises every statement and closes the connection.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.driver.Close())...)
}

func (c *conn) prepare(query string) (statement, error) {
	if s, ok := c.statements[query]; ok {
		return s, nil
	}
	s, err := c.driver.Prepare(query)
	if err != nil {
		return nil, translate(err)
	}
	c.statements[query] = s.(statement)
	return s.(statement), nil
}

// bind makes the arguments ready for the driver.
func (c *conn) bind(args []any) error {
	c.args = c.args[:0]
	for i, a := range args {
		v, err := driverValue(a)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return nil
}

// Exec implements sqldb.Conn.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	if err := c.bind(args); err != nil {
		return 0, err
	}
	result, err := s.ExecContext(c.ctx, c.args)
	if err != nil {
		return 0, translate(err)
	}
	return result.RowsAffected()
}

// Query implements sqldb.Conn.
func (c *conn) Query(query string, args ...any) (sqldb.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if err := c.bind(args); err != nil {
		return nil, err
	}
	r, err := s.QueryContext(c.ctx, c.args)
	if err != nil {
		return nil, translate(err)
	}
	return &rows{driver: r, values: make([]driver.Value, len(r.Columns()))}, nil
}

// Script implements sqldb.Migrator. It keeps no statement.
func (c *conn) Script(text string) error {
	failpoint.Here("store.script")
	s, err := c.driver.Prepare(text)
	if err != nil {
		return translate(err)
	}
	_, err = s.(statement).ExecContext(c.ctx, nil)
	return translate(errors.Join(err, s.Close()))
}

// text returns the only value of a query as text.
func (c *conn) text(query string) (v string, err error) {
	err = c.only(query, &v)
	return v, err
}

// number returns the only value of a query as an integer.
func (c *conn) number(query string) (v int64, err error) {
	err = c.only(query, &v)
	return v, err
}

func (c *conn) only(query string, into any) error {
	r, err := c.Query(query)
	if err != nil {
		return err
	}
	defer r.Close()
	if !r.Next() {
		return errors.Join(r.Err(), fmt.Errorf("%s: no answer", query))
	}
	return r.Scan(into)
}

// rows implements sqldb.Rows.
type rows struct {
	driver driver.Rows
	values []driver.Value
	err    error
}

func (r *rows) Next() bool {
	if r.err != nil {
		return false
	}
	r.err = r.driver.Next(r.values)
	return r.err == nil
}

func (r *rows) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return translate(r.err)
}

// Close resets the statement. What reset reports is the error of the last
// step, which Err has told already.
func (r *rows) Close() { _ = r.driver.Close() }

func (r *rows) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("a row of %d columns can't be scanned into %d places", len(r.values), len(dest))
	}
	for i, v := range r.values {
		if err := assign(dest[i], v); err != nil {
			return fmt.Errorf("column %s: %w", r.driver.Columns()[i], err)
		}
	}
	return nil
}
