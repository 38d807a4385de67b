package centrifuge

import "github.com/tolmach/tolmach/internal/centrifuge/protocol"

// permitted refuses a look into a channel the client has no subscription to, or
// one whose options do not allow it.
func (c *Conn) permitted(channel string, allows func(SubscribeOptions) bool) error {
	if err := c.checkName(channel); err != nil {
		return err
	}
	sub := c.subscription(channel)
	if sub == nil {
		return ErrPermissionDenied
	}
	if !allows(sub.options) {
		return ErrNotAvailable
	}
	return nil
}

func (c *Conn) presence(req *protocol.ChannelRequest) (*protocol.Reply, error) {
	if err := c.permitted(req.Channel, SubscribeOptions.presence); err != nil {
		return nil, err
	}
	return &protocol.Reply{Presence: &protocol.PresenceResult{Presence: c.srv.Presence(req.Channel)}}, nil
}

func (c *Conn) presenceStats(req *protocol.ChannelRequest) (*protocol.Reply, error) {
	if err := c.permitted(req.Channel, SubscribeOptions.presence); err != nil {
		return nil, err
	}
	var clients uint32
	users := make(map[string]struct{})
	c.srv.hub.each(req.Channel, func(sub *subscription) {
		clients++
		users[sub.conn.User()] = struct{}{}
	})
	return &protocol.Reply{PresenceStats: &protocol.PresenceStatsResult{NumClients: clients, NumUsers: uint32(len(users))}}, nil
}

func (c *Conn) history(req *protocol.HistoryRequest) (*protocol.Reply, error) {
	if err := c.permitted(req.Channel, SubscribeOptions.history); err != nil {
		return nil, err
	}
	cfg := &c.srv.cfg
	if cfg.Stream == nil {
		return nil, errNoStream
	}
	q := Query{Limit: int(req.Limit), Reverse: req.Reverse}
	if q.Limit < 0 || q.Limit > cfg.HistoryLimit {
		q.Limit = cfg.HistoryLimit
	}
	if req.Since != nil {
		q.Since = &Position{Offset: req.Since.Offset, Epoch: req.Since.Epoch}
	}
	page, err := cfg.Stream.Read(c.ctx, req.Channel, q)
	if err != nil {
		return nil, err
	}
	if q.Since != nil && !page.Top.honours(*q.Since) {
		return nil, ErrUnrecoverablePosition
	}
	if fit := max(1, c.srv.fitting(page.Publications)); fit < len(page.Publications) {
		page.Publications = page.Publications[:fit]
	}
	return &protocol.Reply{History: &protocol.HistoryResult{
		Publications: page.Publications, Epoch: page.Top.Epoch, Offset: page.Top.Offset,
	}}, nil
}

func (o SubscribeOptions) presence() bool { return o.Presence }

func (o SubscribeOptions) history() bool { return o.History }
