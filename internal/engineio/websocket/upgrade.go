package websocket

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// handshakeTimeout bounds the writing of the answer to an upgrade request.
const handshakeTimeout = 10 * time.Second

// Requested says whether r asks for a WebSocket.
func Requested(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Upgrade takes the connection of r over. Messages longer than limit bytes are refused with 1009. header joins the
// answer. On an error the request has been answered; on success the handler should return, so that the memory of the
// HTTP server is freed, and the caller closes the Conn.
func Upgrade(w http.ResponseWriter, r *http.Request, header http.Header, limit int64) (*Conn, error) {
	upgrader := ws.HTTPUpgrader{Timeout: handshakeTimeout, Header: header}
	conn, rw, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			err = joinClose(err, conn)
		}
		return nil, fmt.Errorf("websocket: upgrade: %w", err)
	}
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, fmt.Errorf("websocket: upgrade: %w", joinClose(err, conn))
	}
	return newConn(conn, bytes.Clone(early), limit), nil
}

func joinClose(err error, c io.Closer) error {
	if closeErr := c.Close(); closeErr != nil {
		return fmt.Errorf("%w (closing: %w)", err, closeErr)
	}
	return err
}
