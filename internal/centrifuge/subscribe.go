package centrifuge

import (
	"context"
	"fmt"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// subscribe answers a client's wish for a channel.
func (c *Conn) subscribe(id uint32, req *protocol.SubscribeRequest) error {
	if err := c.checkName(req.Channel); err != nil {
		return err
	}
	var since *Position
	if req.Recover {
		since = &Position{Offset: req.Offset, Epoch: req.Epoch}
	}
	if sub := c.subscription(req.Channel); sub != nil && !sub.own && c.srv.cfg.AllowResubscribe {
		return c.resubscribe(id, sub, since)
	}
	c.mu.Lock()
	err := c.mayAdd(req.Channel, true)
	c.mu.Unlock()
	if err != nil {
		return err // before the handler is troubled
	}
	h := c.srv.handlers.subscribe
	if h == nil {
		return ErrNotAvailable
	}
	options, err := h.Subscribe(c.ctx, c, SubscribeEvent{Channel: req.Channel, Token: req.Token, Data: req.Data, Recover: since})
	if err != nil {
		return err
	}
	return c.enter(id, req, options, since)
}

// enter makes the subscription a handler has granted and tells the client.
func (c *Conn) enter(id uint32, req *protocol.SubscribeRequest, options SubscribeOptions, since *Position) error {
	sub, err := c.add(req.Channel, options, true)
	if err != nil {
		return err
	}
	result, begin, err := c.position(sub, since, options.Data)
	if err == nil && since != nil && !result.Recovered && req.Flag&protocol.FlagRejectUnrecovered != 0 {
		err = ErrUnrecoverablePosition
	}
	if err == nil {
		err = c.confirm(id, result, begin)
	}
	if err != nil {
		c.drop(sub)
	}
	return err
}

func (c *Conn) confirm(id uint32, result *protocol.SubscribeResult, begin start) error {
	msg, err := c.codec().AppendReply(nil, &protocol.Reply{ID: id, Subscribe: result})
	if err != nil {
		return err
	}
	c.begin(msg, begin)
	return nil
}

// resubscribe tells a client where a channel stands that the server has
// subscribed it to already.
func (c *Conn) resubscribe(id uint32, sub *subscription, since *Position) error {
	c.mu.Lock()
	from := sub.offset
	sub.catching = true
	c.mu.Unlock()
	result, begin, err := c.position(sub, since, nil)
	if err == nil {
		err = c.confirm(id, result, begin)
	}
	if err != nil {
		c.mu.Lock()
		c.goLive(sub, from)
		c.mu.Unlock()
	}
	return err
}

// unsubscribe ends a subscription the client has had enough of. A second time
// does no harm.
func (c *Conn) unsubscribe(req *protocol.ChannelRequest) (*protocol.Reply, error) {
	if err := c.checkName(req.Channel); err != nil {
		return nil, err
	}
	if sub := c.subscription(req.Channel); sub != nil {
		c.end(sub, UnsubscribeByClient, false)
	}
	return &protocol.Reply{Unsubscribe: &protocol.Empty{}}, nil
}

// checkName refuses channel names before anybody else sees them.
func (c *Conn) checkName(channel string) error {
	if channel == "" || len(channel) > c.srv.cfg.MaxChannelLength {
		return ErrBadRequest
	}
	return nil
}

// Subscribe subscribes an admitted client to a channel and tells it so.
// Publications follow from the stream's top on. It fails with
// ErrAlreadySubscribed, with ErrConnClosed, or with the stream's error.
func (c *Conn) Subscribe(ctx context.Context, channel string, o SubscribeOptions) error {
	c.mu.Lock()
	connected := c.connected
	c.mu.Unlock()
	if !connected {
		return ErrConnClosed
	}
	sub, err := c.add(channel, o, false)
	if err != nil {
		return err
	}
	result, begin, err := c.position(sub, nil, o.Data)
	if err != nil {
		c.drop(sub)
		return fmt.Errorf("centrifuge: subscribe to %q: %w", channel, err)
	}
	push := &protocol.Push{Channel: channel, Subscribe: &protocol.Subscribe{
		Recoverable: result.Recoverable, Positioned: result.Positioned,
		Epoch: result.Epoch, Offset: result.Offset, Data: result.Data,
	}}
	msg, err := c.codec().AppendReply(nil, &protocol.Reply{Push: push})
	if err != nil {
		c.drop(sub)
		return fmt.Errorf("centrifuge: subscribe to %q: %w", channel, err)
	}
	if !c.begin(msg, begin) {
		c.drop(sub)
		return ErrConnClosed
	}
	return nil
}

// Unsubscribe ends a subscription and tells the client why. One it does not
// have is left alone.
func (c *Conn) Unsubscribe(channel string, u Unsubscribe) {
	if sub := c.subscription(channel); sub != nil {
		c.end(sub, u, true)
	}
}
