package wsock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Op is the kind of a data message.
type Op = ws.OpCode

// The kinds of data messages.
const (
	Text   = ws.OpText
	Binary = ws.OpBinary
)

// bufferSize is what an idle connection holds. It fits a frame header and most
// of what a client says.
const bufferSize = 512

// Conn is one WebSocket. One goroutine may Read while others write. Close of
// the embedded net.Conn ends it without a closing handshake.
type Conn struct {
	net.Conn
	up       *Upgrader
	protocol string

	// The reading side.
	early      []byte // what came along with the handshake
	buf        [bufferSize]byte
	start, end int // the unread part of buf
	header     [ws.MaxHeaderSize]byte

	// The writing side.
	mu        sync.Mutex
	closeSent bool
}

// Protocol returns the agreed subprotocol, "" for none.
func (c *Conn) Protocol() string { return c.protocol }

// Wait returns when there is something to Read. It needs little stack: a
// goroutine that only waits and leaves the reading to another stays small.
func (c *Conn) Wait() error {
	if c.start < c.end || c.early != nil {
		return nil
	}
	c.start, c.end = 0, 0
	return c.more()
}

// Read returns the next data message. The bytes are valid until the next Read.
// Pings are answered on the way. After a *CloseError the closing handshake has
// been answered as far as it can be; any other error is the network's. Either
// way the connection is to be closed.
func (c *Conn) Read() (Op, []byte, error) {
	var m assembly
	for {
		h, err := c.readHeader(&m)
		if err != nil {
			return 0, nil, err
		}
		if h.OpCode.IsControl() {
			if err := c.control(h); err != nil {
				return 0, nil, err
			}
			continue
		}
		done, err := c.readData(h, &m)
		if err != nil {
			return 0, nil, err
		}
		if done {
			return m.op, m.data, nil
		}
	}
}

// assembly is a message on its way in.
type assembly struct {
	op      Op // zero before the first frame
	data    []byte
	checked int // bytes of data known to be UTF-8
}

func (c *Conn) readHeader(m *assembly) (ws.Header, error) {
	h, err := ws.ReadHeaderBuffer(bufferedReader{c}, c.header[:])
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return h, c.fail(ws.StatusProtocolError, "malformed frame")
	}
	if err != nil {
		return h, err
	}
	state := ws.StateServerSide
	if m.op != 0 {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return h, c.fail(ws.StatusProtocolError, "malformed frame")
	}
	return h, nil
}

// readData reads the payload of a data frame into m; done says that it was the
// last frame of the message.
func (c *Conn) readData(h ws.Header, m *assembly) (done bool, err error) {
	if h.Length > c.up.maxMessage()-int64(len(m.data)) {
		return false, c.fail(ws.StatusMessageTooBig, "message too big")
	}
	first := m.op == 0
	if first {
		m.op = h.OpCode
	}
	length, before := int(h.Length), len(m.data)
	if first && h.Fin && length <= bufferSize {
		m.data, err = c.window(length)
	} else {
		m.data, err = c.appendPayload(m.data, length)
	}
	if err != nil {
		return false, err
	}
	ws.Cipher(m.data[before:], h.Mask, 0)
	if m.op == Text && !m.text(h.Fin) {
		return false, c.fail(ws.StatusInvalidFramePayloadData, "text is not UTF-8")
	}
	return h.Fin, nil
}

// text reports whether the message so far is UTF-8; a rune may be cut at the
// end of every frame but the last.
func (m *assembly) text(last bool) bool {
	rest := m.data[m.checked:]
	if last {
		return utf8.Valid(rest)
	}
	end := len(rest)
	for cut := 1; cut < utf8.UTFMax && cut <= len(rest); cut++ {
		if tail := rest[len(rest)-cut:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				end = len(rest) - cut
			}
			break
		}
	}
	m.checked += end
	return utf8.Valid(rest[:end])
}

// window returns the next n ≤ bufferSize bytes in place.
func (c *Conn) window(n int) ([]byte, error) {
	if c.start+n > bufferSize {
		c.end = copy(c.buf[:], c.buf[c.start:c.end])
		c.start = 0
	}
	for c.end-c.start < n {
		if err := c.more(); err != nil {
			return nil, err
		}
	}
	p := c.buf[c.start : c.start+n : c.start+n]
	c.start += n
	return p, nil
}

// firstChunk bounds what a length without bytes behind it makes us allocate.
const firstChunk = 4 << 10

// appendPayload appends the next n bytes to dst, growing it as they arrive.
func (c *Conn) appendPayload(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, max(firstChunk, len(dst)))
		at := len(dst)
		dst = append(dst, make([]byte, step)...)
		if _, err := io.ReadFull(bufferedReader{c}, dst[at:]); err != nil {
			return nil, err
		}
		n -= step
	}
	return dst, nil
}

// more reads once into the free end of buf, which must not be full.
func (c *Conn) more() error {
	if c.early != nil {
		n := copy(c.buf[c.end:], c.early)
		c.end += n
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return nil
	}
	n, err := c.Conn.Read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil // an error comes again with the next Read
	}
	return err
}

// bufferedReader reads a Conn's bytes by way of its buffer.
type bufferedReader struct{ c *Conn }

func (r bufferedReader) Read(p []byte) (int, error) {
	c := r.c
	if c.start == c.end {
		c.start, c.end = 0, 0
		if len(p) >= bufferSize && c.early == nil {
			return c.Conn.Read(p)
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.start:c.end])
	c.start += n
	return n, nil
}

// control deals with a ping, pong or close frame; its payload is at most 125
// bytes, CheckHeader has seen to that.
func (c *Conn) control(h ws.Header) error {
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(bufferedReader{c}, payload); err != nil {
		return err
	}
	ws.Cipher(payload, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		if err := c.writeFrame(ws.OpPong, payload); err != nil && !errors.Is(err, ErrClosing) {
			return fmt.Errorf("wsock: answer ping: %w", err)
		}
	case ws.OpClose:
		return c.peerClosed(payload)
	default: // a pong, which needs nothing
	}
	return nil
}
