package main

import (
	"fmt"
	"runtime"

	"github.com/tolmach/tolmach/internal/server"
)

type versionCommand struct{}

// Run implements the command.
func (c *versionCommand) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "tolmach %s (%s %s/%s)\n", server.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
