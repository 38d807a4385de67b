package centrifuge

import (
	"time"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// The longest name and version of an application that are kept.
const (
	maxName    = 16
	maxVersion = 64
)

// connect admits the client and answers with its server-side subscriptions.
func (c *Conn) connect(id uint32, req *protocol.ConnectRequest) error {
	event := ConnectEvent{
		Token: req.Token, Data: req.Data, Headers: req.Headers,
		Name: clip(req.Name, maxName), Version: clip(req.Version, maxVersion),
		Recover: make(map[string]Position),
	}
	for channel, sub := range req.Subs {
		if sub.Recover {
			event.Recover[channel] = Position{Offset: sub.Offset, Epoch: sub.Epoch}
		}
	}
	granted, err := c.srv.handlers.connect.Connect(c.ctx, c, event)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.admission = admission{name: event.Name, user: granted.User, info: granted.Info, value: granted.Value}
	c.mu.Unlock()
	results, starts, err := c.grant(granted.Subs, event.Recover)
	if err != nil {
		return err
	}
	if err := c.admit(id, granted, results, starts); err != nil {
		for _, s := range starts {
			c.drop(s.sub)
		}
		return err
	}
	return nil
}

// grant adds the server-side subscriptions of a connect reply.
func (c *Conn) grant(subs map[string]SubscribeOptions, positions map[string]Position) (map[string]*protocol.SubscribeResult, []start, error) {
	results := make(map[string]*protocol.SubscribeResult, len(subs))
	starts := make([]start, 0, len(subs))
	for channel, options := range subs {
		sub, err := c.add(channel, options, false)
		if err == nil {
			var since *Position
			if position, ok := positions[channel]; ok {
				since = &position
			}
			var begin start
			results[channel], begin, err = c.position(sub, since, options.Data)
			starts = append(starts, start{sub, begin.from})
		}
		if err != nil {
			for _, s := range starts {
				c.drop(s.sub)
			}
			return nil, nil, err
		}
	}
	return results, starts, nil
}

// admit sends the connect reply and starts the clocks of an admitted client.
func (c *Conn) admit(id uint32, granted ConnectReply, subs map[string]*protocol.SubscribeResult, starts []start) error {
	cfg := &c.srv.cfg
	expires, ttl := c.ttl(granted.ExpireAt)
	result := &protocol.ConnectResult{
		Client: c.id, Version: cfg.Version, Expires: expires, TTL: ttl, Data: granted.Data, Subs: subs,
		Ping: uint32((cfg.PingInterval + time.Second - 1) / time.Second), Pong: true,
	}
	if c.session != "" {
		result.Session, result.Node = c.session, cfg.Node
	}
	msg, err := c.codec().AppendReply(nil, &protocol.Reply{ID: id, Connect: result})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.connected = true
	c.deadlines.connect = time.Time{}
	c.deadlines.ping = cfg.Now().Add(cfg.PingInterval)
	c.deadlines.expire = c.graceful(granted.ExpireAt)
	joined, _ := c.beginLocked(msg, starts) // one who is leaving already hears nothing
	c.mu.Unlock()
	c.announceJoins(joined)
	return nil
}

// clip cuts s to at most n bytes at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
