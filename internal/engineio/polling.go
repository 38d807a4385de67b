package engineio

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// maxPackets is what one answer may hold: Python's engines refuse more (specs/live.md §2.4).
	maxPackets = 16
	// upgradePoll is how long a GET may wait while a WebSocket is being probed.
	upgradePoll = 100 * time.Millisecond
)

// polling is the state of the HTTP long-polling transport. The connection's lock guards it.
type polling struct {
	waiting chan struct{} // closed to end the wait of the pending GET
	due     time.Time     // when that GET is answered even with nothing to say
	getting bool          // a GET is under way
	posting bool          // a POST is under way
}

func (p *polling) wake() {
	if p.waiting != nil {
		close(p.waiting)
		p.waiting = nil
	}
}

func (p *polling) overdue(now time.Time) bool { return !now.Before(p.due) }

// get answers one long poll: as soon as there is something to say, with a noop when there is nothing for too long.
func (c *Conn) get(w http.ResponseWriter, r *http.Request) *refusal {
	p, ready, refused := c.beginGet()
	if refused != nil {
		return refused
	}
	if ready != nil {
		select {
		case <-ready:
		case <-r.Context().Done():
			c.abandonGet(p)
			return nil
		}
	}
	body, refused := c.endGet(p)
	if refused != nil {
		return refused
	}
	writePayload(w, body)
	return nil
}

// beginGet claims the transport. The channel is nil when there is something to say at once.
func (c *Conn) beginGet() (*polling, <-chan struct{}, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.polling
	switch {
	case c.phase == phaseGone:
		return nil, nil, refuseSession()
	case p == nil:
		return nil, nil, refuseRequest()
	case p.getting:
		c.end(DuplicateRequest)
		return nil, nil, refuseRequest()
	}
	p.getting = true
	if !c.out.empty() {
		return p, nil, nil
	}
	p.waiting = make(chan struct{})
	now := c.server.config.Now()
	p.due = now.Add(c.pollLimit())
	if p.due.Before(c.pulse.due(now)) {
		c.server.timers.Schedule(&c.timer, (*alarm)(c), p.due)
	}
	return p, p.waiting, nil
}

// pollLimit keeps a long poll shorter than clients wait for one: max(pingInterval, pingTimeout) + 5 s (specs/live.md §2.9).
func (c *Conn) pollLimit() time.Duration {
	if c.probing {
		return upgradePoll
	}
	return max(c.server.config.PingInterval, c.server.config.PingTimeout)
}

func (c *Conn) abandonGet(p *polling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.getting, p.waiting = false, nil
}

// endGet takes what the answer says. A GET that was overtaken by an upgrade has lost its transport.
func (c *Conn) endGet(p *polling) ([]byte, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.getting = false
	if c.polling != p {
		return nil, refuseRequest()
	}
	batch := c.out.take(maxPackets, c.server.config.MaxPayload)
	if c.phase == phaseClosing && c.out.empty() {
		c.forget()
	}
	return c.payload(batch), nil
}

func (c *Conn) payload(batch []*Message) []byte {
	if c.protocol == 3 {
		return joinPackets(wirePolling3, batch, nil)
	}
	return joinPackets(wirePolling4, batch, []byte{separator})
}

func joinPackets(w wire, batch []*Message, between []byte) []byte {
	var body []byte
	for i, m := range batch {
		if i > 0 {
			body = append(body, between...)
		}
		body = append(body, m.encoded(w)...)
	}
	return body
}

func writePayload(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a client that is gone is found by its heartbeat
}
