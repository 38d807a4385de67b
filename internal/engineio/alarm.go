package engineio

import "time"

// alarm is the connection as the timer wheel sees it.
type alarm Conn

// Due looks after whatever time brings: heartbeats, the end of a long poll, the end of a farewell.
func (a *alarm) Due(now time.Time) {
	c := (*Conn)(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case phaseOpen:
		c.beat(now)
	case phaseClosing:
		if c.socket == nil && !now.Before(c.until) {
			c.forget()
		}
	case phaseGone: // the timer was stopped too late
	}
}

func (c *Conn) beat(now time.Time) {
	if c.pulse.dead(now) {
		c.end(PingTimeout)
		return
	}
	if c.pulse.ping(now) && c.push(c.server.pingPacket) != nil {
		return
	}
	next := c.pulse.due(now)
	if c.polling != nil && c.polling.waiting != nil {
		if c.polling.overdue(now) {
			if c.push(c.server.noopPacket) != nil {
				return
			}
		} else if c.polling.due.Before(next) {
			next = c.polling.due
		}
	}
	c.server.timers.Schedule(&c.timer, (*alarm)(c), next)
}
