package sqlite

import "github.com/tolmach/tolmach/internal/store/sqldb"

// guard is the connection as one use case sees it. After the engine has failed
// at a statement (a violated constraint is no such failure) it may have given
// the whole transaction up, and what came next would commit by itself: so
// nothing comes next.
type guard struct {
	conn   *conn
	cache  *cache
	owned  bool // who writes now sees to the cache, too
	failed error
}

// Exec implements sqldb.Conn.
func (g *guard) Exec(query string, args ...any) (int64, error) {
	if g.failed != nil {
		return 0, g.failed
	}
	g.heed(query)
	n, err := g.conn.Exec(query, args...)
	return n, g.watch(err)
}

// Later implements sqldb.Writer: at once, for nothing is won by waiting.
func (g *guard) Later(query string, args []any, check func(changed int64, err error) error) error {
	return check(g.Exec(query, args...))
}

// Query implements sqldb.Conn.
func (g *guard) Query(query string, args ...any) (sqldb.Rows, error) {
	if g.failed != nil {
		return nil, g.failed
	}
	g.heed(query)
	r, err := g.conn.Query(query, args...)
	if err != nil {
		return nil, g.watch(err)
	}
	return &guardedRows{Rows: r, guard: g}, nil
}

func (g *guard) heed(query string) {
	if !g.owned {
		g.cache.heed(query)
	}
}

func (g *guard) watch(err error) error {
	if err != nil && !isConstraint(err) {
		g.failed = err
	}
	return err
}

// guardedRows tells the guard of what fails while rows are read.
type guardedRows struct {
	sqldb.Rows
	guard *guard
}

func (r *guardedRows) Err() error { return r.guard.watch(r.Rows.Err()) }
