// Package harness runs the built binary for the tests of e2e: a server on a
// free port in a temporary directory, and a receiver of its webhooks.
package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds how long a test waits for what must happen. It is generous:
// a busy machine with the race detector on is slow, and no test is passed by
// waiting.
const Patience = 60 * time.Second

var build struct {
	once sync.Once
	path string
	err  error
}

// Binary builds tolmach, with the race detector, once a process.
func Binary(t testing.TB) string {
	t.Helper()
	build.once.Do(func() {
		dir, err := os.MkdirTemp("", "tolmach-e2e")
		if err != nil {
			build.err = err
			return
		}
		build.path = filepath.Join(dir, "tolmach")
		out, err := exec.Command("go", "build", "-race", "-o", build.path, "github.com/tolmach/tolmach/cmd/tolmach").CombinedOutput()
		if err != nil {
			build.err = err
			t.Logf("%s", out)
		}
	})
	if build.err != nil {
		t.Fatalf("building tolmach: %v", build.err)
	}
	return build.path
}

// Clean removes what Binary built; call it at the end of TestMain.
func Clean() {
	if build.path != "" {
		_ = os.RemoveAll(filepath.Dir(build.path)) // a temporary directory
	}
}

// Server is a running tolmach.
type Server struct {
	URL  string
	Dir  string
	t    testing.TB
	args []string
	env  []string // beside this process's
	cmd  *exec.Cmd
	done chan struct{}
	log  *logTail
}

// Write puts a file into the server's directory.
func Write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ShortDir is a temporary directory with a short path: a socket must fit in it.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Start runs a server over a setup file's text and a scenario's, and waits
// until it is ready. It is stopped when the test ends.
func Start(t testing.TB, setup, scenario string, args ...string) *Server {
	t.Helper()
	s := prepare(t, setup, scenario, args...)
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// prepare makes a server that does not run yet.
func prepare(t testing.TB, setup, scenario string, args ...string) *Server {
	t.Helper()
	dir := ShortDir(t)
	Write(t, dir, "scenario.yaml", scenario)
	file := Write(t, dir, "setup.yaml", setup)
	return &Server{t: t, Dir: dir, args: append([]string{
		"serve", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--apply", file,
		"--egress-allow", "127.0.0.0/8", "--log-format", "json",
	}, args...)}
}

// Restart runs the server again on its directory, on a new port.
func (s *Server) Restart() {
	s.t.Helper()
	s.log = &logTail{ready: make(chan string, 1)}
	s.cmd = exec.Command(Binary(s.t), s.args...)
	s.cmd.Env = append(os.Environ(), s.env...)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		s.log.read(stderr)
		_ = s.cmd.Wait() // how it ended shows in the log
	}()
	select {
	case s.URL = <-s.log.ready:
	case <-s.done:
		s.t.Fatalf("the server ended before it was ready:\n%s", s.Log())
	case <-time.After(Patience):
		s.t.Fatalf("the server did not get ready:\n%s", s.Log())
	}
}

// Stop ends the server in order and fails the test if that takes over 10 s or
// the race detector has something to say.
func (s *Server) Stop() {
	s.t.Helper()
	select {
	case <-s.done:
		return
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Errorf("stopping the server: %v", err)
	}
	select {
	case <-s.done:
	case <-time.After(12 * time.Second):
		s.t.Error("the server did not stop within its 10 s")
		s.Kill()
	}
	if bytes.Contains([]byte(s.Log()), []byte("DATA RACE")) {
		s.t.Errorf("the race detector found something:\n%s", s.Log())
	}
	if s.t.Failed() {
		s.t.Logf("the server's log:\n%s", s.Log())
	}
}

// Kill ends the server as a power cut of the process would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone already
	<-s.done
}

// Freeze stops the server where it stands, Thaw lets it go on.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("sending %v to the server: %v", sig, err)
	}
}

// Log is what the server wrote so far.
func (s *Server) Log() string { return s.log.String() }

// Run runs one command of the binary and returns what it printed.
func Run(t testing.TB, args ...string) (stdout string, err error) {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err = cmd.Run(); err != nil {
		t.Logf("tolmach %v: %v\n%s", args, err, errOut.String())
	}
	return out.String() + errOut.String(), err
}

// logTail keeps a log and notices when the server is ready.
type logTail struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan string
}

func (l *logTail) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		l.mu.Lock()
		l.text.Write(line)
		l.mu.Unlock()
		var entry struct{ Msg, URL string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "server.ready" {
			l.ready <- entry.URL
		}
		if err != nil {
			return
		}
	}
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
