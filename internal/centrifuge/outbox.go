package centrifuge

import "runtime/debug"

// maxBatch bounds what is put into one frame or chunk, in bytes; a longer
// message goes alone.
const maxBatch = 64 << 10

// outbox is what waits to be written to one client. The connection's lock
// guards it. A writer goroutine exists only while there is something to write.
type outbox struct {
	queue   [][]byte
	size    int // bytes waiting or being written
	writing bool
	closing *Disconnect   // set once: nothing is queued any more
	stopped chan struct{} // closed by the writer if somebody waits for it
}

// end begins the end, unless it has begun.
func (o *outbox) end(d Disconnect) (first bool) {
	if o.closing != nil {
		return false
	}
	o.closing = &d
	return true
}

// drop forgets what waits.
func (o *outbox) drop() {
	clear(o.queue)
	o.queue, o.size = nil, 0
}

// idle returns nil if no writer is at work, else what it closes when it stops.
func (o *outbox) idle() <-chan struct{} {
	if !o.writing {
		return nil
	}
	if o.stopped == nil {
		o.stopped = make(chan struct{})
	}
	return o.stopped
}

// enqueue queues an encoded message; c.mu is held. A client for whom too much
// waits already is sent away; one message alone is never too much.
func (c *Conn) enqueue(msg []byte) {
	o := &c.outbox
	if o.closing != nil {
		return
	}
	if o.size > 0 && o.size+len(msg) > c.srv.cfg.MaxQueue {
		o.drop()
		c.disconnectLocked(DisconnectSlow)
		return
	}
	o.queue = append(o.queue, msg)
	o.size += len(msg)
	c.wakeWriter()
}

// wakeWriter starts the writer if it rests; c.mu is held. The reader, which
// outlives every writer, keeps the server's WaitGroup above zero meanwhile.
func (c *Conn) wakeWriter() {
	if !c.outbox.writing {
		c.outbox.writing = true
		c.srv.wg.Add(1)
		go c.write()
	}
}

// Disconnect says goodbye after what is queued already and ends the connection.
// Only the first reason counts.
func (c *Conn) Disconnect(d Disconnect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnectLocked(d)
}

func (c *Conn) disconnectLocked(d Disconnect) {
	if c.outbox.end(d) {
		c.cancel()
		c.link.expire(c.srv.cfg.CloseTimeout)
		c.wakeWriter()
	}
}

// write empties the outbox and rests; once the end has begun, it says goodbye.
func (c *Conn) write() {
	defer c.srv.wg.Done()
	defer c.containWriter()
	var spare [][]byte
	for {
		batch, closing, more := c.next(spare)
		switch {
		case !more:
			return
		case closing != nil:
			c.sayGoodbye(*closing)
			c.stopWriter()
			return
		}
		if err := c.writeBatches(batch); err != nil {
			c.log().Debug("write failed", "error", err)
			c.Disconnect(DisconnectWriteError)
			c.link.hangUp()
			c.stopWriter()
			return
		}
		clear(batch)
		spare = batch
	}
}

// next takes what is queued and leaves spare in its place. With nothing queued
// it returns why the connection ends, or lets the writer rest.
func (c *Conn) next(spare [][]byte) (batch [][]byte, closing *Disconnect, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.outbox
	if len(o.queue) > 0 {
		batch, o.queue = o.queue, spare[:0]
		return batch, nil, true
	}
	if o.closing != nil {
		return nil, o.closing, true
	}
	o.queue = nil
	o.rest()
	return nil, nil, false
}

// rest marks the writer as gone.
func (o *outbox) rest() {
	o.writing = false
	if o.stopped != nil {
		close(o.stopped)
		o.stopped = nil
	}
}

// writeBatches writes messages in as few frames as maxBatch allows.
func (c *Conn) writeBatches(all [][]byte) error {
	for len(all) > 0 {
		n, size := 1, len(all[0])
		for n < len(all) && size+len(all[n]) <= maxBatch {
			size += len(all[n])
			n++
		}
		if err := c.link.write(all[:n]); err != nil {
			return err
		}
		c.mu.Lock()
		c.outbox.size = max(0, c.outbox.size-size)
		c.mu.Unlock()
		all = all[n:]
	}
	return nil
}

func (c *Conn) sayGoodbye(d Disconnect) {
	if err := c.link.goodbye(d); err != nil {
		c.log().Debug("goodbye failed", "code", d.Code, "error", err)
		c.link.hangUp()
	}
}

// stopWriter ends the last writer: the end has begun, so no other is started.
func (c *Conn) stopWriter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outbox.drop()
	c.outbox.rest()
}

// containWriter keeps a panic in a transport to this connection.
func (c *Conn) containWriter() {
	if p := recover(); p != nil {
		c.log().Error("panic in a writer", "panic", p, "stack", string(debug.Stack()))
		c.Disconnect(DisconnectServerError)
		c.link.hangUp()
		c.stopWriter()
	}
}
