package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// restoreCommand puts a backup in the place of the database, or makes what
// PostgreSQL's own means have put back a new history.
type restoreCommand struct {
	config.Storage
	Force    bool   `help:"Replace the database that is there. What it holds and the backup does not is gone."`
	NewEpoch bool   `help:"With --database: begin a new history in a database that was put back by pg_restore or from a base backup. No server may work with it."`
	File     string `arg:"" optional:"" help:"Backup to restore."`
}

// Run implements the command.
func (c *restoreCommand) Run(ctx context.Context, s streams) error {
	const says = "as a new history: live readers load anew, ids go on far above those given out before\n"
	switch {
	case c.Database == "" && (c.File == "" || c.NewEpoch):
		return errors.New("name the backup to restore; --new-epoch goes with --database")
	case c.Database == "":
		if err := server.Restore(ctx, c.Data, c.File, c.Force, s.err); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "restored %s into %s, %s", c.File, c.Data, says)
		return err
	case c.File != "" || !c.NewEpoch:
		return errors.New("a dump of PostgreSQL is put back by pg_restore; then run tolmach restore --new-epoch, without a file")
	}
	if err := server.Renew(ctx, c.Storage, s.err); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "the database goes on %s", says)
	return err
}
