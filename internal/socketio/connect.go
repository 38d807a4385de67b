package socketio

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/tolmach/tolmach/internal/engineio"
)

// reconnect handles a CONNECT packet of the client.
func (c *client) reconnect(p packet) error {
	old := c.find(p.namespace)
	switch {
	case old == nil && c.crowded():
		return errCrowd
	case old == nil:
		c.connect(p)
		return nil
	case c.conn.Protocol() == 3:
		return nil // it is there already, by itself or by a repeated request
	default:
		return errDuplicate
	}
}

func (c *client) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sockets) >= c.server.config.MaxNamespaces
}

// connect asks the namespace's handler and answers the client.
func (c *client) connect(p packet) {
	n := c.server.resolve(p.namespace)
	if n == nil {
		c.refuse(p.namespace, &ConnectError{Message: "Invalid namespace"})
		return
	}
	c.yieldRoot(n)
	h := Handshake{Auth: p.body, Query: c.handshakeQuery(p.query)}
	if len(h.Auth) == 0 {
		h.Auth = json.RawMessage("{}")
	}
	s := newSocket(c, n, p.namespace)
	c.prepareRecovery(s, &h)
	c.add(s)
	n.add(s)
	receiver, err := c.ask(s, h)
	if err != nil {
		c.refuse(p.namespace, err)
		return
	}
	s.accept(receiver)
}

// ask calls the handler. A socket it refuses, or panics on, leaves no trace.
func (c *client) ask(s *Socket, h Handshake) (receiver Receiver, err error) {
	accepted := false
	defer func() {
		if !accepted {
			s.leave()
		}
	}()
	receiver, err = s.namespace.handler.Connect(s, h)
	accepted = err == nil
	return receiver, err
}

// yieldRoot ends the socket that an older client has in the root namespace without having asked for it, when the client
// now asks for the same namespace by an alias and has never used that socket: it would get everything twice.
func (c *client) yieldRoot(n *Namespace) {
	s := c.find(root)
	if c.conn.Protocol() == 3 && s != nil && s.namespace == n && !s.spokenTo() {
		s.finish(ServerDisconnected)
	}
}

// refuse answers a CONNECT that failed (Socket.IO 5, "Connection to a namespace").
func (c *client) refuse(namespace string, err error) {
	var told *ConnectError
	if !errors.As(err, &told) {
		c.server.config.Engine.Logger.Error("socketio: connection to a namespace failed", slog.Any("error", err))
		told = &ConnectError{Message: "Connection refused"}
	}
	body, err := json.Marshal(refusalBody(c.conn.Protocol(), told))
	if err != nil {
		c.server.config.Engine.Logger.Error("socketio: encode a refusal", slog.Any("error", err))
		body = []byte(`"Connection refused"`)
	}
	text := encodePacket(packet{kind: packetConnectError, namespace: namespace, body: body})
	_ = c.conn.Send(textMessage(namespace, text)) // a closed connection needs no refusal
}

// refusalBody is an object in revision 5; in revision 4 the data alone, or the message alone.
func refusalBody(protocol int, told *ConnectError) any {
	switch {
	case protocol == 4 && told.Data != nil:
		return map[string]any{"message": told.Message, "data": told.Data}
	case protocol == 4:
		return map[string]any{"message": told.Message}
	case told.Data != nil:
		return told.Data
	default:
		return told.Message
	}
}

// greeting is the CONNECT packet of the server. Revision 4 says nothing in it.
func (s *Socket) greeting() (*engineio.Message, error) {
	p := packet{kind: packetConnect, namespace: s.name}
	if s.client.conn.Protocol() == 4 {
		body, err := json.Marshal(struct {
			SID string `json:"sid"`
			PID string `json:"pid,omitempty"`
		}{s.id, s.recoveryID})
		if err != nil {
			return nil, err
		}
		p.body = body
	}
	return textMessage(s.name, encodePacket(p)), nil
}
