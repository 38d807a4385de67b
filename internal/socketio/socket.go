package socketio

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/tolmach/tolmach/internal/engineio"
)

var (
	// ErrDisconnected answers whoever sends to, or waits for, a socket that has ended.
	ErrDisconnected = errors.New("socketio: the socket is disconnected")
	// ErrTooMany answers a Join or EmitAck beyond the limits of Config.
	ErrTooMany = errors.New("socketio: too many rooms or awaited answers for one socket")
)

type state uint8

const (
	stateConnecting state = iota // the handler decides; what it emits waits
	stateConnected
	stateEnded
)

// Socket is one client in one namespace. Its methods are safe for concurrent use and never block.
type Socket struct {
	client     *client
	namespace  *Namespace
	name       string // of the namespace, as the client spells it
	id         string
	receiver   Receiver
	recoveryID string // private; set if the client may get this socket back
	since      uint64 // where the journal was when it connected

	mu      sync.Mutex
	state   state
	spoke   bool // the client has sent something
	pending []*engineio.Message
	acks    map[uint64]*awaited
	lastAck uint64
	rooms   []place // guarded by the namespace's lock
}

func newSocket(c *client, n *Namespace, name string) *Socket {
	s := &Socket{client: c, namespace: n, name: name}
	switch {
	case c.conn.Protocol() == 4:
		s.id = c.server.config.Engine.NewID()
	case name == root: // older clients compute their id from that of the connection
		s.id = c.conn.ID()
	default:
		s.id = name + "#" + c.conn.ID()
	}
	return s
}

// ID is the id of the socket, which its client knows too.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket is, under its true name.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Value is what Config.Accept returned for the connection.
func (s *Socket) Value() any { return s.client.value }

// Conn is the connection below.
func (s *Socket) Conn() *engineio.Conn { return s.client.conn }

// Emit sends an event. Arguments are encoded as JSON; a []byte among them, or in a map[string]any or []any of theirs,
// travels as an attachment; Args are passed on as they came. The error is about the arguments, or ErrDisconnected, or one
// of engineio's.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := newEvent(event, args)
	if err != nil {
		return err
	}
	return s.namespace.emitTo(s, p)
}

// send queues packets, or keeps them until the handler has decided.
func (s *Socket) send(messages []*engineio.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateConnecting:
		s.pending = append(s.pending, messages...)
		return nil
	case stateConnected:
		return s.client.conn.Send(messages...)
	default:
		return ErrDisconnected
	}
}

// accept answers CONNECT and sends what has been waiting for that.
func (s *Socket) accept(receiver Receiver) {
	greeting, err := s.greeting()
	if err != nil {
		s.client.server.config.Engine.Logger.Error("socketio: encode a greeting", slog.Any("error", err))
		s.client.conn.Close()
		return
	}
	s.receiver = receiver
	s.client.mu.Lock()
	s.client.greeted = true
	s.client.mu.Unlock()
	s.client.server.engine.Timers().Stop(&s.client.timer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateConnecting {
		return
	}
	s.state = stateConnected
	// A connection that has ended meanwhile tells the socket by Closed.
	_ = s.client.conn.Send(append([]*engineio.Message{greeting}, s.pending...)...)
	s.pending = nil
}

// Disconnect ends the socket. The connection and its other sockets stay; the client will not connect again by itself.
// A Handler that does not want the socket returns an error instead.
func (s *Socket) Disconnect() {
	if s.bye() {
		s.client.conn.Do(func() { s.finish(ServerDisconnected) })
	}
}

// bye sends DISCONNECT to a socket that is connected.
func (s *Socket) bye() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateConnected {
		return false
	}
	text := encodePacket(packet{kind: packetDisconnect, namespace: s.name})
	_ = s.client.conn.Send(textMessage(s.name, text)) // a connection that has ended tells the socket by Closed
	return true
}

// connectionLost ends the socket with its connection; one that may be recovered is kept for a while.
func (s *Socket) connectionLost(reason engineio.Reason) {
	s.park(reason)
	s.finish(Reason(reason))
}

// finish ends the socket: it leaves its rooms, those who wait for its answers hear so, its receiver is told. The
// connection's calls being one at a time, it is never run twice at once.
func (s *Socket) finish(reason Reason) {
	acks, ended := s.leave()
	if !ended {
		return
	}
	for _, a := range acks {
		a.stop(s)
		a.answer(Args{}, ErrDisconnected)
	}
	if s.receiver != nil {
		s.receiver.Disconnected(reason)
	}
}

// leave takes the socket off every list. ended is false if that was done before.
func (s *Socket) leave() (acks []*awaited, ended bool) {
	s.mu.Lock()
	if s.state == stateEnded {
		s.mu.Unlock()
		return nil, false
	}
	s.state, s.pending = stateEnded, nil
	for _, a := range s.acks {
		acks = append(acks, a)
	}
	s.acks = nil
	s.mu.Unlock()
	slices.SortFunc(acks, func(a, b *awaited) int { return cmp.Compare(a.id, b.id) })
	s.client.remove(s)
	s.namespace.remove(s)
	return acks, true
}

func (s *Socket) spokenTo() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoke
}
