// Package engineio is an Engine.IO server, protocol revisions 3 and 4, by polling and WebSocket. It knows nothing of what
// travels over it. See the README for its limits, its choices and how clauses of the protocol map to tests.
package engineio

import (
	"context"
	"net/http"
	"strconv"
	"sync"

	"github.com/tolmach/tolmach/internal/engineio/wheel"
)

const (
	transportPolling   = "polling"
	transportWebSocket = "websocket"
)

// Server speaks Engine.IO, revisions 3 and 4, on whatever path it is mounted. Make it with New, run it with Run.
type Server struct {
	config   Config
	acceptor Acceptor
	sessions sessions
	timers   *wheel.Wheel
	working  sync.WaitGroup // connections on the books and goroutines of ours
	buffers  sync.Pool
	writers  writers

	pingPacket, noopPacket, closePacket *Message
}

// New makes a server that asks accept about every handshake. The error names the setting that makes no sense.
func New(config Config, accept Acceptor) (*Server, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	s := &Server{
		config: config, acceptor: accept,
		timers:      wheel.New(config.Now(), config.step()),
		pingPacket:  control(packetPing, nil),
		noopPacket:  control(packetNoop, nil),
		closePacket: control(packetClose, nil),
	}
	s.sessions = sessions{byID: make(map[string]*Conn), limit: config.MaxConns, working: &s.working}
	return s, nil
}

// Run times the connections until ctx is done. Then nobody is let in any more, every connection is closed so that its
// client connects again elsewhere, and Run returns when the last one has ended and its receiver was told. It may be
// called once. Without Run there are no heartbeats.
func (s *Server) Run(ctx context.Context) error {
	ticking, stop := context.WithCancel(context.WithoutCancel(ctx))
	var clock sync.WaitGroup
	clock.Go(func() { s.timers.Run(ticking, s.config.Now) })
	<-ctx.Done()
	for _, c := range s.sessions.close() {
		c.shut(Shutdown)
	}
	s.working.Wait()
	stop()
	clock.Wait()
	return nil
}

// Timers is the wheel that times the connections; layers above may arm their own timers on it.
func (s *Server) Timers() *wheel.Wheel { return s.timers }

// Count is how many connections are open or closing.
func (s *Server) Count() int { return s.sessions.count() }

// background runs a short job that Run waits for. It is called only while something else is counted.
func (s *Server) background(job func()) { s.working.Go(job) }

// ServeHTTP serves every request of the protocol: handshakes, polls, posts, upgrades, preflights.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.originAllowed(r) {
		refuseForbidden().write(w)
		return
	}
	allowOrigin(w.Header(), r)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	if refused := s.route(w, r); refused != nil {
		refused.write(w)
	}
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) *refusal {
	query := r.URL.Query()
	transport := query.Get("transport")
	if transport != transportPolling && transport != transportWebSocket {
		return refuseTransport()
	}
	protocol, err := strconv.Atoi(query.Get("EIO"))
	known := err == nil && (protocol == 3 || protocol == 4)
	sid := query.Get("sid")
	switch {
	case sid != "":
		return s.serveSession(w, r, sid, protocol, transport)
	case r.Method != http.MethodGet:
		return refuseMethod()
	case !known:
		return refuseProtocol()
	default:
		return s.handshake(w, r, protocol, transport)
	}
}

// serveSession serves a request of a connection that exists. The heartbeat is judged here too, since the wheel may be a step behind.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, sid string, protocol int, transport string) *refusal {
	c := s.sessions.find(sid)
	if c == nil || c.expire() {
		return refuseSession()
	}
	switch {
	case c.protocol != protocol:
		return refuseProtocol()
	case transport == transportWebSocket && r.Method == http.MethodGet:
		return s.upgrade(w, r, c)
	case transport == transportWebSocket:
		return refuseRequest()
	case r.Method == http.MethodGet:
		return c.get(w, r)
	case r.Method == http.MethodPost:
		return c.post(w, r)
	default:
		return refuseRequest()
	}
}

// expire ends a connection whose heartbeat is overdue.
func (c *Conn) expire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen && c.pulse.dead(c.server.config.Now()) {
		c.end(PingTimeout)
		return true
	}
	return false
}

// Config is what the server runs with, defaults filled in.
func (s *Server) Config() Config { return s.config }
