package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the one under test, in a process of its own.
type server struct {
	url   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// token is the channel's.
const token = "AbCdEfGh:0123456789abcdef0123456789abcdef01234567"

// setup has a task whose bot answers at once and one whose clients wait in the
// queue, and somebody who sees them all.
const setup = `
tenant: bench
channels:
  - {name: app, kind: chat_api, token: "` + token + `", events_default: outside, poll_ceiling: 2m}
  - {name: desk, kind: chat_api, token: desk}
bots: [{name: b, kind: scenario, file: bot.yaml}]
tasks:
  - {name: app, channel: app, bot: b}
  - {name: desk, channel: desk}
operators: [{login: root, name: Root, password: "correct horse battery", role: admin}]
`

const botFile = `
states:
  - name: /Echo
    patterns: ["*"]
    replies: [{text: "{{ text }}"}]
`

// startServer serves the set-up from a new directory and waits for the line
// {"msg":"server.ready","url":…}.
func startServer(ctx context.Context, o options, dir string) (*server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	for name, content := range map[string]string{"setup.yaml": setup, "bot.yaml": botFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	s := &server{ended: make(chan struct{}), cmd: exec.CommandContext(ctx, o.binary, "serve",
		"--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--apply", filepath.Join(dir, "setup.yaml"), "--log-format", "json")}
	s.cmd.Env = append(os.Environ(), "TOLMACH_DATABASE="+o.database)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stderr)
	if s.url, err = readyURL(lines); err != nil {
		return nil, errors.Join(err, s.cmd.Wait())
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(io.Discard, lines) // its log is not what is measured
		_ = s.cmd.Wait()                  // it is stopped by a signal
	}()
	return s, nil
}

func readyURL(lines *bufio.Reader) (string, error) {
	var seen strings.Builder
	for {
		line, err := lines.ReadString('\n')
		seen.WriteString(line)
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "server.ready" {
			return entry.URL, nil
		}
		if err != nil {
			return "", fmt.Errorf("the server ended before it was ready:\n%s", seen.String())
		}
	}
}

// finish stops the server; err comes first.
func (s *server) finish(err error) error {
	if failed := s.cmd.Process.Signal(syscall.SIGTERM); failed != nil {
		return errors.Join(err, failed)
	}
	select {
	case <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(err, errors.New("the server did not stop in time"), s.cmd.Process.Kill())
	}
}

// address is the host and port.
func (s *server) address() string { return strings.TrimPrefix(s.url, "http://") }

// residentMB is the process' resident memory.
func (s *server) residentMB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("no VmRSS in the process' status")
}

// cpu is the processor time of the process so far, to the hundredth of a second.
func (s *server) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the process' stat can't be read")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// costing runs work and returns the server's processor time for each of n.
func (s *server) costing(n int, work func() error) (micros float64, err error) {
	before, err := s.cpu()
	if err == nil {
		err = work()
	}
	if err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return float64((after - before).Microseconds()) / float64(n), err
}

// subscribers are how many live subscriptions the server has: each poll that
// waits has one.
func (s *server) subscribers(ctx context.Context) (int, error) {
	text, err := get(ctx, s.url+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "tolmach_hub_subscribers "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return int(n), err
		}
	}
	return 0, errors.New("the metrics don't count the subscribers of the hub")
}

// waitSubscribers returns when there are n.
func (s *server) waitSubscribers(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		found, err := s.subscribers(ctx)
		if err != nil || found >= n {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d wait: %w", found, n, ctx.Err())
		case <-time.After(50 * time.Millisecond): // the server has no way to tell
		}
	}
}
