package centrifuge

import (
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

func (c *Conn) rpc(req *protocol.RPCRequest) (*protocol.Reply, error) {
	h := c.srv.handlers.rpc
	if h == nil {
		return nil, ErrMethodNotFound
	}
	data, err := h.RPC(c.ctx, c, req.Method, req.Data)
	if err != nil {
		return nil, err
	}
	return &protocol.Reply{RPC: &protocol.RPCResult{Data: data}}, nil
}

func (c *Conn) publish(req *protocol.PublishRequest) (*protocol.Reply, error) {
	if err := c.checkName(req.Channel); err != nil {
		return nil, err
	}
	h := c.srv.handlers.publish
	switch {
	case len(req.Data) == 0:
		return nil, ErrBadRequest
	case h == nil:
		return nil, ErrNotAvailable
	}
	event := PublishEvent{Channel: req.Channel, Data: req.Data, Info: c.Info()}
	if sub := c.subscription(req.Channel); sub != nil {
		event.Subscribed = true
		event.Info.ChanInfo = sub.options.Info
	}
	if err := h.Publish(c.ctx, c, event); err != nil {
		return nil, err
	}
	return &protocol.Reply{Publish: &protocol.Empty{}}, nil
}

func (c *Conn) message(req *protocol.SendRequest) error {
	h := c.srv.handlers.message
	if h == nil {
		return DisconnectNotAvailable
	}
	return h.Message(c.ctx, c, req.Data)
}

func (c *Conn) refresh(req *protocol.RefreshRequest) (*protocol.Reply, error) {
	h := c.srv.handlers.refresh
	if h == nil {
		return nil, ErrNotAvailable
	}
	at, err := h.Refresh(c.ctx, c, req.Token)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.deadlines.expire = c.graceful(at)
	c.reschedule()
	c.mu.Unlock()
	expires, ttl := c.ttl(at)
	return &protocol.Reply{Refresh: &protocol.RefreshResult{
		Client: c.id, Version: c.srv.cfg.Version, Expires: expires, TTL: ttl,
	}}, nil
}

func (c *Conn) subRefresh(req *protocol.SubRefreshRequest) (*protocol.Reply, error) {
	h := c.srv.handlers.subRefresh
	sub := c.subscription(req.Channel)
	switch {
	case sub == nil:
		return nil, ErrPermissionDenied
	case h == nil:
		return nil, ErrNotAvailable
	}
	at, err := h.SubRefresh(c.ctx, c, req.Channel, req.Token)
	if err != nil {
		return nil, err
	}
	c.prolong(sub, at)
	expires, ttl := c.ttl(at)
	return &protocol.Reply{SubRefresh: &protocol.SubRefreshResult{Expires: expires, TTL: ttl}}, nil
}

// prolong moves the end of a subscription, zero to never.
func (c *Conn) prolong(sub *subscription, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub.options.ExpireAt, sub.expire = at, c.graceful(at)
	c.watchExpiry(sub.expire)
	c.reschedule()
}
