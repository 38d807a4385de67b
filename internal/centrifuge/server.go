package centrifuge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
	"github.com/tolmach/tolmach/internal/centrifuge/wsock"
)

// Server owns the connections and the channels they are subscribed to. Mount
// its handlers where the clients look for them and keep Run going.
type Server struct {
	cfg      Config
	handlers handlers
	hub      *hub
	wheel    *wheel
	upgrader *wsock.Upgrader

	ctx    context.Context // of all connections
	cancel context.CancelFunc

	mu       sync.Mutex
	draining bool
	conns    map[*Conn]struct{}
	sessions map[string]*Conn // of transports whose commands travel apart

	wg sync.WaitGroup // readers and writers
}

// New makes a server; it holds nothing that needs closing before Run.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Server{
		cfg:      cfg,
		handlers: handlersOf(cfg.Handler),
		hub:      newHub(),
		wheel:    newWheel(cfg.Now),
		upgrader: &wsock.Upgrader{Protocols: []string{subprotocolJSON, subprotocolProtobuf}, MaxMessage: cfg.MaxMessage},
		ctx:      ctx,
		cancel:   cancel,
		conns:    make(map[*Conn]struct{}),
		sessions: make(map[string]*Conn),
	}, nil
}

// Run keeps time for the connections until the context ends, then sends all of
// them away with 3001 and waits for their goroutines. It returns nil after a
// clean drain, and an error if Config.DrainTimeout ran out and connections were
// cut. Requests that come later get HTTP 503. Shut the HTTP server down
// afterwards: it would wait for the streams.
func (s *Server) Run(ctx context.Context) error {
	s.wheel.run(ctx)
	defer s.cancel()
	for _, c := range s.drain() {
		c.Disconnect(DisconnectShutdown)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.wg.Wait()
	}()
	timeout := time.NewTimer(s.cfg.DrainTimeout)
	defer timeout.Stop()
	select {
	case <-gone:
		return nil
	case <-timeout.C:
	}
	left := s.drain()
	for _, c := range left {
		c.link.hangUp()
	}
	s.cancel()
	<-gone
	return fmt.Errorf("centrifuge: %d connections were cut after %v of saying goodbye", len(left), s.cfg.DrainTimeout)
}

// drain closes the door and returns who is inside.
func (s *Server) drain() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	all := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// Publish delivers publications to everybody who is subscribed here, those of
// one call in one frame where they fit. It never blocks on a client. Calls for
// one channel must come in the order of offsets; a subscriber gets each offset at
// most once. A payload that is not JSON ends the connections of subscribers that
// speak JSON with 3506.
func (s *Server) Publish(channel string, pubs ...Publication) {
	batch := make([]broadcast, len(pubs))
	for i := range pubs {
		push := &protocol.Push{Channel: channel, Pub: &pubs[i]}
		batch[i] = broadcast{reply: protocol.Reply{Push: push}, offset: pubs[i].Offset}
	}
	s.hub.each(channel, func(sub *subscription) { sub.conn.deliver(sub, batch) })
}

// Presence returns who is subscribed to a channel on this server, by connection
// id.
func (s *Server) Presence(channel string) map[string]*ClientInfo {
	present := make(map[string]*ClientInfo)
	s.hub.each(channel, func(sub *subscription) {
		present[sub.conn.id] = sub.info()
	})
	return present
}

// Connections returns how many sockets and streams are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

var (
	errDraining = errors.New("the server is shutting down")
	errFull     = errors.New("the server has all the connections it takes")
)

// admit registers a connection whose reader is about to run; leave undoes it.
func (s *Server) admit(c *Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.full(); err != nil {
		return err
	}
	s.conns[c] = struct{}{}
	if c.session != "" {
		s.sessions[c.session] = c
	}
	s.wg.Add(1)
	return nil
}

// full says why no further connection is taken; s.mu is held.
func (s *Server) full() error {
	switch {
	case s.draining:
		return errDraining
	case s.cfg.MaxConnections > 0 && len(s.conns) >= s.cfg.MaxConnections:
		return errFull
	}
	return nil
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	delete(s.sessions, c.session)
	s.mu.Unlock()
	s.wg.Done()
}

func (s *Server) session(id string) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}
