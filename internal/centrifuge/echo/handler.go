package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge"
)

// handler lets everybody do everything but enter the channel "forbidden".
type handler struct {
	stream *centrifuge.MemoryStream
	server *centrifuge.Server
}

var granted = centrifuge.SubscribeOptions{Recoverable: true, History: true, Presence: true, JoinLeave: true}

// Connect grants the server-side channel "user" and sends the data back. With
// the token "expiring" the connection and its channel last two seconds unless
// refreshed; with "wrong" it is refused.
func (h *handler) Connect(_ context.Context, _ *centrifuge.Conn, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	reply := centrifuge.ConnectReply{
		User: e.Token,
		Data: e.Data,
		Subs: map[string]centrifuge.SubscribeOptions{"user": {Recoverable: true, History: true}},
	}
	switch e.Token {
	case "expiring":
		reply.ExpireAt = soon()
	case "wrong":
		return reply, centrifuge.DisconnectInvalidToken
	}
	return reply, nil
}

func soon() time.Time { return time.Now().Add(2 * time.Second) }

func (h *handler) Subscribe(_ context.Context, _ *centrifuge.Conn, e centrifuge.SubscribeEvent) (centrifuge.SubscribeOptions, error) {
	if e.Channel == "forbidden" {
		return centrifuge.SubscribeOptions{}, centrifuge.ErrPermissionDenied
	}
	options := granted
	options.Data = e.Data
	if e.Token == "expiring" {
		options.ExpireAt = soon()
	}
	return options, nil
}

func (h *handler) Publish(_ context.Context, _ *centrifuge.Conn, e centrifuge.PublishEvent) error {
	if e.Channel == "forbidden" {
		return centrifuge.ErrPermissionDenied
	}
	h.append(e.Channel, centrifuge.Publication{Data: e.Data, Info: &e.Info})
	return nil
}

func (h *handler) append(channel string, p centrifuge.Publication) {
	h.stream.Append(channel, p, func(p centrifuge.Publication) { h.server.Publish(channel, p) })
}

// RPC knows: "echo" answers its data; "cut" makes the server drop the
// connection and expect it back; "enter" and "leave" begin or end a server-side
// subscription to the channel whose name is the data; "say" publishes the data
// into the channel "user".
func (h *handler) RPC(ctx context.Context, c *centrifuge.Conn, method string, data []byte) ([]byte, error) {
	switch method {
	case "echo":
		return data, nil
	case "cut":
		return nil, centrifuge.DisconnectForceReconnect
	case "say":
		h.append("user", centrifuge.Publication{Data: data})
		return data, nil
	case "enter", "leave":
		var channel string
		if err := json.Unmarshal(data, &channel); err != nil {
			return nil, centrifuge.ErrBadRequest
		}
		if method == "leave" {
			c.Unsubscribe(channel, centrifuge.UnsubscribeByServer)
			return data, nil
		}
		return data, c.Subscribe(ctx, channel, granted)
	}
	return nil, centrifuge.ErrMethodNotFound
}

// Message comes back as a message.
func (h *handler) Message(_ context.Context, c *centrifuge.Conn, data []byte) error {
	return c.Send(data)
}

// Refresh prolongs by two seconds; the token "wrong" is refused.
func (h *handler) Refresh(_ context.Context, _ *centrifuge.Conn, token string) (time.Time, error) {
	if token == "wrong" {
		return time.Time{}, centrifuge.ErrTokenExpired
	}
	return soon(), nil
}

// SubRefresh does the same for a subscription.
func (h *handler) SubRefresh(ctx context.Context, c *centrifuge.Conn, _, token string) (time.Time, error) {
	return h.Refresh(ctx, c, token)
}
