package wsock

import (
	"github.com/gobwas/ws"
)

// WriteParts sends one message made of parts with a separator between them, in one
// system call. It does not keep the parts. After a close frame it returns
// ErrClosing.
func (c *Conn) WriteParts(op Op, parts [][]byte, separator string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(op, parts, separator)
}

func (c *Conn) writeFrame(op ws.OpCode, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(op, [][]byte{payload}, "")
}

func (c *Conn) writeLocked(op ws.OpCode, parts [][]byte, separator string) error {
	if c.closeSent {
		return ErrClosing
	}
	length := len(separator) * (len(parts) - 1)
	for _, part := range parts {
		length += len(part)
	}
	b := c.up.buffer()
	defer c.up.release(b)
	frame := appendHeader((*b)[:0], op, length)
	for i, part := range parts {
		if i > 0 {
			frame = append(frame, separator...)
		}
		frame = append(frame, part...)
	}
	*b = frame
	_, err := c.Conn.Write(frame)
	return err
}

// appendHeader appends the header of an unfragmented, unmasked frame.
func appendHeader(dst []byte, op ws.OpCode, length int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return append(dst, 126, byte(length>>8), byte(length))
	}
	dst = append(dst, 127)
	for shift := 56; shift >= 0; shift -= 8 {
		dst = append(dst, byte(length>>shift))
	}
	return dst
}
