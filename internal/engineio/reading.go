package engineio

import (
	"errors"

	"github.com/tolmach/tolmach/internal/engineio/websocket"
)

// read is the one goroutine of a WebSocket connection: it ends with the socket, and with it the connection leaves the books.
func (c *Conn) read(ws socket) {
	for {
		data, binary, err := ws.ReadMessage()
		if err != nil {
			c.lost(ws, err)
			break
		}
		c.readPacket(data, binary)
	}
	_ = ws.Close() // nothing is left to be said
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
}

// readPacket handles one message of the WebSocket. After the end of the connection the rest is read and ignored until the
// peer has answered the close frame.
func (c *Conn) readPacket(data []byte, binary bool) {
	decode := decodeText
	if binary {
		decode = decodeBinary
	}
	p, err := decode(c.protocol, data)
	if err != nil {
		c.shut(ParseError)
		return
	}
	// The reasons for not going on have ended the connection already.
	_ = c.receive(p)
}

// lost ends the connection with whatever ended its socket. After an offence the peer gets the time to read why: a socket
// closed with unread bytes would take the close frame back.
func (c *Conn) lost(ws socket, err error) {
	var fault *websocket.Fault
	if !errors.As(err, &fault) {
		c.shut(TransportClosed)
		return
	}
	c.offend(fault.Code)
	ws.Discard()
}

func (c *Conn) offend(code uint16) {
	reason := ParseError
	if code == TooBig.code() {
		reason = TooBig
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen {
		c.code = code
	}
	c.end(reason)
}
