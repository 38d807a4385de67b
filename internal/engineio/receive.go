package engineio

import (
	"errors"
	"log/slog"
	"runtime/debug"
)

var (
	errOver      = errors.New("engineio: the connection has ended")
	errHeartbeat = errors.New("engineio: heartbeat in the wrong direction")
)

// receive handles one packet of the client. An error means that nothing more may be read from it.
func (c *Conn) receive(p packet) error {
	if err := c.admit(p); err != nil || p.kind != packetMessage {
		return err
	}
	c.receiving.Lock()
	if !c.told {
		c.contain(func() { c.receiver.Message(p.data, p.binary) })
	}
	c.receiving.Unlock()
	c.settle()
	return nil
}

// admit counts the packet and answers what the protocol itself answers.
func (c *Conn) admit(p packet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return errOver
	}
	now := c.server.config.Now()
	if !c.rate.take(now, c.server.config.PacketRate, c.server.config.PacketBurst) {
		c.end(RateExceeded)
		return errOver
	}
	c.pulse.heard(now)
	switch p.kind {
	case packetClose:
		c.end(ClientClosed)
		return errOver
	case packetPing, packetPong:
		return c.heartbeat(p)
	default: // messages go on; open, upgrade and noop say nothing here
		return nil
	}
}

// heartbeat: clients of protocol 3 ping, clients of protocol 4 pong. The connection is locked.
func (c *Conn) heartbeat(p packet) error {
	switch {
	case c.protocol == 3 && p.kind == packetPing:
		return c.push(control(packetPong, p.data))
	case c.protocol == 4 && p.kind == packetPong:
		c.pulse.pong(c.server.config.Now())
		return nil
	default:
		c.end(ParseError)
		return errHeartbeat
	}
}

// contain runs the receiver's code. A panic is logged and ends this connection alone.
func (c *Conn) contain(run func()) {
	defer func() {
		if cause := recover(); cause != nil {
			c.server.config.Logger.Error("engineio: receiver panicked",
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			c.shut(Panicked)
		}
	}()
	run()
}

// Do runs job soon, on another goroutine, between two calls of the receiver, so that the two never meet. When the
// connection ends before, the job is dropped: Closed comes instead.
func (c *Conn) Do(job func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen || !c.booked {
		return
	}
	c.server.background(func() {
		c.receiving.Lock()
		if !c.told {
			c.contain(job)
		}
		c.receiving.Unlock()
		c.settle()
	})
}
