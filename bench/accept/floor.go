package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// The floor is the least a durable HTTP server on this machine does: net/http,
// one insert of the same bytes, commits grouped over whoever waits, as durable
// as the server's.

type floorJob struct {
	content []byte
	id      int64
	done    chan error
}

// floorWriter commits a batch as one transaction and gives each job its id.
type floorWriter interface {
	commit(ctx context.Context, batch []*floorJob) error
	close()
}

func serveFloor(ctx context.Context, engine, dir string) error {
	open := openSQLiteFloor
	if engine == enginePostgres {
		open = openPostgresFloor
	}
	w, err := open(ctx, dir)
	if err != nil {
		return err
	}
	defer w.close()
	jobs := make(chan *floorJob, 4096)
	go writeFloor(ctx, w, jobs)
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
func writeFloor(ctx context.Context, w floorWriter, jobs <-chan *floorJob) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-jobs:
			batch := []*floorJob{j}
			for len(batch) < 128 && len(jobs) > 0 {
				batch = append(batch, <-jobs)
			}
			err := w.commit(ctx, batch)
			for _, j := range batch {
				j.done <- err
			}
		}
	}
}

func stringBody(text string) io.Reader { return strings.NewReader(text) }
