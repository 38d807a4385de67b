package main

import (
	"context"
	"fmt"

	"github.com/tolmach/tolmach/internal/server"
)

// backupCommand copies the database while everything goes on.
type backupCommand struct {
	Data string `default:"./data" env:"TOLMACH_DATA" placeholder:"DIR" help:"Data directory of the installation."`
	File string `arg:"" help:"File to write; it must not exist. It holds secrets and is made readable to its owner only. A running server writes it, as its own user."`
}

// Run implements the command.
func (c *backupCommand) Run(ctx context.Context, s streams) error {
	size, err := server.Backup(ctx, c.Data, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "wrote %s, %d bytes\n", c.File, size)
	return err
}
