// Package socketio is a Socket.IO server for clients since 2.x: protocol revisions 4 and 5 over Engine.IO 3 and 4.
// See the README for what is served and how clauses of the protocol map to tests.
package socketio

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tolmach/tolmach/internal/engineio"
)

// Server serves namespaces on whatever path it is mounted. Make it with New, add namespaces with Of, run it with Run.
type Server struct {
	config     Config
	engine     *engineio.Server
	namespaces map[string]*Namespace
}

// New makes a server without namespaces. The error names the setting that makes no sense.
func New(config Config) (*Server, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	s := &Server{config: config, namespaces: make(map[string]*Namespace)}
	engine, err := engineio.New(config.Engine, s.accept)
	if err != nil {
		return nil, fmt.Errorf("socketio: %w", err)
	}
	s.engine = engine
	s.config.Engine = engine.Config()
	return s, nil
}

// Of adds a namespace, its name beginning with a slash, before the server is served. A second call with the same name replaces the handler.
func (s *Server) Of(name string, handler Handler) *Namespace {
	n := newNamespace(s, name, handler)
	s.namespaces[name] = n
	return n
}

// Run serves until ctx is done, then drains: see engineio.Server.Run.
func (s *Server) Run(ctx context.Context) error { return s.engine.Run(ctx) }

// ServeHTTP serves the requests of all clients.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Connections is how many connections are open; each may have several sockets.
func (s *Server) Connections() int { return s.engine.Count() }

// resolve finds the namespace a client means.
func (s *Server) resolve(name string) *Namespace {
	if target, ok := s.config.Aliases[name]; ok {
		name = target
	}
	return s.namespaces[name]
}

// accept takes a new connection. Clients of revision 4 are in the root namespace at once (specs/live.md §2.1).
func (s *Server) accept(conn *engineio.Conn, r *http.Request) (engineio.Receiver, error) {
	c := &client{server: s, conn: conn, query: r.URL.RawQuery}
	if s.config.Accept != nil {
		value, err := s.config.Accept(r)
		if err != nil {
			return nil, fmt.Errorf("socketio: handshake: %w", err)
		}
		c.value = value
	}
	if conn.Protocol() == 3 {
		c.connect(packet{kind: packetConnect, namespace: root})
		return c, nil
	}
	s.engine.Timers().Schedule(&c.timer, (*connectAlarm)(c), s.config.Engine.Now().Add(s.config.ConnectTimeout))
	return c, nil
}
