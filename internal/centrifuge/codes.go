package centrifuge

import "fmt"

// Error refuses one command. Handlers return one (or wrap it) to choose what
// the client is told; codes of an application's own are 400 to 1999.
type Error struct {
	Code    uint32
	Message string
	// Temporary invites the client to try again.
	Temporary bool
}

func (e Error) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Message) }

// The errors of the protocol (specs/live.md §1).
var (
	ErrInternal              = Error{Code: 100, Message: "internal server error", Temporary: true}
	ErrUnauthorized          = Error{Code: 101, Message: "unauthorized"}
	ErrUnknownChannel        = Error{Code: 102, Message: "unknown channel"}
	ErrPermissionDenied      = Error{Code: 103, Message: "permission denied"}
	ErrMethodNotFound        = Error{Code: 104, Message: "method not found"}
	ErrAlreadySubscribed     = Error{Code: 105, Message: "already subscribed"}
	ErrLimitExceeded         = Error{Code: 106, Message: "limit exceeded"}
	ErrBadRequest            = Error{Code: 107, Message: "bad request"}
	ErrNotAvailable          = Error{Code: 108, Message: "not available"}
	ErrTokenExpired          = Error{Code: 109, Message: "token expired"}
	ErrExpired               = Error{Code: 110, Message: "expired"}
	ErrTooManyRequests       = Error{Code: 111, Message: "too many requests", Temporary: true}
	ErrUnrecoverablePosition = Error{Code: 112, Message: "unrecoverable position"}
)

// Disconnect ends a connection. It is an error so that a Handler can return it.
// Codes are WebSocket close codes; an application's own are 4000 to 4999.
type Disconnect struct {
	Code   uint32
	Reason string
}

func (d Disconnect) Error() string { return fmt.Sprintf("disconnect %d %s", d.Code, d.Reason) }

// Reconnect reports whether the code asks the client to come back: 3500 to 3999
// and 4500 to 4999 are final.
func (d Disconnect) Reconnect() bool {
	final := d.Code >= 3500 && d.Code < 4000 || d.Code >= 4500 && d.Code < 5000
	return !final
}

// The disconnects of the protocol (specs/live.md §1).
var (
	DisconnectConnectionClosed      = Disconnect{3000, "connection closed"}
	DisconnectShutdown              = Disconnect{3001, "shutdown"}
	DisconnectServerError           = Disconnect{3004, "internal server error"}
	DisconnectExpired               = Disconnect{3005, "connection expired"}
	DisconnectSlow                  = Disconnect{3008, "slow"}
	DisconnectWriteError            = Disconnect{3009, "write error"}
	DisconnectInsufficientState     = Disconnect{3010, "insufficient state"}
	DisconnectForceReconnect        = Disconnect{3011, "force reconnect"}
	DisconnectNoPong                = Disconnect{3012, "no pong"}
	DisconnectTooManyRequests       = Disconnect{3013, "too many requests"}
	DisconnectInvalidToken          = Disconnect{3500, "invalid token"}
	DisconnectBadRequest            = Disconnect{3501, "bad request"}
	DisconnectStale                 = Disconnect{3502, "stale"}
	DisconnectForceNoReconnect      = Disconnect{3503, "force disconnect"}
	DisconnectConnectionLimit       = Disconnect{3504, "connection limit"}
	DisconnectChannelLimit          = Disconnect{3505, "channel limit"}
	DisconnectInappropriateProtocol = Disconnect{3506, "inappropriate protocol"}
	DisconnectPermissionDenied      = Disconnect{3507, "permission denied"}
	DisconnectNotAvailable          = Disconnect{3508, "not available"}
)

// Unsubscribe says why a subscription ended. With a code of 2500 and above the
// client subscribes again.
type Unsubscribe struct {
	Code   uint32
	Reason string
}

// The reasons of the protocol for ending a subscription. The first one never
// travels: it tells a Handler that the client wished it.
var (
	UnsubscribeByClient     = Unsubscribe{0, "client unsubscribe"}
	UnsubscribeDisconnected = Unsubscribe{1, "disconnect"}
	UnsubscribeByServer     = Unsubscribe{2000, "server unsubscribe"}
	UnsubscribeInsufficient = Unsubscribe{2500, "insufficient state"}
	UnsubscribeExpired      = Unsubscribe{2501, "subscription expired"}
)
