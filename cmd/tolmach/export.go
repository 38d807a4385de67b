package main

import (
	"context"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// exportCommand writes the settings in the form that apply reads.
type exportCommand struct {
	config.Storage
	Tenant string `placeholder:"NAME" help:"Only this tenant."`
	Dir    string `placeholder:"DIR" help:"Write setup.yaml and the scenario files into this new or empty directory, not the setup file alone to the standard output."`
}

// Run implements the command.
func (c *exportCommand) Run(ctx context.Context, s streams) error {
	return server.Export(ctx, server.ExportOptions{Storage: c.Storage, Tenant: c.Tenant, Dir: c.Dir, Out: s.out, Log: s.err})
}
