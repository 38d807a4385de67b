// Command live-centrifuge measures internal/centrifuge on loopback: memory and
// CPU of idle connections, fan-out to pairs and to a crowd, and a reconnect
// storm. The server is a process of its own, so its memory and CPU are told
// apart from the load's.
//
//	go run ./bench/live-centrifuge [-connections 10000] [-json file]
//
// It prints a table on standard error and JSON on standard output.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

// limit bounds a whole run.
const limit = 170 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "live-centrifuge:", err)
		os.Exit(1)
	}
}

func run() error {
	serve := flag.Bool("serve", false, "be the server (what the command starts itself for)")
	connections := flag.Int("connections", 10_000, "connections of the idle and the storm part")
	flag.Parse()
	if err := raiseFileLimit(uint64(*connections) + 500); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *serve {
		return server(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t, err := startServer(ctx)
	if err != nil {
		return err
	}
	figures, err := measure(ctx, t, *connections)
	if stopErr := t.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	return report(figures)
}

// figure is one measured value; a zero bar means there is none.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bar   float64 `json:"bar,omitempty"`
	// AtLeast says that the bar is a minimum.
	AtLeast bool `json:"at_least,omitempty"`
}

func (f figure) verdict() string {
	switch {
	case f.Bar == 0:
		return ""
	case f.AtLeast && f.Value >= f.Bar, !f.AtLeast && f.Value <= f.Bar:
		return "ok"
	}
	return "MISSED"
}

func measure(ctx context.Context, t *target, connections int) ([]figure, error) {
	var all []figure
	for _, part := range []func(context.Context, *target, int) ([]figure, error){idleAndStorm, fanOuts} {
		figures, err := part(ctx, t, connections)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

func report(figures []figure) error {
	table := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	for _, f := range figures {
		bar := ""
		if f.Bar != 0 {
			bar = map[bool]string{true: "≥ ", false: "≤ "}[f.AtLeast] + fmt.Sprint(f.Bar)
		}
		if _, err := fmt.Fprintf(table, "%s\t%.2f %s\t%s\t%s\n", f.Name, f.Value, f.Unit, bar, f.verdict()); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(figures)
}
