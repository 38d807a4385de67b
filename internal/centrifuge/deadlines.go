package centrifuge

import (
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// deadlines are what one connection waits for; zero times never come. The
// connection's lock guards them.
type deadlines struct {
	connect time.Time // a connect command must have succeeded
	ping    time.Time // the next ping is due
	pong    time.Time // the answer to the last ping must be here
	expire  time.Time // the connection must have been refreshed
	subs    time.Time // the first subscription to run out
	busy    bool      // a command runs, so that no pong can be read
}

func (d *deadlines) next() time.Time {
	var first time.Time
	for _, t := range [...]time.Time{d.connect, d.ping, d.pong, d.expire, d.subs} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// graceful adds the time a refresh may be late by.
func (c *Conn) graceful(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return at.Add(c.srv.cfg.ExpireGrace)
}

// reschedule sets the alarm to the next deadline; c.mu is held.
func (c *Conn) reschedule() {
	if at := c.deadlines.next(); !at.IsZero() {
		c.srv.wheel.schedule(&c.alarm, at)
	}
}

// ring is called by the wheel.
func (c *Conn) ring(now time.Time) {
	c.mu.Lock()
	expired := c.meet(now)
	c.mu.Unlock()
	for _, sub := range expired {
		c.end(sub, UnsubscribeExpired, true)
	}
}

// meet does what is due; c.mu is held. It returns the subscriptions that ran
// out.
func (c *Conn) meet(now time.Time) []*subscription {
	d := &c.deadlines
	due := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	switch {
	case c.outbox.closing != nil:
		return nil
	case due(d.connect):
		c.disconnectLocked(DisconnectStale)
		return nil
	case due(d.expire):
		c.disconnectLocked(DisconnectExpired)
		return nil
	case due(d.pong) && !d.busy:
		c.disconnectLocked(DisconnectNoPong)
		return nil
	case due(d.pong):
		d.pong = now.Add(c.srv.cfg.PongTimeout)
	}
	if due(d.ping) {
		c.ping(now)
	}
	var expired []*subscription
	if due(d.subs) {
		expired = c.expiredSubs(now)
	}
	c.reschedule()
	return expired
}

// ping queues an empty reply and expects a pong; c.mu is held.
func (c *Conn) ping(now time.Time) {
	msg, err := c.codec().AppendReply(nil, &protocol.Reply{})
	if err != nil {
		c.log().Error("encode a ping", "error", err)
		return
	}
	c.enqueue(msg)
	if c.deadlines.pong.IsZero() {
		c.deadlines.pong = now.Add(c.srv.cfg.PongTimeout)
	}
	c.deadlines.ping = now.Add(c.srv.cfg.PingInterval)
}

// pong takes the answer to a ping. One that nobody asked for is a bad request.
func (c *Conn) pong() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadlines.pong.IsZero() {
		return DisconnectBadRequest
	}
	c.deadlines.pong = time.Time{}
	return nil
}

// expiredSubs returns the subscriptions that ran out and finds the next to do
// so; c.mu is held.
func (c *Conn) expiredSubs(now time.Time) []*subscription {
	var expired []*subscription
	c.deadlines.subs = time.Time{}
	for _, sub := range c.subs {
		switch {
		case sub.expire.IsZero():
		case !now.Before(sub.expire):
			expired = append(expired, sub)
		default:
			c.watchExpiry(sub.expire)
		}
	}
	return expired
}

// watchExpiry makes sure that the alarm rings when a subscription runs out; c.mu
// is held.
func (c *Conn) watchExpiry(at time.Time) {
	if d := &c.deadlines; !at.IsZero() && (d.subs.IsZero() || at.Before(d.subs)) {
		d.subs = at
	}
}
