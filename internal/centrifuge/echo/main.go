// Command echo is a small Centrifugal server to try clients against: everybody
// may subscribe and publish everywhere, and what is sent comes back.
//
//	PORT=8000 go run ./internal/centrifuge/echo
//
// It listens on 127.0.0.1:$PORT (0 or nothing: any free port), says where on
// standard output, and serves /connection/websocket, /connection/http_stream,
// /connection/sse and /emulation. An interrupt drains and ends it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/tolmach/tolmach/internal/centrifuge"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run() error {
	ping := flag.Duration("ping", 25*time.Second, "ping interval")
	pong := flag.Duration("pong", 8*time.Second, "time for an answer to a ping")
	keep := flag.Int("keep", 1000, "publications kept in each channel")
	resubscribe := flag.Bool("resubscribe", false, "answer OK, not 105, to a subscribe to a server-side channel")
	verbose := flag.Bool("v", false, "log everything")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelDebug
	}
	stream := centrifuge.NewMemoryStream(uuid.NewString(), *keep)
	app := &handler{stream: stream}
	srv, err := centrifuge.New(centrifuge.Config{
		Handler: app, Stream: stream, Version: "echo",
		Logger:       slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
		PingInterval: *ping, PongTimeout: *pong, AllowResubscribe: *resubscribe,
	})
	if err != nil {
		return err
	}
	app.server = srv

	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "0"))
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	return serve(ctx, srv, listener)
}

// serve runs until the context ends and everybody has been told.
func serve(ctx context.Context, srv *centrifuge.Server, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/connection/websocket", srv.ServeWebSocket)
	mux.HandleFunc("/connection/http_stream", srv.ServeHTTPStream)
	mux.HandleFunc("/connection/sse", srv.ServeSSE)
	mux.HandleFunc("/emulation", srv.ServeEmulation)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()

	drained := srv.Run(ctx)
	shutdown, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := web.Shutdown(shutdown); err != nil {
		drained = errors.Join(drained, err, web.Close())
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(drained, err)
	}
	return drained
}
