package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// target is the server process as the load sees it.
type target struct {
	cmd     *exec.Cmd
	address string
}

func startServer(ctx context.Context) (*target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server did not start: %w", err)
	}
	return &target{cmd: cmd, address: strings.TrimSpace(line)}, nil
}

func (t *target) stop() error {
	if err := t.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return t.cmd.Wait()
}

// pull works one of the server's levers.
func (t *target) pull(ctx context.Context, lever string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.address+lever, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", lever, resp.Status)
	}
	return nil
}

// resident returns the server's resident memory in bytes.
func (t *target) resident() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(status, []byte("VmRSS:"))
	if !ok {
		return 0, fmt.Errorf("/proc shows no VmRSS")
	}
	kilobytes, err := strconv.ParseFloat(strings.Fields(string(rest))[0], 64)
	return kilobytes * 1024, err
}

// settled waits until the resident memory has stopped moving, and returns it.
func (t *target) settled(ctx context.Context) (float64, error) {
	before, err := t.resident()
	for range 10 {
		if err != nil {
			return 0, err
		}
		if err := wait(ctx, time.Second); err != nil {
			return 0, err
		}
		var now float64
		now, err = t.resident()
		if diff := now - before; diff > -256<<10 && diff < 256<<10 {
			return now, err
		}
		before = now
	}
	return before, err
}

// ticksPerSecond is the unit of CPU time in /proc on every Linux.
const ticksPerSecond = 100

// cpu returns the CPU time the server has used, in seconds.
func (t *target) cpu() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// Fields 14 and 15, counted from behind the name in parentheses.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond, err
}

// wait is a pause that ends with the context.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
