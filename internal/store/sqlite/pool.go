package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// pool is the connections that read, each used by one View at a time.
type pool struct {
	free   chan *conn
	closed chan struct{}
}

func openPool(dsn string, size int) (*pool, error) {
	p := &pool{free: make(chan *conn, size), closed: make(chan struct{})}
	for range size {
		c, err := connectWith(dsn, readerPragmas)
		if err != nil {
			return nil, errors.Join(err, p.drain(len(p.free)))
		}
		p.free <- c
	}
	return p, nil
}

// view runs fn inside one read transaction. Whatever happens in fn, the
// connection comes back clean.
func (p *pool) view(ctx context.Context, fn func(c *conn) error) (err error) {
	var c *conn
	select {
	case <-p.closed:
		return unavailable("the database is closed", nil)
	default:
	}
	select {
	case c = <-p.free:
	case <-p.closed:
		return unavailable("the database is closed", nil)
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.free <- c }()
	if _, err := c.Exec(`BEGIN`); err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer func() {
		if _, e := c.Exec(`ROLLBACK`); e != nil {
			err = errors.Join(err, fmt.Errorf("ending a read: %w", e))
		}
	}()
	return fn(c)
}

// close waits for the running views, then closes every connection.
func (p *pool) close() error {
	close(p.closed)
	return p.drain(cap(p.free))
}

func (p *pool) drain(n int) error {
	var errs []error
	for range n {
		errs = append(errs, (<-p.free).Close())
	}
	return errors.Join(errs...)
}
