package engineio

import (
	"time"
)

// socket is what a connection needs of a WebSocket. websocket.Conn is one; another library can stand behind it.
type socket interface {
	// ReadMessage returns the next whole message, which belongs to the caller.
	ReadMessage() (data []byte, binary bool, err error)
	// Write sends whole frames.
	Write(frames []byte) error
	// WriteClose sends a close frame, once.
	WriteClose(code uint16, reason string) error
	// Discard reads and forgets until the connection ends or the read deadline passes.
	Discard()
	SetReadDeadline(at time.Time) error
	SetWriteDeadline(at time.Time) error
	Close() error
}

const (
	batchCount = 1 << 10  // messages in one write
	batchBytes = 32 << 10 // bytes in one write, unless a single message is longer
)

// link writes a connection's queue to its WebSocket. A goroutine does so only while there is something to write.
// The connection's lock guards it.
type link struct {
	ws      socket
	writing bool // a writer is at work, or failed for good
	bye     bool // the close frame is on its way
	pace    pace
}

// wake starts a writer unless one is at work; on a busy connection after a pause.
func (l *link) wake(c *Conn) {
	if l.writing || c.phase == phaseGone {
		return
	}
	l.writing = true
	putOff := c.phase == phaseOpen && l.pace.busy(c.server.config.Now())
	c.server.startWriter(func() { l.write(c) }, putOff)
}

// finish gives the peer CloseTimeout to take what is left. The deadlines of a socket are wall time, whatever clock the server has.
func (l *link) finish(c *Conn) {
	if l.ws.SetWriteDeadline(time.Now().Add(c.server.config.CloseTimeout)) != nil {
		_ = l.ws.Close() // already broken: its reader ends it
	}
	l.wake(c)
}

// write sends batches until the queue is empty, then says good-bye if the connection has ended.
func (l *link) write(c *Conn) {
	for {
		c.mu.Lock()
		batch := c.out.take(batchCount, batchBytes)
		w, code := c.wire(), c.code
		bye := len(batch) == 0 && c.phase == phaseClosing && !l.bye
		l.bye = l.bye || bye
		l.writing = len(batch) > 0
		c.mu.Unlock()
		switch {
		case bye:
			l.farewell(c, code)
			return
		case len(batch) == 0:
			return
		}
		if err := c.server.writeBatch(l.ws, w, batch); err != nil {
			_ = l.ws.Close() // broken: the reader ends the connection
			return
		}
	}
}

// farewell sends the close frame and gives the peer CloseTimeout to answer it; the reader closes the socket.
func (l *link) farewell(c *Conn, code uint16) {
	timeout := c.server.config.CloseTimeout
	if l.ws.WriteClose(code, "") != nil || l.ws.SetReadDeadline(time.Now().Add(timeout)) != nil {
		_ = l.ws.Close() // broken: the reader ends
	}
}

// writeBatch sends several messages by one write, merged in a borrowed buffer.
func (s *Server) writeBatch(ws socket, w wire, batch []*Message) error {
	if len(batch) == 1 {
		return ws.Write(batch[0].encoded(w))
	}
	buffer, _ := s.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	merged := (*buffer)[:0]
	for _, m := range batch {
		merged = append(merged, m.encoded(w)...)
	}
	err := ws.Write(merged)
	if cap(merged) <= 4*batchBytes {
		*buffer = merged
		s.buffers.Put(buffer)
	}
	return err
}
