package engineio

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// post takes one payload from the client (Engine.IO 4, "Sending data").
func (c *Conn) post(w http.ResponseWriter, r *http.Request) *refusal {
	if refused := c.beginPost(); refused != nil {
		return refused
	}
	defer c.endPost()
	body, refused := c.readBody(w, r)
	if refused != nil {
		return refused
	}
	if err := walkPayload(c.protocol, body, c.receive); err != nil && !c.endedWell() {
		c.shut(ParseError)
		return refuseRequest()
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "ok") // a client that is gone is found by its heartbeat
	return nil
}

func (c *Conn) beginPost() *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.phase != phaseOpen:
		return refuseSession()
	case c.polling == nil:
		return refuseRequest()
	case c.polling.posting:
		c.end(DuplicateRequest)
		return refuseRequest()
	}
	c.polling.posting = true
	return nil
}

func (c *Conn) endPost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.polling != nil {
		c.polling.posting = false
	}
}

// endedWell says that the client closed, or the server did, and the rest of the payload is nobody's fault.
func (c *Conn) endedWell() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason == ClientClosed || c.reason.graceful()
}

// readBody reads at most MaxPayload bytes within BodyTimeout.
func (c *Conn) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	limit := int64(c.server.config.MaxPayload)
	if r.ContentLength > limit {
		c.shut(TooBig)
		return nil, refuseBody()
	}
	deadline := http.NewResponseController(w)
	// A server that cannot set deadlines (a test recorder, say) is as safe as its own ReadTimeout.
	_ = deadline.SetReadDeadline(time.Now().Add(c.server.config.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			c.shut(TooBig)
			return nil, refuseBody()
		}
		c.shut(TransportClosed)
		return nil, refuseRequest()
	}
	_ = deadline.SetReadDeadline(time.Time{}) // see above
	return body, nil
}
