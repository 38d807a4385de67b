package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

// The floor is the least a durable HTTP server on this machine does: net/http,
// one insert of the same bytes, commits grouped over whoever waits, WAL and
// synchronous=FULL as in the server.

type floorJob struct {
	content []byte
	id      int64
	done    chan error
}

func serveFloor(ctx context.Context, dir string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE messages (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, body TEXT NOT NULL)`); err != nil {
		return err
	}
	jobs := make(chan *floorJob, 4096)
	go writeFloor(ctx, db, jobs)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: floorHandler(jobs), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("server.ready", "url", "http://"+l.Addr().String())
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func floorHandler(jobs chan<- *floorJob) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
		if err != nil || !json.Valid(content) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		j := &floorJob{content: content, done: make(chan error, 1)}
		jobs <- j
		if err := <-j.done; err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","response":{"message_id":"%d"}}`, j.id)
	})
}

// writeFloor commits whatever waits as one transaction.
func writeFloor(ctx context.Context, db *sql.DB, jobs <-chan *floorJob) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-jobs:
			batch := []*floorJob{j}
			for len(batch) < 128 && len(jobs) > 0 {
				batch = append(batch, <-jobs)
			}
			err := commitFloor(ctx, db, batch)
			for _, j := range batch {
				j.done <- err
			}
		}
	}
}

func commitFloor(ctx context.Context, db *sql.DB, batch []*floorJob) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO messages (at, body) VALUES ($1, $2) RETURNING id`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for _, j := range batch {
		if err := insert.QueryRowContext(ctx, time.Now().UnixMicro(), string(j.content)).Scan(&j.id); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func stringBody(text string) io.Reader { return strings.NewReader(text) }
