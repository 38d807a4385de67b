package main

import (
	"net/http"

	"github.com/tolmach/tolmach/internal/engineio"
)

// rawEcho sends every message back.
type rawEcho struct{ conn *engineio.Conn }

func echoRaw(c *engineio.Conn, _ *http.Request) (engineio.Receiver, error) {
	return rawEcho{conn: c}, nil
}

func (e rawEcho) Message(data []byte, binary bool) {
	message := engineio.Text(data)
	if binary {
		message = engineio.Binary(data)
	}
	_ = e.conn.Send(message) // a client that is gone or too slow gets no echo
}

func (rawEcho) Closed(engineio.Reason) {}
