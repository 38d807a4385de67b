package engineio

import (
	"bufio"
	"net"
)

// earlyConn reads first what came along with the answer to the handshake.
type earlyConn struct {
	net.Conn
	first *bufio.Reader
}

func (c earlyConn) Read(p []byte) (int, error) {
	if c.first.Buffered() > 0 {
		return c.first.Read(p)
	}
	return c.Conn.Read(p)
}
