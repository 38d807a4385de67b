package crash_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds the wait for what must happen.
const patience = 60 * time.Second

// process is one run of the server on a data directory. Unlike the harness of
// the other tests it may die at any moment, before it is ready too.
type process struct {
	url   string // once it is ready
	cmd   *exec.Cmd
	ready chan string
	dead  chan struct{} // closed when it has ended

	mu  sync.Mutex
	log bytes.Buffer
}

// serve starts the server; failpoint is of the form name:n, or "", and env is
// added to the environment.
func serve(t testing.TB, data, setup, failpoint string, env ...string) *process {
	t.Helper()
	p := &process{ready: make(chan string, 1), dead: make(chan struct{})}
	p.cmd = exec.Command(binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--apply", setup,
		"--egress-allow", "127.0.0.0/8", "--log-format", "json", "--log-level", "info")
	p.cmd.Env = append(append(os.Environ(), "TOLMACH_FAILPOINT="+failpoint), env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.dead)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.line(lines.Bytes())
		}
		_ = p.cmd.Wait() // being killed is no failure
	}()
	t.Cleanup(p.kill)
	return p
}

// line keeps what may explain a failure: not the calls that went well.
func (p *process) line(line []byte) {
	var entry struct{ Msg, URL string }
	if json.Unmarshal(line, &entry) == nil {
		switch entry.Msg {
		case "server.ready":
			p.ready <- entry.URL
		case "delivery.attempted":
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.Write(line)
	p.log.WriteByte('\n')
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// up waits until the server is ready; false when it died before.
func (p *process) up(t testing.TB) bool {
	t.Helper()
	select {
	case p.url = <-p.ready:
		return true
	case <-p.dead:
		return false
	case <-time.After(patience):
		t.Fatalf("the server is neither ready nor dead:\n%s", p.text())
		return false
	}
}

func (p *process) mustBeUp(t testing.TB) {
	t.Helper()
	if !p.up(t) {
		t.Fatalf("the server ended before it was ready:\n%s", p.text())
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be dead already
	<-p.dead
}

// stop ends the server in order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.dead:
	case <-time.After(patience):
		t.Fatalf("the server does not stop:\n%s", p.text())
	}
}

// died waits for a failpoint to be reached.
func (p *process) died(t testing.TB) {
	t.Helper()
	select {
	case <-p.dead:
	case <-time.After(patience):
		t.Fatalf("the failpoint was never reached:\n%s", p.text())
	}
}

// tolmach runs a command of the binary.
func tolmach(args ...string) (string, error) {
	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("tolmach %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
