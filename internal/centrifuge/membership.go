package centrifuge

import "github.com/tolmach/tolmach/internal/centrifuge/protocol"

// begin queues the message that tells the client of its subscriptions and lets
// their publications follow it. It returns false if the connection is ending.
func (c *Conn) begin(msg []byte, starts ...start) bool {
	c.mu.Lock()
	joined, ok := c.beginLocked(msg, starts)
	c.mu.Unlock()
	c.announceJoins(joined)
	return ok
}

// beginLocked does what begin does but for announcing the new ones, which must
// wait until c.mu is free.
func (c *Conn) beginLocked(msg []byte, starts []start) (joined []*subscription, ok bool) {
	if c.outbox.closing != nil {
		return nil, false
	}
	c.enqueue(msg)
	for _, s := range starts {
		if !s.sub.begun {
			s.sub.begun = true
			joined = append(joined, s.sub)
		}
		c.goLive(s.sub, s.from)
		c.watchExpiry(s.sub.expire)
	}
	c.reschedule()
	return joined, true
}

func (c *Conn) announceJoins(joined []*subscription) {
	for _, sub := range joined {
		c.announce(sub, func(p *protocol.Push, m *protocol.Membership) { p.Join = m })
	}
}

// start says from which offset a subscription's publications are live.
type start struct {
	sub  *subscription
	from uint64
}

// announce tells those who want to know that somebody joined or left.
func (c *Conn) announce(sub *subscription, put func(*protocol.Push, *protocol.Membership)) {
	if !sub.options.JoinLeave {
		return
	}
	push := &protocol.Push{Channel: sub.channel.name}
	put(push, &protocol.Membership{Info: sub.info()})
	msg := []broadcast{{reply: protocol.Reply{Push: push}}}
	c.srv.hub.each(sub.channel.name, func(other *subscription) {
		if other.options.JoinLeave {
			other.conn.deliver(other, msg)
		}
	})
}

// end ends a subscription, tells the client if it did not ask for it, and the
// others.
func (c *Conn) end(sub *subscription, u Unsubscribe, tell bool) {
	if !c.unregister(sub) {
		return
	}
	if tell {
		push := &protocol.Push{Channel: sub.channel.name, Unsubscribe: &protocol.Unsubscribe{Code: u.Code, Reason: u.Reason}}
		if err := c.push(push); err != nil {
			c.log().Debug("unsubscribe push not sent", "error", err)
		}
	}
	c.forget(sub, u)
}

// forget takes a subscription that was unregistered out of its channel.
func (c *Conn) forget(sub *subscription, u Unsubscribe) {
	c.srv.hub.remove(sub)
	c.mu.Lock()
	begun := sub.begun
	c.mu.Unlock()
	if !begun {
		return
	}
	c.announce(sub, func(p *protocol.Push, m *protocol.Membership) { p.Leave = m })
	if h := c.srv.handlers.unsubscribe; h != nil {
		c.contain("unsubscribed", func() { h.Unsubscribed(c, sub.channel.name, u) })
	}
}
