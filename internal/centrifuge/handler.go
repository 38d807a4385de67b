package centrifuge

import (
	"context"
	"time"
)

// Handler admits clients. The optional interfaces below add what else they may
// do; the server looks for them once, when it is made. A command whose interface
// the Handler lacks is answered 108 (rpc: 104), a send ends in a disconnect 3508.
//
// The methods are called for many connections at once, for one connection one
// command at a time: a slow method holds up its own client only. The context
// ends with the connection. To refuse, return an Error or a Disconnect; any
// other error is logged and told as 100.
type Handler interface {
	// Connect decides about a connect command. The connection's User, Info and
	// Value are not set yet.
	Connect(ctx context.Context, c *Conn, e ConnectEvent) (ConnectReply, error)
}

// ConnectEvent is what a client says about itself. Nothing in it is verified.
type ConnectEvent struct {
	Token   string
	Data    []byte // JSON for a client that speaks JSON, nil if absent
	Name    string // of the application, at most 16 bytes
	Version string // of the application, at most 64 bytes
	Headers map[string]string
	// Recover holds the positions of server-side subscriptions the client wants
	// to resume, by channel. The server resumes those the reply grants.
	Recover map[string]Position
}

// ConnectReply admits a client.
type ConnectReply struct {
	User string // id of the user, "" for an anonymous one
	Info []byte // shown to others in presence, joins and publications
	Data []byte // for the client
	// Subs are the server-side subscriptions: live from the reply on.
	Subs map[string]SubscribeOptions
	// ExpireAt ends the connection unless it is refreshed before; zero means
	// never.
	ExpireAt time.Time
	// Value is the application's own; Conn.Value returns it.
	Value any
}

// SubscribeHandler lets clients subscribe by themselves.
type SubscribeHandler interface {
	Subscribe(ctx context.Context, c *Conn, e SubscribeEvent) (SubscribeOptions, error)
}

// SubscribeEvent asks for a channel. Recover is nil for a fresh subscription.
type SubscribeEvent struct {
	Channel string
	Token   string
	Data    []byte
	Recover *Position
}

// SubscribeOptions grant a subscription.
type SubscribeOptions struct {
	// Recoverable gives the client positions in the channel's stream and lets it
	// resume from them. It needs Config.Stream.
	Recoverable bool
	// History lets the client read the channel's stream. It needs Config.Stream.
	History bool
	// Presence lets the client see who is subscribed.
	Presence bool
	// JoinLeave tells the client about others who come and go, and them about it.
	JoinLeave bool
	// Paused holds publications back until Conn.Resume, which delivers what a
	// recoverable channel's stream got meanwhile. A recovery that succeeds at
	// connect or subscribe lifts the pause: that client was live before.
	Paused bool
	// Info is shown to others beside the connection's own.
	Info []byte
	// Data is for the client.
	Data []byte
	// ExpireAt ends the subscription unless it is refreshed before; zero means
	// never.
	ExpireAt time.Time
}

// UnsubscribeHandler learns about ended subscriptions; at the end of a
// connection, about each that was left.
type UnsubscribeHandler interface {
	Unsubscribed(c *Conn, channel string, u Unsubscribe)
}

// PublishHandler lets clients publish. It does the publishing too: it gives the
// data its place in a stream and calls Server.Publish.
type PublishHandler interface {
	Publish(ctx context.Context, c *Conn, e PublishEvent) error
}

// PublishEvent is a client's publication. Info says who the client is, in the
// form a Publication wants it. Subscribed is about this very connection.
type PublishEvent struct {
	Channel    string
	Data       []byte
	Info       ClientInfo
	Subscribed bool
}

// RPCHandler answers remote calls. An unknown method is ErrMethodNotFound.
type RPCHandler interface {
	RPC(ctx context.Context, c *Conn, method string, data []byte) ([]byte, error)
}

// MessageHandler takes messages that get no answer. An Error it returns is
// dropped, a Disconnect is obeyed.
type MessageHandler interface {
	Message(ctx context.Context, c *Conn, data []byte) error
}

// RefreshHandler prolongs connections that expire.
type RefreshHandler interface {
	// Refresh returns when the connection expires now; zero means never.
	Refresh(ctx context.Context, c *Conn, token string) (time.Time, error)
}

// SubRefreshHandler prolongs subscriptions that expire.
type SubRefreshHandler interface {
	// SubRefresh returns when the subscription expires now; zero means never.
	SubRefresh(ctx context.Context, c *Conn, channel, token string) (time.Time, error)
}

// DisconnectHandler learns about the end of connections that were admitted. It
// is the last call for a connection.
type DisconnectHandler interface {
	Disconnected(c *Conn, d Disconnect)
}

// handlers are the interfaces one Handler has, nil for those it lacks.
type handlers struct {
	connect     Handler
	subscribe   SubscribeHandler
	unsubscribe UnsubscribeHandler
	publish     PublishHandler
	rpc         RPCHandler
	message     MessageHandler
	refresh     RefreshHandler
	subRefresh  SubRefreshHandler
	disconnect  DisconnectHandler
}

func handlersOf(h Handler) handlers {
	all := handlers{connect: h}
	all.subscribe, _ = h.(SubscribeHandler)
	all.unsubscribe, _ = h.(UnsubscribeHandler)
	all.publish, _ = h.(PublishHandler)
	all.rpc, _ = h.(RPCHandler)
	all.message, _ = h.(MessageHandler)
	all.refresh, _ = h.(RefreshHandler)
	all.subRefresh, _ = h.(SubRefreshHandler)
	all.disconnect, _ = h.(DisconnectHandler)
	return all
}
