package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// ApplyOptions are what `tolmach apply` is told.
type ApplyOptions struct {
	Storage        config.Storage
	File           string
	PublicURL      string // for the report when no server runs
	Prune          bool
	ResetPasswords bool
	Log            io.Writer
}

// Apply brings a setup file in: through the running server of the data
// directory, else by itself under the directory's lock.
func Apply(ctx context.Context, o ApplyOptions) (*Report, error) {
	setups, positions, err := LoadSetup(o.File)
	if err != nil {
		return nil, err
	}
	options := chat.ApplyOptions{Prune: o.Prune, ResetPasswords: o.ResetPasswords}
	if client := dialAdmin(ctx, o.Storage.Data); client != nil {
		var answer applyAnswer
		if err := client.call(ctx, "/apply", applyRequest{setups, options}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Problems) > 0 {
			return nil, explain(&chat.InvalidSetup{Problems: answer.Problems}, positions)
		}
		return answer.Report, answer.failure()
	}
	base := strings.TrimSuffix(o.PublicURL, "/")
	if base == "" {
		base = "http://127.0.0.1:8080"
	}
	var rep *Report
	err = offline(ctx, o.Storage, base, quiet(o.Log), func(c *core) (err error) {
		rep, err = c.apply(ctx, setups, options)
		return explain(err, positions)
	})
	return rep, err
}

func (a *applyAnswer) failure() error {
	if a.Error == "" {
		return nil
	}
	return errors.New(a.Error)
}

// quiet is the log of a command: warnings and worse.
func quiet(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Operators lists the operators of an installation, whether a server runs or
// not.
func Operators(ctx context.Context, where config.Storage, log io.Writer) (lines []OperatorLine, err error) {
	if client := dialAdmin(ctx, where.Data); client != nil {
		return lines, client.call(ctx, "/operators", nil, &lines)
	}
	err = offline(ctx, where, "", quiet(log), func(c *core) error {
		lines = c.operators()
		return nil
	})
	return lines, err
}

// EditOperator changes one operator, whether a server runs or not.
func EditOperator(ctx context.Context, where config.Storage, login string, edit chat.OperatorEdit, log io.Writer) error {
	if client := dialAdmin(ctx, where.Data); client != nil {
		var answer applyAnswer
		if err := client.call(ctx, "/operator", operatorRequest{login, edit}, &answer); err != nil {
			return err
		}
		return answer.failure()
	}
	return offline(ctx, where, "", quiet(log), func(c *core) error {
		return c.service.EditOperator(ctx, owner, login, edit)
	})
}

// FailedCalls asks a running server for the failures it remembers, the newest
// first.
func FailedCalls(ctx context.Context, data string) (calls []inbound.Call, err error) {
	client := dialAdmin(ctx, data)
	if client == nil {
		return nil, errors.New("no server runs in " + filepath.Clean(data) + "; failures are remembered by a running one")
	}
	return calls, client.call(ctx, "/calls", nil, &calls)
}
