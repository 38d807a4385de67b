package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tolmach/tolmach/internal/bot/scenario"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/webhook"
)

// scenarioCommand groups what is done with a scenario file by hand.
type scenarioCommand struct {
	Check scenarioCheck `cmd:"" help:"Check a file and print everything that is wrong with it."`
	Chat  scenarioChat  `cmd:"" help:"Talk to the bot in the terminal."`
}

type scenarioCheck struct {
	File string `arg:"" help:"Scenario file."`
}

// Run implements the command.
func (c *scenarioCheck) Run(s streams) error {
	if _, err := parseScenario(c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%s is a valid scenario\n", c.File)
	return err
}

type scenarioChat struct {
	EgressAllow []config.Network `placeholder:"CIDR" help:"Networks the bot may call though they aren't public."`
	File        string           `arg:"" help:"Scenario file."`
}

// Run implements the command.
func (c *scenarioChat) Run(ctx context.Context, s streams) error {
	sc, err := parseScenario(c.File)
	if err != nil {
		return err
	}
	client := webhook.NewClient(webhook.Policy{Allow: config.Prefixes(c.EgressAllow)})
	defer client.Close()
	return scenario.Chat(ctx, sc, s.in, s.out, scenario.Effects{
		HTTP: client, Key: fmt.Sprintf("terminal-%d", os.Getpid()),
		Sleep: func(ctx context.Context, d time.Duration) error {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
				return nil
			}
		},
	})
}

func parseScenario(file string) (*scenario.Scenario, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the scenario can't be read: %w", err)
	}
	return scenario.Parse(file, src)
}
