// Command chat measures the server as the apps and the people of a conversation
// meet it: how soon long polls are woken and what they cost while they wait, how
// long a question takes until its answer, how soon an operator sees a message.
// Everything is verified: every message is accounted for, its order checked.
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
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	binary   string
	database string
	polls    int
	wakeRate int
	syncRate int
	liveRate int
	sockets  int
	seconds  time.Duration
	jsonFile string
	only     string
}

func main() {
	var o options
	flag.StringVar(&o.binary, "tolmach", "bin/tolmach", "the server's binary")
	flag.StringVar(&o.database, "database", "", "URL of an empty PostgreSQL database for the one step of -only; left out: SQLite")
	flag.IntVar(&o.polls, "polls", 1000, "long polls that wait at once")
	flag.IntVar(&o.wakeRate, "wake-rate", 250, "events a second that wake them")
	flag.IntVar(&o.syncRate, "sync-rate", 500, "questions a second that wait for their answers")
	flag.IntVar(&o.liveRate, "live-rate", 1000, "messages a second that operators' sockets show")
	flag.IntVar(&o.sockets, "sockets", 10, "operators' sockets")
	flag.DurationVar(&o.seconds, "time", 20*time.Second, "length of the open loops")
	flag.StringVar(&o.jsonFile, "json", "", "file for machine-readable results")
	flag.StringVar(&o.only, "only", "", "the steps to run, by name and with commas between; left out: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "tmbench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	r := newReport(o)
	steps := []struct {
		name string
		run  func(ctx context.Context, o options, s *server, r *report) error
	}{
		{"polls", measurePolls},
		{"one client", measureOneClient},
		{"sync", measureSync},
		{"live", measureLive},
	}
	for i, step := range steps {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), step.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "… %s\n", step.name)
		s, err := startServer(ctx, o, filepath.Join(dir, fmt.Sprint(i)))
		if err == nil {
			err = s.finish(step.run(ctx, o, s, r))
		}
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
