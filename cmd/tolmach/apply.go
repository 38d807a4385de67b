package main

import (
	"context"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// applyCommand brings a setup file in, through the running server or, when
// none runs, by itself.
type applyCommand struct {
	config.Storage
	PublicURL      string `env:"TOLMACH_PUBLIC_URL" placeholder:"URL" help:"Address to print in urls when no server runs; a running one knows its own."`
	Output         string `default:"text" enum:"text,json" placeholder:"text|json" help:"Form of the report: text or json."`
	Prune          bool   `help:"Remove settings of the tenants in the file that the file does not name."`
	ResetPasswords bool   `help:"Set the passwords of operators that exist already."`
	File           string `arg:"" help:"Setup file."`
}

// Run implements the command.
func (c *applyCommand) Run(ctx context.Context, s streams) error {
	report, err := server.Apply(ctx, server.ApplyOptions{
		Storage: c.Storage, File: c.File, PublicURL: c.PublicURL, Prune: c.Prune, ResetPasswords: c.ResetPasswords, Log: s.err,
	})
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return report.WriteJSON(s.out)
	}
	return report.WriteText(s.out)
}
