// Command live-socketio measures the Socket.IO server with many connections: memory and CPU of idle ones, fan-out, a
// reconnect storm. The server runs in a process of its own; everything stays on loopback. It prints a table and JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit bounds the whole run.
const limit = 170 * time.Second

func main() {
	serving := flag.Bool("serve", false, "be the server process (the bench starts it by itself)")
	few := flag.Int("few", 1_000, "connections of the first memory reading")
	many := flag.Int("many", 10_000, "connections of the second one, and of everything else")
	idle := flag.Duration("idle", 10*time.Second, "how long the CPU of idle connections is watched")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return measure(ctx, plan{few: *few, many: *many, idle: *idle}) }
	if *serving {
		run = func() error { return serve(ctx) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "live-socketio:", err)
		stop()
		os.Exit(1)
	}
}

func measure(ctx context.Context, p plan) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := raiseFileLimit(uint64(p.many) + 500); err != nil {
		return err
	}
	r := &report{Connections: p.many}
	for _, phase := range []func(context.Context, plan, *report) error{webSockets, pollingSessions} {
		if err := phase(ctx, p, r); err != nil {
			return err
		}
	}
	r.table(os.Stdout)
	return json.NewEncoder(os.Stdout).Encode(r)
}

// raiseFileLimit lets this process have need open files.
func raiseFileLimit(need uint64) error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	files.Cur = files.Max
	if files.Max < need {
		return fmt.Errorf("%d open files are allowed, %d are needed: raise the hard limit or pass -many", files.Max, need)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}
