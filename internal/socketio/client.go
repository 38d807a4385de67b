package socketio

import (
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/engineio"
	"github.com/tolmach/tolmach/internal/engineio/wheel"
)

// client is one connection with the sockets it has in namespaces. The connection calls it, one call at a time.
type client struct {
	server  *Server
	conn    *engineio.Conn
	query   string // of the first request; parsed when somebody asks
	value   any
	partial *partial // an event whose attachments are still coming
	timer   wheel.Timer

	mu      sync.Mutex
	sockets []*Socket
	greeted bool // it has connected to some namespace
}

var (
	errFirst     = errors.New("socketio: the first packet is not CONNECT")
	errDuplicate = errors.New("socketio: connected to that namespace already")
	errCrowd     = errors.New("socketio: too many namespaces")
)

// connectAlarm closes a client that connects to nothing.
type connectAlarm client

// Due is the end of ConnectTimeout.
func (a *connectAlarm) Due(time.Time) {
	if c := (*client)(a); !c.wasGreeted() {
		c.conn.Close()
	}
}

// Message takes one message of the connection: a packet, or an attachment of the last one. An offence ends the connection
// (Socket.IO 5, "Exchange protocol").
func (c *client) Message(data []byte, binary bool) {
	if err := c.take(data, binary); err != nil {
		c.server.config.Engine.Logger.Info("socketio: connection closed for an offence", slog.Any("error", err))
		c.conn.Reject()
	}
}

func (c *client) take(data []byte, binary bool) error {
	if binary {
		return c.takeAttachment(data)
	}
	if c.partial != nil {
		return errInterrupted
	}
	p, err := decodePacket(data, c.server.config)
	if err != nil {
		return err
	}
	if p.kind == packetConnect {
		return c.reconnect(p)
	}
	s := c.find(p.namespace)
	switch {
	case s == nil && !c.wasGreeted():
		return errFirst
	case p.attachments > 0:
		// Even for nobody the attachments have to be taken.
		c.partial = &partial{packet: p, size: len(data), limit: c.server.config.MaxEvent}
		return c.partial.check()
	case s == nil:
		return nil // it has just been disconnected, and the client does not know yet
	}
	return s.receive(p, nil)
}

func (c *client) takeAttachment(data []byte) error {
	if c.partial == nil {
		return errUnannounced
	}
	done, err := c.partial.add(data)
	if err != nil || !done {
		return err
	}
	whole := c.partial
	c.partial = nil
	if s := c.find(whole.packet.namespace); s != nil {
		return s.receive(whole.packet, whole.attachments)
	}
	return nil
}

// Closed ends every socket of the connection.
func (c *client) Closed(reason engineio.Reason) {
	c.server.engine.Timers().Stop(&c.timer)
	c.mu.Lock()
	sockets := slices.Clone(c.sockets)
	c.mu.Unlock()
	for _, s := range sockets {
		s.connectionLost(reason)
	}
}

func (c *client) wasGreeted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.greeted
}

// find is the socket the client calls by that name.
func (c *client) find(name string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (c *client) add(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = append(c.sockets, s)
}

func (c *client) remove(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = slices.DeleteFunc(c.sockets, func(other *Socket) bool { return other == s })
}

// handshakeQuery is the connection's query with that of the namespace over it.
func (c *client) handshakeQuery(namespace string) url.Values {
	// What does not parse is left out: the query is the client's word only.
	values, _ := url.ParseQuery(c.query)
	own, _ := url.ParseQuery(namespace)
	for key, value := range own {
		values[key] = value
	}
	return values
}
