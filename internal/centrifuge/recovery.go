package centrifuge

import (
	"context"
	"errors"
	"fmt"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

var errNoStream = errors.New("centrifuge: a subscription needs Config.Stream, which is not set")

// position reads the stream behind a subscription that was just added and
// returns what to tell the client: where the channel stands and, if it asked to
// recover, what it missed. Recovery is all or nothing.
func (c *Conn) position(sub *subscription, since *Position, data []byte) (*protocol.SubscribeResult, start, error) {
	o := sub.options
	expires, ttl := c.ttl(o.ExpireAt)
	result := &protocol.SubscribeResult{
		Expires: expires, TTL: ttl, Data: data,
		Recoverable: o.Recoverable, Positioned: o.Recoverable,
		WasRecovering: since != nil,
	}
	if !o.Recoverable {
		return result, start{sub: sub}, nil
	}
	page, recovered, err := c.srv.catchUp(c.ctx, sub.channel.name, since)
	if err != nil {
		return nil, start{}, err
	}
	result.Epoch, result.Offset = page.Top.Epoch, page.Top.Offset
	result.Recovered, result.Publications = recovered, page.Publications
	if recovered {
		c.mu.Lock()
		sub.paused = false
		c.mu.Unlock()
	}
	return result, start{sub, page.Top.Offset}, nil
}

// catchUp reads what came after a position, nil for the top alone. With
// recovered false the page holds the top and no publications.
func (s *Server) catchUp(ctx context.Context, channel string, since *Position) (page Page, recovered bool, err error) {
	if s.cfg.Stream == nil {
		return Page{}, false, errNoStream
	}
	q := Query{Since: since}
	if since != nil {
		q.Limit = s.cfg.RecoverLimit + 1
	}
	page, err = s.cfg.Stream.Read(ctx, channel, q)
	lost := errors.Is(err, ErrUnrecoverablePosition)
	if err != nil && !lost {
		return Page{}, false, fmt.Errorf("read the stream: %w", err)
	}
	tooMuch := len(page.Publications) > s.cfg.RecoverLimit || s.fitting(page.Publications) < len(page.Publications)
	if since == nil || lost || tooMuch || !page.Top.honours(*since) {
		page.Publications = nil
		return page, false, nil
	}
	for _, pub := range page.Publications { // written after the top was read
		page.Top.Offset = max(page.Top.Offset, pub.Offset)
	}
	return page, true, nil
}

// fitting counts how many of the publications go into one reply: half of the
// queue, so that what comes meanwhile finds room beside it.
func (s *Server) fitting(pubs []*Publication) int {
	room := s.cfg.MaxQueue / 2
	for i, pub := range pubs {
		if room -= len(pub.Data); room < 0 {
			return i
		}
	}
	return len(pubs)
}

// Resume lifts the pause of a subscription. What the stream of a recoverable
// channel got meanwhile is delivered first; if that can't be had any more, the
// client is asked to reconnect (3010). Resuming twice does nothing.
func (c *Conn) Resume(ctx context.Context, channel string) error {
	c.mu.Lock()
	sub := c.subs[channel]
	if sub == nil {
		c.mu.Unlock()
		return fmt.Errorf("centrifuge: resume %q: not subscribed", channel)
	}
	if !sub.paused || sub.catching {
		sub.paused = false // one who is catching up goes live by itself
		c.mu.Unlock()
		return nil
	}
	sub.paused, sub.catching = false, true
	from := sub.offset
	c.mu.Unlock()

	missed, err := c.missed(ctx, sub, from)
	if err != nil {
		c.mu.Lock()
		sub.paused, sub.catching, sub.held, sub.heldSize = true, false, nil, 0
		c.mu.Unlock()
		return fmt.Errorf("centrifuge: resume %q: %w", channel, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range missed {
		from = max(from, m.offset)
		c.enqueue(m.msg)
	}
	c.goLive(sub, from)
	return nil
}

// missed reads and encodes what a paused subscription did not get.
func (c *Conn) missed(ctx context.Context, sub *subscription, from uint64) ([]heldPublication, error) {
	if !sub.options.Recoverable {
		return nil, nil
	}
	page, recovered, err := c.srv.catchUp(ctx, sub.channel.name, &Position{Offset: from})
	if err != nil {
		return nil, err
	}
	if !recovered {
		c.Disconnect(DisconnectInsufficientState)
		return nil, DisconnectInsufficientState
	}
	missed := make([]heldPublication, 0, len(page.Publications))
	for _, pub := range page.Publications {
		push := &protocol.Push{Channel: sub.channel.name, Pub: pub}
		msg, err := c.codec().AppendReply(nil, &protocol.Reply{Push: push})
		if err != nil {
			c.Disconnect(DisconnectInappropriateProtocol)
			return nil, err
		}
		missed = append(missed, heldPublication{pub.Offset, msg})
	}
	return missed, nil
}
