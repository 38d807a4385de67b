// Package socketio_test drives the echo server with foreign clients, and the reference servers with the same scripts.
package socketio_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	python  = "/usr/bin/python3"
	patient = 3 * time.Minute // for one script; they take about three seconds on a quiet machine
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// need fails with what to do when a foreign client is not installed.
func need(t *testing.T) {
	t.Helper()
	for _, name := range []string{"client2", "client3", "client4", "server2", "server4"} {
		if _, err := os.Stat(filepath.Join("node_modules", name, "package.json")); err != nil {
			t.Fatalf("%v: run make test, which installs it", err)
		}
	}
	if out, err := exec.Command(python, "-c", "import socketio, requests, websocket").CombinedOutput(); err != nil {
		t.Fatalf("python3-socketio, python3-requests or python3-websocket is missing (%v: %s): run make test, which installs it", err, out)
	}
}

// buildEcho makes the echo server once for a test.
func buildEcho(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "echo")
	build := exec.Command("go", "build", "-o", binary, "github.com/tolmach/tolmach/internal/socketio/echo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the echo server: %v\n%s", err, out)
	}
	return binary
}

// server is a started server process.
type server struct {
	command *exec.Cmd
	url     string
}

func start(t *testing.T, name string, args ...string) *server {
	t.Helper()
	command := exec.Command(name, args...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{command: command}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended already
		_ = command.Wait()         // killed or drained, both are fine here
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said nothing: %v", name, err)
	}
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !found {
		t.Fatalf("%s said %q", name, line)
	}
	s.url = "http://" + address
	return s
}

// drain asks the server to end in good order.
func (s *server) drain(t *testing.T) {
	t.Helper()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// play runs a script against s and returns what it printed. The server is drained when the script asks for it.
func play(t *testing.T, s *server, command ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	script := exec.CommandContext(ctx, command[0], append(command[1:], s.url)...)
	script.Stderr = os.Stderr
	out, err := script.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	lines := follow(t, s, out)
	if err := script.Wait(); err != nil {
		t.Errorf("%v: %v; it got as far as\n%s", command, err, strings.Join(lines, "\n"))
	}
	return lines
}

func follow(t *testing.T, s *server, out io.Reader) []string {
	t.Helper()
	var lines []string
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
		if scanner.Text() == "drain please" {
			s.drain(t)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Error(err)
	}
	return lines
}

// agree compares the transcripts of our server and of the reference.
func agree(t *testing.T, ours, reference []string) {
	t.Helper()
	if len(reference) < 10 || !strings.HasPrefix(reference[len(reference)-1], "drained") {
		t.Fatalf("the reference itself did not finish:\n%s", strings.Join(reference, "\n"))
	}
	for i := range max(len(ours), len(reference)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(ours) {
			a = ours[i]
		}
		if i < len(reference) {
			b = reference[i]
		}
		if a != b {
			t.Fatalf("line %d\n     ours: %s\nreference: %s", i+1, a, b)
		}
	}
}

func TestClientsSeeWhatTheReferenceServersShow(t *testing.T) {
	need(t)
	echo := buildEcho(t)
	clients := []struct {
		name      string
		script    []string
		reference []string
	}{
		{"socket.io-client 2.5", []string{"node", "script.js", "client2"}, []string{"reference.js", "server2"}},
		{"socket.io-client 3.1", []string{"node", "script.js", "client3"}, []string{"reference.js", "server4"}},
		{"socket.io-client 4.8", []string{"node", "script.js", "client4"}, []string{"reference.js", "server4", "recovery"}},
		{"python3-socketio", []string{python, "script.py"}, []string{"reference.js", "server4"}},
	}
	for _, client := range clients {
		for _, mode := range []string{"polling", "upgrade", "websocket"} {
			t.Run(client.name+"/"+mode, func(t *testing.T) {
				command := append(append([]string{}, client.script...), mode)
				if client.script[0] == python {
					command = append(command, "12")
				}
				ours := play(t, start(t, echo, "-listen", "127.0.0.1:0"), command...)
				agree(t, ours, play(t, start(t, "node", client.reference...), command...))
			})
		}
	}
}

// The client drops a poll of more than 16 packets, which the reference server sends (specs/live.md §2.4).
func TestPythonTakesABurstByPolling(t *testing.T) {
	need(t)
	lines := play(t, start(t, buildEcho(t), "-listen", "127.0.0.1:0"), python, "script.py", "polling", "40")
	if len(lines) == 0 || lines[len(lines)-1] != "drained" {
		t.Fatalf("it got as far as\n%s", strings.Join(lines, "\n"))
	}
}

func TestLiteralURLBecomesANamespace(t *testing.T) {
	need(t)
	echo := buildEcho(t)
	for _, client := range []string{"client2", "client3", "client4"} {
		for _, mode := range []string{"polling", "upgrade", "websocket"} {
			t.Run(client+"/"+mode, func(t *testing.T) {
				s := start(t, echo, "-listen", "127.0.0.1:0")
				lines := strings.Join(play(t, s, "node", "alias.js", client, mode), "\n")
				if want := "published once\npublished last\nnamespace /operator/socket.io/"; lines != want {
					t.Fatalf("got\n%s\nwant\n%s", lines, want)
				}
			})
		}
	}
}
