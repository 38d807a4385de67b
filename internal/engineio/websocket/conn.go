// Package websocket is the little of RFC 6455 that a server of small messages needs, over gobwas/ws: whole messages in,
// prepared frames out, 256 bytes of buffer for each connection.
package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	readBuffer = 256  // holds a header and a short message, so that most messages take one read
	firstBite  = 4096 // what a frame gets before any of its bytes came: its announced length is only a claim
	maxEmpty   = 1024 // empty fragments of one message
)

// Fault is an offence of the peer. Code is what the connection should be closed with.
type Fault struct {
	Code   uint16
	Reason string
}

func (f *Fault) Error() string { return fmt.Sprintf("websocket: %s (%d)", f.Reason, f.Code) }

// Closed is the end of a connection by the closing handshake of the peer, with the code it gave, 1005 if none.
type Closed struct{ Code uint16 }

func (c *Closed) Error() string { return fmt.Sprintf("websocket: closed by the peer (%d)", c.Code) }

// Conn is the server's side of one connection. One goroutine reads; any may write whole frames.
type Conn struct {
	net     net.Conn
	in      *bufio.Reader
	limit   int64
	saidBye atomic.Bool
	header  [ws.MaxHeaderSize]byte
}

func newConn(conn net.Conn, early []byte, limit int64) *Conn {
	c := &Conn{net: conn, limit: limit}
	if len(early) == 0 {
		c.in = bufio.NewReaderSize(conn, readBuffer)
		return c
	}
	// Bytes that came with the request are read first.
	c.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), readBuffer)
	return c
}

// ReadMessage returns the next data message: text is valid UTF-8, data belongs to the caller. Pings are answered on the
// way. The error is a *Fault when the peer broke the rules or the limit, a *Closed when it said good-bye (and was
// answered), or whatever the network said.
func (c *Conn) ReadMessage() (data []byte, binary bool, err error) {
	state := ws.StateServerSide
	empty := 0
	for {
		h, err := ws.ReadHeaderBuffer(c.in, c.header[:2])
		if err != nil {
			return nil, false, headerFault(err)
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return nil, false, &Fault{Code: 1002, Reason: err.Error()}
		}
		if h.OpCode.IsControl() {
			if err := c.control(h); err != nil {
				return nil, false, err
			}
			continue
		}
		if h.OpCode != ws.OpContinuation {
			binary = h.OpCode == ws.OpBinary
		}
		if h.Length > c.limit-int64(len(data)) {
			return nil, false, &Fault{Code: 1009, Reason: "message too big"}
		}
		if h.Length == 0 {
			empty++
		}
		if empty > maxEmpty {
			return nil, false, &Fault{Code: 1008, Reason: "too many empty fragments"}
		}
		if data, err = c.payload(data, h); err != nil {
			return nil, false, err
		}
		if !h.Fin {
			state = state.Set(ws.StateFragmented)
			continue
		}
		if !binary && !utf8.Valid(data) {
			return nil, false, &Fault{Code: 1007, Reason: "text is not UTF-8"}
		}
		return data, binary, nil
	}
}

func headerFault(err error) error {
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return &Fault{Code: 1002, Reason: err.Error()}
	}
	return err
}

// payload appends the unmasked payload of a frame to data. Memory follows what arrives, not what was announced.
func (c *Conn) payload(data []byte, h ws.Header) ([]byte, error) {
	start := len(data)
	for left := int(h.Length); left > 0; {
		bite := min(left, max(firstBite, len(data)))
		from := len(data)
		data = grow(data, bite)
		if _, err := io.ReadFull(c.in, data[from:]); err != nil {
			return nil, err
		}
		left -= bite
	}
	ws.Cipher(data[start:], h.Mask, 0)
	return data, nil
}

// grow lengthens data by n bytes, exactly when it is new and doubling when it is not.
func grow(data []byte, n int) []byte {
	if cap(data)-len(data) >= n {
		return data[:len(data)+n]
	}
	bigger := make([]byte, len(data)+n, max(len(data)+n, min(2*cap(data), 2*len(data)+n)))
	copy(bigger, data)
	return bigger
}

func (c *Conn) control(h ws.Header) error {
	body := make([]byte, h.Length)
	if _, err := io.ReadFull(c.in, body); err != nil {
		return err
	}
	ws.Cipher(body, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		return c.Write(Append(nil, Opcode(ws.OpPong), body))
	case ws.OpClose:
		return c.bye(body)
	default:
		return nil
	}
}

// bye answers the peer's close frame.
func (c *Conn) bye(body []byte) error {
	if len(body) == 0 {
		return errors.Join(&Closed{Code: 1005}, c.WriteClose(1000, ""))
	}
	code, reason := ws.ParseCloseFrameData(body)
	if err := ws.CheckCloseFrameData(code, reason); err != nil || len(body) == 1 {
		return &Fault{Code: 1002, Reason: "malformed close frame"}
	}
	return errors.Join(&Closed{Code: uint16(code)}, c.WriteClose(uint16(code), ""))
}

// Write sends whole frames made by Append. It blocks as long as the peer does not read, up to the write deadline.
func (c *Conn) Write(frames []byte) error {
	_, err := c.net.Write(frames)
	return err
}

// WriteClose sends a close frame, once: a second one is left out.
func (c *Conn) WriteClose(code uint16, reason string) error {
	if c.saidBye.Swap(true) {
		return nil
	}
	return c.Write(Append(nil, Opcode(ws.OpClose), ws.NewCloseFrameBody(ws.StatusCode(code), reason)))
}

// SetReadDeadline bounds every read until it is set again.
func (c *Conn) SetReadDeadline(at time.Time) error { return c.net.SetReadDeadline(at) }

// SetWriteDeadline bounds every write, one that already waits too.
func (c *Conn) SetWriteDeadline(at time.Time) error { return c.net.SetWriteDeadline(at) }

// Close drops the connection at once.
func (c *Conn) Close() error { return c.net.Close() }

// Discard reads and forgets until the connection ends or the read deadline passes.
func (c *Conn) Discard() {
	_, _ = io.Copy(io.Discard, c.in) // whatever ends it, it is over
}
