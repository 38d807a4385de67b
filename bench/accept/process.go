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

// process is a server under test in a process of its own.
type process struct {
	url   string
	cmd   *exec.Cmd
	ready time.Duration // from the start
	ended chan struct{}
}

// startServer serves a set-up from a place.
func startServer(ctx context.Context, o options, at place, setup string) (*process, error) {
	for name, content := range map[string]string{"setup.yaml": setup, "bot.yaml": botFile} {
		if err := os.WriteFile(filepath.Join(at.dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return start(ctx, at, o.binary, "serve", "--data", filepath.Join(at.dir, "data"), "--listen", "127.0.0.1:0",
		"--apply", filepath.Join(at.dir, "setup.yaml"), "--egress-allow", "127.0.0.0/8", "--log-format", "json")
}

// start runs a command and waits for its line {"msg":"server.ready","url":…}.
// The database is told by the environment, for the server as for the floor.
func start(ctx context.Context, at place, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TOLMACH_DATABASE="+at.database)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stderr)
	var seen strings.Builder
	for {
		line, err := lines.ReadString('\n')
		seen.WriteString(line)
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "server.ready" {
			p.url, p.ready = entry.URL, time.Since(began)
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s ended before it was ready:\n%s", name, seen.String())
		}
	}
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(io.Discard, lines) // its log is not what is measured
		_ = p.cmd.Wait()                  // it is stopped by a signal
	}()
	return p, nil
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("did not stop in time"), p.cmd.Process.Kill())
	}
}

// residentMB is the process' resident memory.
func (p *process) residentMB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
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

const taskID = "1721129985149x478019552540622850"

const botFile = `
states:
  - name: /Echo
    patterns: ["*"]
    replies: [{text: "{{ text }}"}]
`

// setupAlone is a task without bot and integration.
const setupAlone = `
tenant: bench
channels: [{name: m, kind: page_messenger}]
tasks: [{name: t, selarti_id: ` + taskID + `, channel: m}]
api_keys: [{name: k, key: k-bench, scopes: [messages:write, conversations:read, deliveries:write]}]
`

// setupWhole is a task with a scenario bot, unless it is left out, and an
// integration at the receiver.
func setupWhole(receiver string, bot bool) string {
	line := ""
	if bot {
		line = "bot: b, "
	}
	return fmt.Sprintf(`
tenant: bench
channels: [{name: m, kind: page_messenger}]
bots: [{name: b, kind: scenario, file: bot.yaml}]
integrations:
  - {name: all, format: selarti, url: "%s", events: [all_messages], max_inflight: 64, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}
tasks: [{name: t, selarti_id: %s, channel: m, %sintegrations: [all]}]
api_keys: [{name: k, key: k-bench, scopes: [messages:write, conversations:read, deliveries:write]}]
`, receiver, taskID, line)
}
