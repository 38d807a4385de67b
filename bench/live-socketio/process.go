package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// process is the server process as the bench sees it.
type process struct {
	command *exec.Cmd
	address string
}

func startServer(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, "-serve")
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server process said nothing: %w", err)
	}
	return &process{command: command, address: strings.TrimSpace(line)}, nil
}

// stop ends the process at once: nothing of it is needed any more.
func (p *process) stop() {
	_ = p.command.Process.Kill() // it may have ended already
	_ = p.command.Wait()         // killed, as told
}

func (p *process) call(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return body, err
}

func (p *process) stats(ctx context.Context) (stats, error) {
	var s stats
	body, err := p.call(ctx, "/stats")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}
