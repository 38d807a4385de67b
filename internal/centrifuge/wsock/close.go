package wsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// CloseError ends a connection by the closing handshake.
type CloseError struct {
	// Code is the code the peer sent, 1005 if it sent none, or the code of the
	// violation for which it was sent away.
	Code uint16
	// Reason is the text beside the code.
	Reason string
	// ByPeer says that the peer asked for the close.
	ByPeer bool
}

func (e *CloseError) Error() string {
	who := "we closed"
	if e.ByPeer {
		who = "the peer closed"
	}
	return fmt.Sprintf("wsock: %s the connection: %d %s", who, e.Code, e.Reason)
}

// ErrClosing is returned by writes after a close frame was sent.
var ErrClosing = errors.New("wsock: the connection is closing")

// maxReason is what a control frame leaves for text beside a code.
const maxReason = ws.MaxControlFramePayloadSize - 2

// SendClose begins the closing handshake; a second call does nothing. A reason
// that does not fit is cut at a rune. The peer's answer comes out of Read as a
// *CloseError.
func (c *Conn) SendClose(code uint16, reason string) error {
	if len(reason) > maxReason {
		reason = reason[:maxReason]
		for !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
	}
	return c.sendClose(ws.NewCloseFrameBody(ws.StatusCode(code), reason))
}

func (c *Conn) sendClose(body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closeSent {
		return nil
	}
	err := c.writeLocked(ws.OpClose, [][]byte{body}, "")
	c.closeSent = true
	return err
}

// fail sends the peer away for a violation of the protocol.
func (c *Conn) fail(code ws.StatusCode, reason string) error {
	closed := &CloseError{Code: uint16(code), Reason: reason}
	if err := c.SendClose(closed.Code, reason); err != nil {
		return fmt.Errorf("%w (send close: %w)", closed, err)
	}
	return closed
}

// peerClosed answers a close frame with its own code.
func (c *Conn) peerClosed(payload []byte) error {
	switch {
	case len(payload) == 0:
		closed := &CloseError{Code: uint16(ws.StatusNoStatusRcvd), ByPeer: true}
		if err := c.sendClose(nil); err != nil {
			return fmt.Errorf("%w (answer: %w)", closed, err)
		}
		return closed
	case len(payload) == 1:
		return c.fail(ws.StatusProtocolError, "malformed close")
	}
	code := binary.BigEndian.Uint16(payload)
	reason := payload[2:]
	if !validCode(code) {
		return c.fail(ws.StatusProtocolError, "malformed close code")
	}
	if !utf8.Valid(reason) {
		return c.fail(ws.StatusInvalidFramePayloadData, "close reason is not UTF-8")
	}
	closed := &CloseError{Code: code, Reason: string(reason), ByPeer: true}
	if err := c.sendClose(payload[:2]); err != nil {
		return fmt.Errorf("%w (answer: %w)", closed, err)
	}
	return closed
}

// validCode reports whether a close frame may carry the code (RFC 6455 §7.4).
func validCode(code uint16) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return false
}

// Linger ends a connection whose peer was sent away: it takes what the peer has
// sent meanwhile, for at most the given time, so that the close frame is not
// lost in a reset. The connection is still to be closed.
func (c *Conn) Linger(timeout time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, c.Conn)
	return err
}
