package engineio

// Reason says why a connection ended.
type Reason string

// The reasons.
const (
	ClientClosed     Reason = "client closed"     // it sent a close packet
	ServerClosed     Reason = "server closed"     // Conn.Close was called
	Shutdown         Reason = "server shutdown"   // the server drains; the client should connect again
	TransportClosed  Reason = "transport closed"  // the WebSocket ended without a close packet
	PingTimeout      Reason = "ping timeout"      // no heartbeat in time
	ParseError       Reason = "parse error"       // it broke the protocol
	TooBig           Reason = "payload too big"   // a message or body beyond MaxPayload
	Slow             Reason = "slow consumer"     // more than MaxQueue waited for it
	RateExceeded     Reason = "too many packets"  // beyond PacketRate and PacketBurst
	DuplicateRequest Reason = "duplicate request" // a second GET or POST while one was under way
	Panicked         Reason = "internal error"    // the Receiver panicked
)

// graceful reasons let what is queued be written first.
func (r Reason) graceful() bool { return r == ServerClosed || r == Shutdown }

// code is the close code of the WebSocket (RFC 6455 §7.4.1). Engine.IO gives codes no meaning of its own: every client
// takes each of these as a lost transport and connects again.
func (r Reason) code() uint16 {
	switch r {
	case ClientClosed, ServerClosed, TransportClosed:
		return 1000
	case Shutdown, PingTimeout:
		return 1001
	case ParseError:
		return 1002
	case TooBig:
		return 1009
	case Panicked:
		return 1011
	default: // Slow, RateExceeded, DuplicateRequest: against the policy of the server
		return 1008
	}
}
