package engineio

import (
	"errors"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/engineio/wheel"
)

var (
	// ErrClosed answers a Send on a connection that has ended.
	ErrClosed = errors.New("engineio: the connection is closed")
	// ErrSlow answers the Send that a slow client had no room for; it has just been closed.
	ErrSlow = errors.New("engineio: too much waits for this client, it was closed")
	// ErrSeparator answers a text with the byte 0x1e, which protocol 4 polling cannot carry. The connection goes on.
	ErrSeparator = errors.New("engineio: a text with the byte 0x1e cannot travel by polling")
)

type phase uint8

const (
	phaseOpen    phase = iota
	phaseClosing       // ended for the application; what is queued may still be written
	phaseGone          // ended for the server too
)

// Conn is one Engine.IO session, whatever transport carries it. Its methods are safe for concurrent use and never block.
type Conn struct {
	server   *Server
	id       string
	protocol int
	base64   bool

	receiving sync.Mutex // held while the receiver runs
	receiver  Receiver
	told      bool // the receiver knows of the end

	mu      sync.Mutex
	phase   phase
	booked  bool // the server counts the connection
	reason  Reason
	code    uint16 // the close code of the WebSocket, when reason has a finer one
	out     outbox
	polling *polling // nil while a WebSocket carries the connection
	socket  *link    // nil while polling carries it
	probing bool     // a WebSocket was let in to be probed
	probe   socket   // that WebSocket, once it is there
	pulse   pulse
	rate    bucket
	until   time.Time // when a closing polling session is forgotten
	timer   wheel.Timer
}

// ID is the session id: random, secret, the key to the connection.
func (c *Conn) ID() string { return c.id }

// Protocol is the revision of Engine.IO the client speaks: 3 or 4.
func (c *Conn) Protocol() int { return c.protocol }

// Transport is "polling" or "websocket", as things are now.
func (c *Conn) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != nil {
		return "websocket"
	}
	return "polling"
}

// Send queues messages, all or none, one after the other. The error is ErrClosed, ErrSlow or ErrSeparator.
func (c *Conn) Send(messages ...*Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return ErrClosed
	}
	w := c.wire()
	for _, m := range messages {
		if !m.fits(w) {
			return ErrSeparator
		}
	}
	return c.push(messages...)
}

// Close ends the connection after what is queued was written. The receiver is told on another goroutine.
func (c *Conn) Close() { c.shut(ServerClosed) }

// shut ends the connection, once; later reasons change nothing.
func (c *Conn) shut(reason Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(reason)
}

// push queues and wakes the transport. The connection is locked and open.
func (c *Conn) push(messages ...*Message) error {
	if !c.out.push(messages...) {
		c.end(Slow)
		return ErrSlow
	}
	c.wake()
	return nil
}

// wake lets the transport write. The connection is locked.
func (c *Conn) wake() {
	switch {
	case c.socket != nil:
		c.socket.wake(c)
	case c.polling != nil:
		c.polling.wake()
	}
}

// wire is how packets for this client are written at present. The connection is locked.
func (c *Conn) wire() wire {
	switch {
	case c.socket == nil && c.protocol == 3:
		return wirePolling3
	case c.socket == nil:
		return wirePolling4
	case c.protocol == 3 && c.base64:
		return wireSocket3Base64
	case c.protocol == 3:
		return wireSocket3
	case c.base64:
		return wireSocket4Base64
	default:
		return wireSocket4
	}
}

// Reject ends the connection at once as one that broke the protocol; what is queued is dropped.
func (c *Conn) Reject() { c.shut(ParseError) }
