package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge"
)

// application admits everybody into the channel the token names and knows all
// connections, to be able to cut them.
type application struct {
	mu    sync.Mutex
	conns map[*centrifuge.Conn]struct{}
}

// Connect implements centrifuge.Handler.
func (a *application) Connect(_ context.Context, c *centrifuge.Conn, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns[c] = struct{}{}
	return centrifuge.ConnectReply{Subs: map[string]centrifuge.SubscribeOptions{e.Token: {Recoverable: true}}}, nil
}

// Disconnected implements centrifuge.DisconnectHandler.
func (a *application) Disconnected(c *centrifuge.Conn, _ centrifuge.Disconnect) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, c)
}

func (a *application) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.conns {
		c.Disconnect(centrifuge.DisconnectForceReconnect)
	}
}

// server is the measured process: a Centrifugal server and the levers the load
// pulls. It says where it listens on standard output.
func server(ctx context.Context) error {
	app := &application{conns: make(map[*centrifuge.Conn]struct{})}
	stream := centrifuge.NewMemoryStream("bench", 1)
	srv, err := centrifuge.New(centrifuge.Config{Handler: app, Stream: stream, Version: "bench"})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/websocket", srv.ServeWebSocket)
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { app.cut() })
	mux.HandleFunc("/collect", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "heap %d KB, stacks %d KB, goroutines %d\n", m.HeapInuse>>10, m.StackInuse>>10, runtime.NumGoroutine())
	})
	mux.HandleFunc("/publish", func(w http.ResponseWriter, r *http.Request) {
		if err := publish(srv, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	drained := srv.Run(ctx)
	if err := errors.Join(drained, web.Close()); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// publish sends messages to each of the channels c0, c1, … in turn: with "batch"
// all of a channel in one call, as who reads them from a log does.
func publish(srv *centrifuge.Server, r *http.Request) error {
	channels, err := strconv.Atoi(r.FormValue("channels"))
	if err != nil {
		return err
	}
	messages, err := strconv.Atoi(r.FormValue("messages"))
	if err != nil {
		return err
	}
	pub := centrifuge.Publication{Data: []byte(`{"event":"chatMessageCreated","data":{"id":"0198c0de","authorType":"OPERATOR","body":"Здравствуйте! Чем помочь?","answers":[],"sessionId":"0198c0de-0000-7000-8000-000000000000"}}`)}
	size, rounds := 1, messages
	if r.FormValue("batch") != "" {
		size, rounds = messages, 1
	}
	for range rounds {
		for i := range channels {
			srv.Publish("c"+strconv.Itoa(i), slices.Repeat([]centrifuge.Publication{pub}, size)...)
		}
	}
	return nil
}
