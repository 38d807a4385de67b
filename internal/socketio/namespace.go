package socketio

import (
	"sync"
)

// Namespace is a set of sockets with rooms among them. Its methods are safe for concurrent use.
type Namespace struct {
	server  *Server
	name    string
	handler Handler
	journal *journal // nil without recovery

	mu      sync.RWMutex
	sockets map[string]*Socket
	rooms   map[string]*room
}

func newNamespace(s *Server, name string, handler Handler) *Namespace {
	n := &Namespace{
		server: s, name: name, handler: handler,
		sockets: make(map[string]*Socket), rooms: make(map[string]*room),
	}
	if s.config.Recovery.MaxAge > 0 {
		n.journal = newJournal(s.config.Recovery, s.config.Engine.NewID())
	}
	return n
}

// Name is the true name of the namespace.
func (n *Namespace) Name() string { return n.name }

// Socket finds a socket by its id; nil if there is none.
func (n *Namespace) Socket(id string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.sockets[id]
}

// Count is how many sockets are in the namespace.
func (n *Namespace) Count() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.sockets)
}

// CountIn is how many sockets are in a room.
func (n *Namespace) CountIn(name string) int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if r := n.rooms[name]; r != nil {
		return len(r.members)
	}
	return 0
}

func (n *Namespace) add(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sockets[s.id] = s
}

func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(s.rooms) > 0 {
		n.part(s, len(s.rooms)-1)
	}
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
	}
}
