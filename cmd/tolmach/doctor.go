package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tolmach/tolmach/internal/server"
)

// doctorCommand examines an installation without changing it.
type doctorCommand struct {
	Data string `default:"./data" env:"TOLMACH_DATA" placeholder:"DIR" help:"Data directory to examine."`
}

// Run implements the command. It fails when a finding needs mending.
func (c *doctorCommand) Run(ctx context.Context, s streams) error {
	ill := false
	for _, f := range server.Examine(ctx, c.Data) {
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
