package main

import (
	"context"
	"fmt"

	"github.com/tolmach/tolmach/internal/server"
)

// restoreCommand puts a backup in the place of the database.
type restoreCommand struct {
	Data  string `default:"./data" env:"TOLMACH_DATA" placeholder:"DIR" help:"Data directory to restore into; it is made when missing."`
	Force bool   `help:"Replace the database that is there. What it holds and the backup does not is gone."`
	File  string `arg:"" help:"Backup to restore."`
}

// Run implements the command.
func (c *restoreCommand) Run(ctx context.Context, s streams) error {
	if err := server.Restore(ctx, c.Data, c.File, c.Force, s.err); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "restored %s into %s, as a new history: live readers load anew, ids go on far above those given out before\n",
		c.File, c.Data)
	return err
}
