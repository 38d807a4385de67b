package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// adminSocket is the socket in the data directory by which commands reach a
// running server. Whoever may open it, by its mode 0600 the server's own user,
// may do everything.
const adminSocket = "admin.sock"

// maxAdminBody bounds what the socket takes: setup files with their scenarios.
const maxAdminBody = 64 << 20

// applyRequest and applyAnswer are the call behind `tolmach apply`.
type applyRequest struct {
	Setups  []chat.Setup      `json:"setups"`
	Options chat.ApplyOptions `json:"options"`
}

type applyAnswer struct {
	Report   *Report                `json:"report,omitempty"`
	Problems map[int][]chat.Problem `json:"problems,omitempty"`
	Error    string                 `json:"error,omitempty"`
}

// operatorRequest is the call behind `tolmach user`.
type operatorRequest struct {
	Login string            `json:"login"`
	Edit  chat.OperatorEdit `json:"edit"`
}

// owner acts for whoever holds the data directory.
var owner = chat.Actor{Kind: chat.ActorAdmin, Name: "owner"}

// admin serves the socket.
type admin struct {
	core  *core
	calls *inbound.Log
}

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apply", a.apply)
	mux.HandleFunc("POST /operator", a.operator)
	mux.HandleFunc("GET /operators", a.operators)
	mux.HandleFunc("GET /calls", a.failures)
	mux.HandleFunc("POST /backup", a.backup)
	mux.HandleFunc("GET /export", a.export)
	return mux
}

func (a *admin) apply(w http.ResponseWriter, r *http.Request) {
	var in applyRequest
	if !readAdmin(w, r, &in) {
		return
	}
	var answer applyAnswer
	rep, err := a.core.apply(r.Context(), in.Setups, in.Options)
	var invalid *chat.InvalidSetup
	switch {
	case errors.As(err, &invalid):
		answer.Problems = invalid.Problems
	case err != nil:
		answer.Error = err.Error()
	default:
		answer.Report = rep
	}
	writeAdmin(w, answer)
}

func (a *admin) operator(w http.ResponseWriter, r *http.Request) {
	var in operatorRequest
	if !readAdmin(w, r, &in) {
		return
	}
	if err := a.core.service.EditOperator(r.Context(), owner, in.Login, in.Edit); err != nil {
		writeAdmin(w, applyAnswer{Error: err.Error()})
		return
	}
	writeAdmin(w, applyAnswer{})
}

func (a *admin) operators(w http.ResponseWriter, _ *http.Request) {
	writeAdmin(w, a.core.operators())
}

func (a *admin) failures(w http.ResponseWriter, _ *http.Request) {
	writeAdmin(w, a.calls.Failures(func(inbound.Call) bool { return true }))
}

func readAdmin(w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody)).Decode(into)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func writeAdmin(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// listenAdmin opens the socket; the lock of the directory is ours, so that a
// socket that is there is left over.
func listenAdmin(dir string) (net.Listener, error) {
	path := filepath.Join(dir, adminSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("the admin socket %s can't be opened (a path may have about 100 characters): %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// adminClient calls the server that runs in a data directory.
type adminClient struct {
	http *http.Client
}

// dialAdmin returns a client, or nil when no server answers there.
func dialAdmin(ctx context.Context, dir string) *adminClient {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(dir, adminSocket))
	}
	c, err := dial(ctx, "", "")
	if err != nil {
		return nil
	}
	if err := c.Close(); err != nil {
		return nil
	}
	return &adminClient{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// call makes one call; in nil is a GET.
func (c *adminClient) call(ctx context.Context, path string, in, out any) error {
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		method, body = http.MethodPost, bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("the running server doesn't answer on its admin socket: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read whole below, or the call failed
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return errors.Join(fmt.Errorf("the running server answered %s: %s", resp.Status, text), err)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
