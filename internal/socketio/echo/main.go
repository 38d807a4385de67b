// Command echo is a small Engine.IO and Socket.IO server for tests, benches and conformance suites: raw Engine.IO echo at
// /engine.io/, Socket.IO at /socket.io/ with the namespaces / and /custom. It listens on loopback unless told otherwise.
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
	"strings"
	"syscall"
	"time"

	"github.com/tolmach/tolmach/internal/engineio"
)

type flags struct {
	address  string
	origins  string
	aliases  string
	verbose  bool
	engine   engineio.Config
	connect  time.Duration
	greet    time.Duration
	recovery time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, parse()); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		stop()
		os.Exit(1)
	}
}

func parse() flags {
	var f flags
	flag.StringVar(&f.address, "listen", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "3000"), "address to listen on; the port defaults to $PORT")
	flag.DurationVar(&f.engine.PingInterval, "ping-interval", 300*time.Millisecond, "from one heartbeat to the next")
	flag.DurationVar(&f.engine.PingTimeout, "ping-timeout", 200*time.Millisecond, "how long a heartbeat may stay unanswered")
	flag.IntVar(&f.engine.MaxPayload, "max-payload", 1_000_000, "bytes of a request or a WebSocket message")
	flag.DurationVar(&f.connect, "connect-timeout", 1500*time.Millisecond, "how long a client may take to connect to a namespace")
	flag.DurationVar(&f.greet, "greet-delay", 20*time.Millisecond,
		"how long after CONNECT auth is emitted: test clients that wait for one message at a time miss the second of two in one segment")
	flag.DurationVar(&f.recovery, "recovery", 2*time.Minute, "how long a lost socket can be recovered by clients that ask for it")
	flag.StringVar(&f.origins, "origins", "*", "origins that may connect, separated by commas")
	flag.StringVar(&f.aliases, "aliases", "/operator/socket.io/", "namespaces that stand for /, separated by commas")
	flag.StringVar(&f.engine.Cookie, "cookie", "", "name of a cookie with the session id")
	flag.BoolVar(&f.verbose, "verbose", false, "log to standard error")
	flag.Parse()
	return f
}

// run serves until ctx is done, then closes every connection and returns.
func run(ctx context.Context, f flags) error {
	level := slog.LevelError
	if f.verbose {
		level = slog.LevelInfo
	}
	f.engine.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	f.engine.Origins = split(f.origins)
	raw, err := engineio.New(f.engine, echoRaw)
	if err != nil {
		return err
	}
	io, err := newSocketIO(f)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", raw)
	mux.Handle("/socket.io/", io)
	mux.Handle("/operator/socket.io/", io)
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", f.address, err)
	}
	fmt.Println("listening on", listener.Addr())
	return serve(ctx, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}, listener, raw.Run, io.Run)
}

// serve runs everything and stops in order: the connections first, then the HTTP server, which by then has no request left.
func serve(ctx context.Context, server *http.Server, listener net.Listener, runners ...func(context.Context) error) error {
	drained := make(chan error, len(runners))
	for _, run := range runners {
		go func() { drained <- run(ctx) }()
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var failure error
	for range runners {
		failure = errors.Join(failure, <-drained)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	failure = errors.Join(failure, server.Shutdown(last))
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		failure = errors.Join(failure, err)
	}
	return failure
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
