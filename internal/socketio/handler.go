package socketio

import (
	"encoding/json"
	"net/url"
)

// Handler serves one namespace.
type Handler interface {
	// Connect decides on a client that asks for the namespace, and returns what its events go to. What it emits follows
	// the CONNECT packet. A *ConnectError is told to the client; any other error is logged and told as "Connection refused".
	Connect(s *Socket, h Handshake) (Receiver, error)
}

// HandlerFunc is a function that is a Handler.
type HandlerFunc func(s *Socket, h Handshake) (Receiver, error)

// Connect calls the function.
func (f HandlerFunc) Connect(s *Socket, h Handshake) (Receiver, error) { return f(s, h) }

// Handshake is what a client says of itself when it connects to a namespace.
type Handshake struct {
	// Auth is the JSON object a Socket.IO 5 client sent along, never empty: {} if it sent none.
	Auth json.RawMessage
	// Query is the query of the connection's first request, with that of the namespace over it for older clients.
	Query url.Values
	// Recovered says that the socket had been here, with this id, and is in its rooms again; what it missed follows.
	Recovered bool
}

// Receiver is the application's end of one socket. Calls for all sockets of one connection, acknowledgements included,
// come one at a time; see engineio.Receiver about their length. A panic ends that connection only.
type Receiver interface {
	// Event brings an event.
	Event(e *Event)
	// Disconnected is called once, after the last Event, with why. The socket has left its rooms.
	Disconnected(reason Reason)
}

// Events is a Receiver that calls a function for each event name and ignores events it has none for.
type Events map[string]func(e *Event)

// Event calls the function of that name.
func (m Events) Event(e *Event) {
	if handle := m[e.Name]; handle != nil {
		handle(e)
	}
}

// Disconnected does nothing.
func (Events) Disconnected(Reason) {}

// Reason says why a socket ended: one of the two here, or the engineio.Reason of its connection.
type Reason string

// The reasons that are Socket.IO's own.
const (
	ClientDisconnected Reason = "client namespace disconnect"
	ServerDisconnected Reason = "server namespace disconnect"
)

// ConnectError refuses a client in words meant for it.
type ConnectError struct {
	Message string
	Data    any // more for programs; may be nil
}

func (e *ConnectError) Error() string { return e.Message }
