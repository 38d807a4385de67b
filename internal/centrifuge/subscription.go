package centrifuge

import "time"

// subscription is one connection's place in one channel.
type subscription struct {
	conn    *Conn
	options SubscribeOptions // without Data
	own     bool             // the client asked for it

	// The channel's lock guards where in it the subscription stands.
	channel *channel
	index   int

	// The connection's lock guards the rest.
	begun    bool // the client knows of it
	catching bool // the stream is being read: publications wait in held
	paused   bool // publications are left to the stream
	held     []heldPublication
	heldSize int
	offset   uint64 // of the last publication delivered
	expire   time.Time
}

type heldPublication struct {
	offset uint64
	msg    []byte
}

func (sub *subscription) info() *ClientInfo {
	info := sub.conn.Info()
	info.ChanInfo = sub.options.Info
	return &info
}

// deliver brings messages of a channel to a subscription. The channel's lock is
// held.
func (c *Conn) deliver(sub *subscription, batch []broadcast) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub.paused && !sub.catching {
		return
	}
	for i := range batch {
		msg, err := batch[i].in(c.form)
		if err != nil {
			c.disconnectLocked(DisconnectInappropriateProtocol)
			return
		}
		if sub.catching {
			c.hold(sub, heldPublication{batch[i].offset, msg})
		} else {
			c.deliverLive(sub, batch[i].offset, msg)
		}
	}
}

// hold keeps a publication until the stream is read; c.mu is held.
func (c *Conn) hold(sub *subscription, h heldPublication) {
	if sub.heldSize += len(h.msg); sub.heldSize > c.srv.cfg.MaxQueue {
		c.disconnectLocked(DisconnectSlow)
		return
	}
	sub.held = append(sub.held, h)
}

// deliverLive queues a publication unless the client has it; c.mu is held.
func (c *Conn) deliverLive(sub *subscription, offset uint64, msg []byte) {
	if offset != 0 {
		if offset <= sub.offset {
			return
		}
		sub.offset = offset
	}
	c.enqueue(msg)
}

// goLive lets publications through from an offset on, those first that came
// while the stream was read; c.mu is held.
func (c *Conn) goLive(sub *subscription, from uint64) {
	held := sub.held
	sub.offset, sub.catching, sub.held, sub.heldSize = from, false, nil, 0
	if sub.paused {
		return // what is kept in the stream comes with Resume
	}
	for _, h := range held {
		c.deliverLive(sub, h.offset, h.msg)
	}
}

// add subscribes the connection. Publications wait until begin or drop.
func (c *Conn) add(name string, o SubscribeOptions, own bool) (*subscription, error) {
	sub := &subscription{conn: c, options: o, own: own, catching: true, paused: o.Paused, expire: c.graceful(o.ExpireAt)}
	sub.options.Data = nil
	c.srv.hub.add(name, sub)
	if err := c.register(name, sub); err != nil {
		c.srv.hub.remove(sub)
		return nil, err
	}
	return sub, nil
}

func (c *Conn) register(name string, sub *subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outbox.closing != nil {
		return ErrConnClosed
	}
	if err := c.mayAdd(name, sub.own); err != nil {
		return err
	}
	if c.subs == nil {
		c.subs = make(map[string]*subscription)
	}
	c.subs[name] = sub
	if sub.own {
		c.ownSubs++
	}
	return nil
}

// mayAdd says why a channel can't be subscribed to; c.mu is held.
func (c *Conn) mayAdd(name string, own bool) error {
	switch {
	case c.subs[name] != nil:
		return ErrAlreadySubscribed
	case own && c.ownSubs >= c.srv.cfg.MaxChannels:
		return ErrLimitExceeded
	}
	return nil
}

// drop undoes add before the client heard of the subscription.
func (c *Conn) drop(subs ...*subscription) {
	for _, sub := range subs {
		if c.unregister(sub) {
			c.srv.hub.remove(sub)
		}
	}
}

// unregister takes a subscription out of the connection; only the first caller
// gets true and must take it out of the hub.
func (c *Conn) unregister(sub *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subs[sub.channel.name] != sub {
		return false
	}
	delete(c.subs, sub.channel.name)
	if sub.own {
		c.ownSubs--
	}
	return true
}

// subscription returns the connection's subscription to a channel, nil if it
// has none.
func (c *Conn) subscription(name string) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subs[name]
}
