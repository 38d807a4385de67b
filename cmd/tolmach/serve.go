package main

import (
	"context"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// serveCommand runs the server until it is told to stop.
type serveCommand struct {
	config.Config
}

// Run implements the command.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	return server.Run(ctx, c.Config, s.err)
}
