package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/tolmach/tolmach/internal/server"
)

// callsCommand shows the failures that a running server remembers.
type callsCommand struct {
	Data string `default:"./data" env:"TOLMACH_DATA" placeholder:"DIR" help:"Data directory of the running server."`
}

// Run implements the command.
func (c *callsCommand) Run(ctx context.Context, s streams) error {
	calls, err := server.FailedCalls(ctx, c.Data)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tSTATUS\tROUTE\tFROM\tWHO\tFIELD\tREASON")
	for _, f := range calls {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", f.At.Format(time.DateTime), f.Status, f.Route, f.Remote, f.Actor, f.Field, f.Reason)
	}
	return w.Flush()
}
