package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// doctorCommand examines an installation without changing it.
type doctorCommand struct {
	config.Storage
}

// Run implements the command. It fails when a finding needs mending.
func (c *doctorCommand) Run(ctx context.Context, s streams) error {
	ill := false
	for _, f := range server.Examine(ctx, c.Storage) {
		mark := "ok  "
		if f.Problem != "" {
			mark, ill = "FIX ", true
		}
		fmt.Fprintf(s.out, "%s %s: %s\n", mark, f.Name, f.Text())
	}
	if ill {
		return errors.New("something needs mending; see the lines marked FIX")
	}
	return nil
}
