package wsock

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// Upgrader turns HTTP requests into WebSocket connections. The zero value is
// ready; it must not be copied after its first use.
type Upgrader struct {
	// Protocols are the subprotocols on offer. The first one of the client's list
	// that is here is chosen.
	Protocols []string
	// MaxMessage bounds a message in bytes; longer ones end the connection with
	// 1009 before their payload is read. Zero means 64 KiB.
	MaxMessage int
	// Timeout bounds the writing of the handshake. Zero means ten seconds.
	Timeout time.Duration

	buffers sync.Pool // of *[]byte: where a frame is put together
}

const (
	defaultMaxMessage = 64 << 10
	defaultTimeout    = 10 * time.Second
)

// Upgrade takes the connection over and answers the handshake, a wrong one with
// its HTTP error. The caller owns the Conn and must Close it; Protocol returns
// what was agreed. The request's goroutine may end: nothing of it is kept.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	up := ws.HTTPUpgrader{
		Timeout:  u.Timeout,
		Protocol: func(offer string) bool { return slices.Contains(u.Protocols, offer) },
	}
	if up.Timeout == 0 {
		up.Timeout = defaultTimeout
	}
	netConn, rw, handshake, err := up.Upgrade(r, w)
	if err != nil {
		if netConn != nil {
			err = fmt.Errorf("%w (close: %w)", err, netConn.Close())
		}
		return nil, fmt.Errorf("wsock: handshake: %w", err)
	}
	c := &Conn{Conn: netConn, up: u, protocol: handshake.Protocol}
	if n := rw.Reader.Buffered(); n > 0 { // frames sent along with the handshake
		early, err := rw.Reader.Peek(n)
		if err != nil {
			return nil, fmt.Errorf("wsock: handshake: %w (close: %w)", err, netConn.Close())
		}
		c.early = slices.Clone(early)
	}
	return c, nil
}

func (u *Upgrader) maxMessage() int64 {
	if u.MaxMessage == 0 {
		return defaultMaxMessage
	}
	return int64(u.MaxMessage)
}

// buffer lends an empty buffer; release gives it back.
func (u *Upgrader) buffer() *[]byte {
	if b, ok := u.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

const maxPooledBuffer = 256 << 10

func (u *Upgrader) release(b *[]byte) {
	if cap(*b) <= maxPooledBuffer {
		*b = (*b)[:0]
		u.buffers.Put(b)
	}
}
