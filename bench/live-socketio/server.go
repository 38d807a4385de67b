package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tolmach/tolmach/internal/engineio"
	"github.com/tolmach/tolmach/internal/socketio"
)

// stats is what the server process says of itself.
type stats struct {
	RSS         int64         // bytes resident, after a garbage collection
	CPU         time.Duration // user and system time so far
	Connections int
	Sockets     int
}

// bench is the server process: a Socket.IO server whose clients name a room in their query, and a few commands.
type bench struct {
	io   *socketio.Server
	root *socketio.Namespace

	mu    sync.Mutex
	conns map[*engineio.Conn]struct{}
}

func serve(ctx context.Context) error {
	if err := raiseFileLimit(0); err != nil {
		return err
	}
	io, err := socketio.New(socketio.Config{})
	if err != nil {
		return err
	}
	b := &bench{io: io, conns: make(map[*engineio.Conn]struct{})}
	b.root = io.Of("/", socketio.HandlerFunc(b.connect))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.HandleFunc("/stats", b.stats)
	mux.HandleFunc("/publish", b.publish)
	mux.HandleFunc("/drop", b.drop)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	failure := io.Run(ctx)
	failure = errors.Join(failure, server.Close())
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		failure = errors.Join(failure, err)
	}
	return failure
}

// resident leaves the books when its socket ends.
type resident struct {
	socketio.Events
	b    *bench
	conn *engineio.Conn
}

func (r resident) Disconnected(socketio.Reason) {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	delete(r.b.conns, r.conn)
}

func (b *bench) connect(s *socketio.Socket, h socketio.Handshake) (socketio.Receiver, error) {
	b.mu.Lock()
	b.conns[s.Conn()] = struct{}{}
	b.mu.Unlock()
	return resident{b: b, conn: s.Conn()}, errors.Join(s.Join(h.Query.Get("room")), s.Join("all"+h.Query.Get("all")))
}

func (b *bench) stats(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	rss, err := residentBytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(stats{ // the bench notices a broken answer
		RSS: rss, CPU: time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Connections: b.io.Connections(), Sockets: b.root.Count(),
	})
}

func residentBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm says %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// publish emits count events to each of the rooms prefix0, prefix1 …
func (b *bench) publish(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	count, err1 := strconv.Atoi(query.Get("count"))
	rooms, err2 := strconv.Atoi(query.Get("rooms"))
	if err := errors.Join(err1, err2); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := strings.Repeat("x", 150)
	for range count {
		for i := range rooms {
			if err := b.root.To(query.Get("prefix")+strconv.Itoa(i)).Emit("m", text); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
	}
}

// drop closes every connection.
func (b *bench) drop(http.ResponseWriter, *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.Close()
	}
}
