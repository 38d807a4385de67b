package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// The engines that a run can be of.
const (
	engineSQLite   = "sqlite"
	enginePostgres = "postgres"
)

// place is where one step keeps its data: a directory of its own and, with
// PostgreSQL, a database of its own.
type place struct {
	dir      string
	database string // URL; empty with SQLite
}

// cluster is the server that databases are made on.
type cluster struct{ url string } // of a user who may make them; empty with SQLite

func openCluster(engine string) (cluster, error) {
	switch engine {
	case engineSQLite:
		return cluster{}, nil
	case enginePostgres:
		if at := os.Getenv("TOLMACH_TEST_POSTGRES"); at != "" {
			return cluster{at}, nil
		}
		return cluster{}, errors.New("no PostgreSQL to work with: run scripts/services.sh go run ./bench/accept -engine postgres")
	default:
		return cluster{}, fmt.Errorf("unknown engine %q; write sqlite or postgres", engine)
	}
}

// with lets work have a place of that name, which ends with it.
func (c cluster) with(ctx context.Context, dir, name string, work func(at place) error) (err error) {
	at := place{dir: filepath.Join(dir, name)}
	if err := os.Mkdir(at.dir, 0o700); err != nil {
		return err
	}
	if c.url == "" {
		return work(at)
	}
	address, err := url.Parse(c.url)
	if err != nil {
		return errors.New("TOLMACH_TEST_POSTGRES is no URL")
	}
	address.Path = "/bench_" + name
	at.database = address.String()
	if err := c.exec(ctx, `CREATE DATABASE bench_`+name); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, c.exec(context.WithoutCancel(ctx), `DROP DATABASE bench_`+name+` WITH (FORCE)`))
	}()
	return work(at)
}

func (c cluster) exec(ctx context.Context, statement string) (err error) {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
