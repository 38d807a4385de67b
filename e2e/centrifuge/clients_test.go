// Package centrifuge drives the echo server of internal/centrifuge with the
// reference JavaScript client.
package centrifuge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if _, err := os.Stat("node_modules"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e/centrifuge: node_modules is missing: run make test, which installs it")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestReferenceClients(t *testing.T) {
	echo := build(t)
	for _, tt := range []struct{ transport, protocol, version string }{
		{"websocket", "json", "5.8"},
		{"websocket", "protobuf", "5.8"},
		{"websocket", "json", "5.2"},
		{"http_stream", "json", "5.8"},
		{"http_stream", "protobuf", "5.8"},
		{"sse", "json", "5.8"},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.transport, tt.protocol, tt.version), func(t *testing.T) {
			t.Parallel()
			server := start(t, echo)
			server.play(t, "scenario.mjs", "--base", server.url,
				"--transport", tt.transport, "--protocol", tt.protocol, "--version", tt.version)
		})
	}
}

func TestSubscribingToAGrantedChannel(t *testing.T) {
	echo := build(t)
	for _, version := range []string{"5.2", "5.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := start(t, echo, "-resubscribe")
			server.play(t, "resubscribe.mjs", "--base", server.url,
				"--transport", "websocket", "--protocol", "json", "--version", version)
		})
	}
}

// build compiles the echo server.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "echo")
	out, err := exec.Command("go", "build", "-o", path, "../../internal/centrifuge/echo").CombinedOutput()
	if err != nil {
		t.Fatalf("build the echo server: %v\n%s", err, out)
	}
	return path
}

// process is a running echo server.
type process struct {
	cmd    *exec.Cmd
	url    string
	stderr bytes.Buffer
}

// start runs an echo server with quick heartbeats; it is stopped with the test.
func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, append([]string{"-ping=1s", "-pong=700ms"}, args...)...)}
	p.cmd.Env = append(os.Environ(), "PORT=0")
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the echo server said %q, %v; want where it listens", line, err)
	}
	p.url = "http://" + address
	return p
}

// stop asks the server to drain and expects it to end well, without complaints.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil || p.stderr.Len() > 0 {
		t.Errorf("the echo server ended with %v and said:\n%s", err, &p.stderr)
	}
}

// play runs a script of the reference client to its PASS and stops the server
// when the script wants it.
func (p *process) play(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := p.follow(t, stdout)
	if err := cmd.Wait(); err != nil || last != "PASS" {
		t.Errorf("the client ended with %v after the line %q and said:\n%s", err, last, &stderr)
	}
}

// follow reads the script's lines and returns the last one.
func (p *process) follow(t *testing.T, stdout io.Reader) (last string) {
	t.Helper()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		last = lines.Text()
		t.Log(last)
		if last == "DRAIN" {
			p.stop(t)
		}
	}
	return last
}
