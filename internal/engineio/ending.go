package engineio

// end closes an open connection for the application and starts the farewell of its transport. The connection is locked.
func (c *Conn) end(reason Reason) {
	if c.phase != phaseOpen {
		return
	}
	c.phase, c.reason = phaseClosing, reason
	if c.code == 0 {
		c.code = reason.code()
	}
	if !reason.graceful() {
		c.out.reset()
	}
	if c.probe != nil {
		_ = c.probe.Close() // its reader sees the error
	}
	if c.booked { // before that the handshake settles
		c.server.background(c.settle)
	}
	switch {
	case c.socket != nil:
		c.socket.finish(c)
	case c.polling != nil:
		c.endPolling(reason)
	}
}

// endPolling leaves a last packet for the client's GET. A graceful end waits for that GET for a while, and so does the end
// that a client asked for: its GET may be on the way. Others don't.
func (c *Conn) endPolling(reason Reason) {
	last, wait := c.server.closePacket, reason.graceful()
	if reason == ClientClosed {
		// The client knows: its GET only has to end.
		last, wait = c.server.noopPacket, c.polling.waiting == nil
	}
	c.out.queue = append(c.out.queue, last)
	c.polling.wake()
	if !wait {
		c.forget()
		return
	}
	c.until = c.server.config.Now().Add(c.server.config.CloseTimeout)
	c.server.timers.Schedule(&c.timer, (*alarm)(c), c.until)
}

// forget takes the connection off the books. The connection is locked.
func (c *Conn) forget() {
	if c.phase == phaseGone {
		return
	}
	c.phase = phaseGone
	c.server.timers.Stop(&c.timer)
	c.server.sessions.remove(c)
}

// settle tells the receiver of the end, once, unless it is busy with a message: then whoever runs it settles afterwards.
func (c *Conn) settle() {
	c.mu.Lock()
	over, reason := c.phase != phaseOpen, c.reason
	c.mu.Unlock()
	if !over || !c.receiving.TryLock() {
		return
	}
	defer c.receiving.Unlock()
	if !c.told {
		c.told = true
		c.contain(func() { c.receiver.Closed(reason) })
	}
}
