package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// engine is a store with what is measured of it beside its answers.
type engine interface {
	// open opens an empty store.
	open(ctx context.Context) (store, error)
	// processorTime is what the engine and this process have used.
	processorTime(ctx context.Context) (time.Duration, error)
	// sizeMB is what is stored.
	sizeMB(ctx context.Context) (float64, error)
	// close comes after the store's and removes everything.
	close(ctx context.Context) error
}

// store is what the engines' stores have in common.
type store interface {
	chat.Store
	Run(ctx context.Context) error
	Ready() <-chan struct{}
	Close() error
}

func newEngine(ctx context.Context, name string) (engine, error) {
	switch name {
	case "sqlite":
		dir, err := os.MkdirTemp("", "tmdepth")
		return sqliteEngine{dir}, err
	case "postgres":
		return newPostgresEngine(ctx)
	default:
		return nil, fmt.Errorf("unknown engine %q; write sqlite or postgres", name)
	}
}

// sqliteEngine works within this process.
type sqliteEngine struct{ dir string }

func (e sqliteEngine) path() string { return filepath.Join(e.dir, "depth.db") }

func (e sqliteEngine) open(ctx context.Context) (store, error) {
	return sqlite.Open(ctx, sqlite.Options{Path: e.path(), Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
}

func (e sqliteEngine) processorTime(context.Context) (time.Duration, error) { return ownTime() }

func (e sqliteEngine) sizeMB(context.Context) (float64, error) {
	info, err := os.Stat(e.path())
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / (1 << 20), nil
}

func (e sqliteEngine) close(context.Context) error { return os.RemoveAll(e.dir) }

// ownTime is what this process has used.
func ownTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// postgresEngine is a database of its own on the server that
// scripts/services.sh has started on this machine.
type postgresEngine struct {
	url  string
	conn *pgx.Conn // of the database that databases are made from
}

const database = "bench_depth"

func newPostgresEngine(ctx context.Context) (engine, error) {
	at := os.Getenv("TOLMACH_TEST_POSTGRES")
	if at == "" {
		return nil, errors.New("no PostgreSQL to work with: run scripts/services.sh go run ./bench/depth -engine postgres")
	}
	u, err := url.Parse(at)
	if err != nil {
		return nil, errors.New("TOLMACH_TEST_POSTGRES is no URL")
	}
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+database); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	u.Path = "/" + database
	return &postgresEngine{u.String(), conn}, nil
}

func (e *postgresEngine) open(ctx context.Context) (store, error) {
	return postgres.Open(ctx, postgres.Options{URL: e.url, Logger: slog.New(slog.DiscardHandler)})
}

// processorTime adds what the server's processes have used, by what the system
// says of them: those that live, and those that their parent has seen end.
func (e *postgresEngine) processorTime(ctx context.Context) (time.Duration, error) {
	rows, err := e.conn.Query(ctx, `SELECT pid FROM pg_stat_activity`)
	if err != nil {
		return 0, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, err
	}
	sum, err := ownTime()
	if err != nil {
		return 0, err
	}
	parent := 0
	for _, pid := range pids {
		p, err := processOf(pid)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended meanwhile, and its parent knows
		}
		if err != nil {
			return 0, err
		}
		sum, parent = sum+p.used, p.parent
	}
	p, err := processOf(parent)
	return sum + p.used + p.ofChildren, err
}

// process is what the system says of one.
type process struct {
	parent           int
	used, ofChildren time.Duration
}

// processOf reads /proc/PID/stat (proc(5)): after the name in parentheses the
// fields count from 3; the 4th is the parent, 14 to 17 are times in hundredths
// of a second.
func processOf(pid int) (p process, err error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, err
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return p, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return p, err
	}
	for i, into := range []*time.Duration{&p.used, &p.used, &p.ofChildren, &p.ofChildren} {
		ticks, err := strconv.Atoi(fields[11+i])
		if err != nil {
			return p, err
		}
		*into += time.Duration(ticks) * time.Second / 100
	}
	return p, nil
}

func (e *postgresEngine) sizeMB(ctx context.Context) (mb float64, err error) {
	err = e.conn.QueryRow(ctx, `SELECT pg_database_size($1)::float8 / (1 << 20)`, database).Scan(&mb)
	return mb, err
}

func (e *postgresEngine) close(ctx context.Context) error {
	_, err := e.conn.Exec(ctx, `DROP DATABASE `+database+` WITH (FORCE)`)
	return errors.Join(err, e.conn.Close(ctx))
}
