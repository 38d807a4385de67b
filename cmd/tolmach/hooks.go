package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/tolmach/tolmach/internal/webhook"
)

// hooksCommand is a receiver for a developer to look at what is sent.
type hooksCommand struct {
	Listen string        `default:"127.0.0.1:9701" placeholder:"HOST:PORT" help:"Address to receive on."`
	Secret []string      `placeholder:"SECRET" help:"Secret to check signatures with; several may be given."`
	Status string        `default:"200" placeholder:"LIST" help:"Statuses to answer, one a call, the last for ever: 503,503,200."`
	Delay  time.Duration `placeholder:"TIME" help:"Time to wait before each answer."`
	Path   string        `placeholder:"PATH" help:"Show only calls of this path and those under it."`
	JSON   bool          `name:"json" help:"Print one JSON object a line."`
}

// Run implements the command.
func (c *hooksCommand) Run(ctx context.Context, s streams) error {
	statuses, err := webhook.ParseStatuses(c.Status)
	if err != nil {
		return err
	}
	receiver, err := webhook.NewReceiver(webhook.ReceiverConfig{
		Secrets: c.Secret, Statuses: statuses, Delay: c.Delay, Path: c.Path, JSON: c.JSON, Out: s.out, Now: time.Now,
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("the address %s can't be received on; choose another --listen: %w", c.Listen, err)
	}
	fmt.Fprintf(s.err, "waiting for webhooks on http://%s (stop with Ctrl-C)\n", l.Addr())
	return receiver.Run(ctx, l)
}
