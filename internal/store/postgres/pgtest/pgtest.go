// Package pgtest gives tests a PostgreSQL of their own, as scripts/services.sh
// starts it.
package pgtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL for tests.
type Server struct {
	url string // of a user who may make databases
	ctl string // pg_ctl for it
}

// Shared returns the server that runs around the tests; it fails the test when
// there is none.
func Shared(t testing.TB) *Server {
	t.Helper()
	s := &Server{os.Getenv("TOLMACH_TEST_POSTGRES"), os.Getenv("TOLMACH_TEST_POSTGRES_CTL")}
	if s.url == "" {
		t.Fatal("this test needs PostgreSQL (TOLMACH_TEST_POSTGRES is not set): run make test, which starts it, or scripts/services.sh go test …")
	}
	return s
}

// Private starts a server that the test may stop and restart as it likes. It
// ends with the test.
func Private(t testing.TB) *Server {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(here), "../../../../scripts/services.sh")
	cmd := exec.Command(script, "sh", "-c", `echo "$TOLMACH_TEST_POSTGRES"; echo "$TOLMACH_TEST_POSTGRES_CTL"; cat >/dev/null`)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // it lives until this is closed, by us or by our end
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stdin.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("ending the private PostgreSQL: %v", err)
		}
	})
	lines := bufio.NewReader(stdout)
	var s Server
	for _, field := range []*string{&s.url, &s.ctl} {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF || line == "" {
			t.Fatalf("scripts/services.sh did not start PostgreSQL: %v", err)
		}
		*field = strings.TrimSpace(line)
	}
	return &s
}

// Database makes an empty database and returns its URL. It is dropped when the
// test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.Exec(t, s.url, `CREATE DATABASE `+name)
	t.Cleanup(func() { s.Exec(t, s.url, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Schema makes an empty schema in a database and returns the URL of a database
// that has it alone: as good as one of its own, and made much faster. It goes
// with the database.
func (s *Server) Schema(t testing.TB, database string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.Exec(t, database, `CREATE SCHEMA `+name)
	return database + "?search_path=" + name
}

// Exec runs a statement on a database.
func (s *Server) Exec(t testing.TB, database, statement string, args ...any) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	if _, err := c.Exec(ctx, statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Control runs pg_ctl with an action (start, stop, restart) and its flags.
func (s *Server) Control(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command(s.ctl, args...).CombinedOutput(); err != nil {
		t.Fatalf("pg_ctl %v: %v\n%s", args, err, out)
	}
}
