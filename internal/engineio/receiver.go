package engineio

import "net/http"

// Acceptor decides on a handshake and returns what the new connection talks to. It may Send at once: the client gets that
// after the open packet. An error refuses the connection with 403 and is logged, not told. The request must not be kept.
// c is not usable when an error was returned.
type Acceptor func(c *Conn, r *http.Request) (Receiver, error)

// Receiver is the application's end of one connection. Its methods are called one at a time. While one runs nothing more
// is read from that client, heartbeats included, so it should return well within PingTimeout. A panic ends the connection only.
type Receiver interface {
	// Message brings a message. data belongs to the receiver; a text is valid UTF-8.
	Message(data []byte, binary bool)
	// Closed is called once, after the last Message. Nothing can be sent any more.
	Closed(reason Reason)
}
