package harness

import (
	"path/filepath"
	"testing"

	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// Engine is where a server keeps its state.
type Engine string

// The engines.
const (
	SQLite     Engine = "SQLite"
	PostgreSQL Engine = "PostgreSQL"
)

// OnEach runs a test once on every engine.
func OnEach(t *testing.T, test func(t *testing.T, on Engine)) {
	t.Helper()
	for _, engine := range []Engine{SQLite, PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) { test(t, engine) })
	}
}

// Start is the function Start on an engine. A PostgreSQL server has a database
// of its own, and waits no longer than it must for the calls of one that died.
func (e Engine) Start(t testing.TB, setup, scenario string, args ...string) *Server {
	t.Helper()
	if e == SQLite {
		return Start(t, setup, scenario, args...)
	}
	return StartOn(t, pgtest.Shared(t).Database(t), setup, scenario, args...)
}

// StartOn starts a server on a PostgreSQL database.
func StartOn(t testing.TB, database, setup, scenario string, args ...string) *Server {
	t.Helper()
	s := prepare(t, setup, scenario, append([]string{"--delivery-lease", "1s"}, args...)...)
	s.env = []string{"TOLMACH_DATABASE=" + database}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Neighbour starts another server on the database of this one, with the same
// setup and a data directory of its own.
func (s *Server) Neighbour(t testing.TB) *Server {
	t.Helper()
	n := &Server{t: t, Dir: ShortDir(t), env: s.env}
	n.args = append(append(n.args, s.args...), "--data", filepath.Join(n.Dir, "data"))
	n.Restart()
	t.Cleanup(n.Stop)
	return n
}
