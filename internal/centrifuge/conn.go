package centrifuge

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// Conn is one client's connection, whatever carries it. Its methods may be
// called from any goroutine, also after it ended: they then do nothing or fail
// with ErrConnClosed.
type Conn struct {
	srv     *Server
	link    link
	form    wireForm
	id      string
	session string // "" where commands travel with the replies
	ctx     context.Context
	cancel  context.CancelFunc
	alarm   alarm

	// commands is held while a frame's commands run.
	commands sync.Mutex
	bucket   bucket

	// mu guards the rest. It may be taken while a channel's lock is held, never
	// the other way round.
	mu        sync.Mutex
	connected bool
	admission // set when connected becomes true
	subs      map[string]*subscription
	ownSubs   int // those the client asked for
	outbox    outbox
	deadlines deadlines
}

// admission is what the handler said about a client.
type admission struct {
	name  string
	user  string
	info  []byte
	value any
}

// link carries encoded replies to a client. One goroutine at a time writes.
type link interface {
	// name is the transport's: "websocket", "http_stream" or "sse".
	name() string
	// write sends messages in one frame or chunk. It does not keep them.
	write(batch [][]byte) error
	// goodbye tells the client why it ends. The reading side ends soon after.
	goodbye(d Disconnect) error
	// expire makes what blocks on the network then fail.
	expire(after time.Duration)
	// hangUp ends the reading side now.
	hangUp()
}

// ErrConnClosed is returned by methods of a Conn that is gone or not admitted
// yet.
var ErrConnClosed = errors.New("centrifuge: the connection is not open")

// newConn makes a connection; start and finish frame its life.
func (s *Server) newConn(form wireForm, l link) *Conn {
	c := &Conn{srv: s, form: form, link: l, id: s.cfg.NewID()}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	c.alarm.ring = c.ring
	return c
}

// start lets the connection in. If it fails, finish must not be called.
func (c *Conn) start() error {
	if err := c.srv.admit(c); err != nil {
		c.cancel()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.srv.cfg.Now()
	c.bucket.fill(now, c.srv.cfg.CommandBurst)
	c.deadlines.connect = now.Add(c.srv.cfg.ConnectTimeout)
	c.reschedule()
	return nil
}

// finish lets go of everything; the reader calls it last. It returns when no
// goroutine uses the link any more.
func (c *Conn) finish() {
	c.link.hangUp()
	c.mu.Lock()
	c.outbox.end(DisconnectConnectionClosed)
	reason := *c.outbox.closing
	idle := c.outbox.idle()
	wasConnected, subs := c.connected, c.subs
	c.connected, c.subs = false, nil
	c.mu.Unlock()

	c.cancel()
	c.srv.wheel.cancel(&c.alarm)
	if idle != nil {
		c.link.expire(c.srv.cfg.CloseTimeout)
		<-idle
	}
	c.commands.Lock() // a command that came by another request has ended now
	defer c.commands.Unlock()
	for _, sub := range subs {
		c.forget(sub, UnsubscribeDisconnected)
	}
	if h := c.srv.handlers.disconnect; h != nil && wasConnected {
		c.contain("disconnected", func() { h.Disconnected(c, reason) })
	}
	c.srv.leave(c)
}

// contain runs a part of an application and keeps its panic to this connection.
func (c *Conn) contain(doing string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.log().Error("panic in a handler", "doing", doing, "panic", p)
			c.Disconnect(DisconnectServerError)
		}
	}()
	f()
}

func (c *Conn) log() *slog.Logger { return c.srv.cfg.Logger.With("client", c.id) }

func (c *Conn) codec() protocol.Codec { return c.form.codec() }

// ID returns the connection's id, as the client sees it.
func (c *Conn) ID() string { return c.id }

// Transport returns "websocket", "http_stream" or "sse".
func (c *Conn) Transport() string { return c.link.name() }

// Protocol returns the wire form: "json" or "protobuf".
func (c *Conn) Protocol() string { return c.codec().Name() }

// Context ends with the connection.
func (c *Conn) Context() context.Context { return c.ctx }

// Name returns what the client calls its application, at most 16 bytes.
func (c *Conn) Name() string { return c.admitted().name }

// User returns the id of the user from the ConnectReply.
func (c *Conn) User() string { return c.admitted().user }

// Value returns ConnectReply.Value.
func (c *Conn) Value() any { return c.admitted().value }

func (c *Conn) admitted() admission {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admission
}

// Info returns who the client is, as others see it.
func (c *Conn) Info() ClientInfo {
	a := c.admitted()
	return ClientInfo{User: a.user, Client: c.id, ConnInfo: a.info}
}

// Send pushes data to this client alone, outside of any channel.
func (c *Conn) Send(data []byte) error {
	return c.push(&protocol.Push{Message: &protocol.Message{Data: data}})
}

// ExpireAt moves the end of the connection, zero to never, and tells the client.
func (c *Conn) ExpireAt(at time.Time) error {
	expires, ttl := c.ttl(at)
	err := c.push(&protocol.Push{Refresh: &protocol.Refresh{Expires: expires, TTL: ttl}})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadlines.expire = c.graceful(at)
	c.reschedule()
	return nil
}

// ttl is how the protocol tells an expiry: in seconds from now, at least one.
func (c *Conn) ttl(at time.Time) (expires bool, seconds uint32) {
	if at.IsZero() {
		return false, 0
	}
	left := at.Sub(c.srv.cfg.Now())
	return true, uint32(max(1, min(left/time.Second, 1<<31)))
}

// push encodes and queues a push for an admitted client.
func (c *Conn) push(p *protocol.Push) error {
	msg, err := c.codec().AppendReply(nil, &protocol.Reply{Push: p})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.connected || c.outbox.closing != nil {
		return ErrConnClosed
	}
	c.enqueue(msg)
	return nil
}
