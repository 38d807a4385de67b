package sqldb

import (
	"fmt"
	"math"

	"github.com/tolmach/tolmach/internal/chat"
)

// scanner is a row that is ready to be read.
type scanner interface {
	Scan(dest ...any) error
}

// one returns the row of a query, or CodeNotFound saying that there is no such
// thing.
func one[T any](c Conn, thing string, scan func(scanner, *T) error, query string, args ...any) (*T, error) {
	rows, err := c.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", thing, err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("reading %s: %w", thing, err)
		}
		return nil, notFound(thing)
	}
	v := new(T)
	if err := scan(rows, v); err != nil {
		return nil, fmt.Errorf("reading %s: %w", thing, err)
	}
	return v, nil
}

// many returns every row of a query.
func many[T any](c Conn, things string, scan func(scanner, *T) error, query string, args ...any) ([]T, error) {
	rows, err := c.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", things, err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, fmt.Errorf("reading %s: %w", things, err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", things, err)
	}
	return list, nil
}

// scalar scans a row of one column.
func scalar[T any](row scanner, v *T) error { return row.Scan(v) }

// valueOf is what one found, zero when it found nothing.
func valueOf[T any](v *T) T {
	if v == nil {
		return *new(T)
	}
	return *v
}

// exec runs a statement that must not meet a unique key: CodeConflict when it
// does.
func (t *Tx) exec(thing, query string, args ...any) (int64, error) {
	n, err := t.conn.Exec(query, args...)
	return n, t.outcome(thing, err)
}

// later is exec of a statement that the use case does not wait for.
func (t *Tx) later(thing, query string, args ...any) error {
	return t.writer.Later(query, args, func(_ int64, err error) error { return t.outcome(thing, err) })
}

// laterChange is change of that kind.
func (t *Tx) laterChange(thing, query string, args ...any) error {
	return t.writer.Later(query, args, func(n int64, err error) error {
		if err == nil && n == 0 {
			return notFound(thing)
		}
		return t.outcome(thing, err)
	})
}

// outcome explains why a statement failed.
func (t *Tx) outcome(thing string, err error) error {
	switch {
	case err == nil:
		return nil
	case t.dialect.Duplicate(err):
		t.taken = true
		return &chat.Error{Code: chat.CodeConflict, Message: thing + " exists already", Err: err}
	default:
		return fmt.Errorf("writing %s: %w", thing, err)
	}
}

// change runs a statement that must change a row: CodeNotFound when it does
// not.
func (t *Tx) change(thing, query string, args ...any) error {
	n, err := t.exec(thing, query, args...)
	if err == nil && n == 0 {
		return notFound(thing)
	}
	return err
}

// claim runs an insert that does nothing when the key is taken: CodeConflict
// then. A violated key would end the whole transaction in some engines, and
// this does not.
func (t *Tx) claim(thing, query string, args ...any) error {
	n, err := t.exec(thing, query, args...)
	if err == nil && n == 0 {
		t.taken = true
		return chat.Errorf(chat.CodeConflict, "%s exists already", thing)
	}
	return err
}

func notFound(thing string) error {
	return &chat.Error{Code: chat.CodeNotFound, Message: "there is no such " + thing + "; check its id, and that it is yours"}
}

// atMost is the bound of a list whose filter has none.
func atMost(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}
