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
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL for tests.
type Server struct {
	url     string // of a user who may make databases
	ctl     string // pg_ctl for it
	private bool   // it goes with the test, and all its databases
}

// Shared returns the server that runs around the tests; it fails the test when
// there is none.
func Shared(t testing.TB) *Server {
	t.Helper()
	s := &Server{url: os.Getenv("TOLMACH_TEST_POSTGRES"), ctl: os.Getenv("TOLMACH_TEST_POSTGRES_CTL")}
	if s.url == "" {
		t.Fatal("this test needs PostgreSQL (TOLMACH_TEST_POSTGRES is not set): run make test, which starts it, or scripts/services.sh go test …")
	}
	return s
}

// Private starts a server that the test may stop and restart as it likes. It
// ends with the test.
func Private(t testing.TB) *Server {
	t.Helper()
	said := services(t, []string{}, "TOLMACH_TEST_POSTGRES", "TOLMACH_TEST_POSTGRES_CTL")
	return &Server{url: said[0], ctl: said[1], private: true}
}

// Pair starts two: what the first one says is committed is on the second, which
// only follows it until it is promoted (Control).
func Pair(t testing.TB) (primary, standby *Server) {
	t.Helper()
	said := services(t, []string{"--standby"},
		"TOLMACH_TEST_POSTGRES", "TOLMACH_TEST_POSTGRES_CTL", "TOLMACH_TEST_STANDBY", "TOLMACH_TEST_STANDBY_CTL")
	return &Server{url: said[0], ctl: said[1], private: true}, &Server{url: said[2], ctl: said[3], private: true}
}

// services runs scripts/services.sh until the test ends, and returns what it
// says of the variables.
func services(t testing.TB, flags []string, variables ...string) []string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(here), "../../../../scripts/services.sh")
	cmd := exec.Command(script, append(append(flags, "sh", "-c", `for v; do printenv "$v"; done; cat >/dev/null`, "sh"), variables...)...)
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
	var said []string
	for range variables {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF || line == "" {
			t.Fatalf("scripts/services.sh did not start PostgreSQL: %v", err)
		}
		said = append(said, strings.TrimSpace(line))
	}
	return said
}

// Database makes an empty database and returns its URL. It is dropped when the
// test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	s.Exec(t, s.url, `CREATE DATABASE `+name)
	if !s.private {
		t.Cleanup(func() { s.Exec(t, s.url, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	}
	u := s.parsed(t)
	u.Path = "/" + name
	return u.String()
}

// Named is the URL of the database here that another server of a Pair calls by
// its URL there.
func (s *Server) Named(t testing.TB, there string) string {
	t.Helper()
	u, err := url.Parse(there)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = s.parsed(t).Host
	return u.String()
}

// Host is its address.
func (s *Server) Host(t testing.TB) string {
	t.Helper()
	return s.parsed(t).Host
}

func (s *Server) parsed(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	return u
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

// Kill is kill -9 of the whole server. It may be started again.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.ctl), "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatalf("postmaster.pid begins with %q", first)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil { // its children follow
		t.Fatal(err)
	}
}

// Control runs pg_ctl with an action (start, stop, restart, promote) and its flags.
func (s *Server) Control(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command(s.ctl, args...).CombinedOutput(); err != nil {
		t.Fatalf("pg_ctl %v: %v\n%s", args, err, out)
	}
}
