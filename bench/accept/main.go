// Command accept measures the server against a floor on the same machine in
// the same run: how fast messages are accepted durably, how soon their webhooks
// leave, what a start and an idle process cost. Everything is verified: every
// acknowledged message is counted, every webhook's order checked.
//
// Run it by `make bench`, which builds the binary. Load goes to loopback only,
// and every loop is bounded in time or count.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	binary   string
	seconds  time.Duration
	workers  int
	backlog  int
	rate     int
	overload time.Duration
	jsonFile string
	engine   string
	only     string
	floorDir string // set in the floor's own process
}

func main() {
	var o options
	flag.StringVar(&o.binary, "tolmach", "bin/tolmach", "the server's binary")
	flag.DurationVar(&o.seconds, "time", 10*time.Second, "length of each timed run")
	flag.IntVar(&o.workers, "connections", 64, "connections of the closed loop")
	flag.IntVar(&o.backlog, "backlog", 20_000, "webhooks waiting before the drain")
	flag.IntVar(&o.rate, "rate", 1000, "messages a second of the open loop")
	flag.DurationVar(&o.overload, "overload", time.Minute, "length of the overload")
	flag.StringVar(&o.jsonFile, "json", "", "file for machine-readable results")
	flag.StringVar(&o.engine, "engine", engineSQLite, "sqlite, or postgres: the one that scripts/services.sh starts")
	flag.StringVar(&o.only, "only", "", "the steps to run, by name and with commas between; left out: all")
	flag.StringVar(&o.floorDir, "floor", "", "serve the floor from this directory (internal)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.floorDir != "" {
		return serveFloor(ctx, o.engine, o.floorDir)
	}
	databases, err := openCluster(o.engine)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tmbench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	r := &report{
		Started: time.Now().UTC().Format(time.RFC3339), Engine: o.engine, Cores: cores(), Connections: o.workers, Seconds: o.seconds.Seconds(),
	}
	steps := []struct {
		name string
		run  func(ctx context.Context, o options, at place, r *report) error
	}{
		{"floor", measureFloor},
		{"task alone", measureAlone},
		{"task with bot and integration", measureWhole},
		{"open loop", measureLatency},
		{"drain", measureDrain},
		{"start", measureStart},
		{"overload", measureOverload},
	}
	for i, step := range steps {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), step.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "… %s\n", step.name)
		err := databases.with(ctx, dir, fmt.Sprint(i), func(at place) error { return step.run(ctx, o, at, r) })
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	r.print(os.Stdout)
	if o.jsonFile == "" {
		return nil
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.jsonFile, append(content, '\n'), 0o600)
}
