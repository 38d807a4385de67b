package engineio

import "time"

// pulse follows the heartbeat of one connection. In protocol 4 the server pings and waits for pongs; in protocol 3 the
// client pings by itself and anything it sends counts. Its owner locks.
type pulse struct {
	interval, timeout time.Duration
	next              time.Time // protocol 4: the next ping, or the one that waits for its pong
	protocol          int8
	waiting           bool
}

func newPulse(protocol int, now time.Time, interval, timeout time.Duration) pulse {
	return pulse{protocol: int8(protocol), interval: interval, timeout: timeout, next: now.Add(interval)}
}

// deadline is when a client that stays silent is given up.
func (p *pulse) deadline() time.Time { return p.next.Add(p.timeout) }

// dead says whether the client was silent for too long.
func (p *pulse) dead(now time.Time) bool { return !now.Before(p.deadline()) }

// ping says whether a ping has to be sent now, and counts on it being sent.
func (p *pulse) ping(now time.Time) bool {
	if p.protocol != 4 || p.waiting || now.Before(p.next) {
		return false
	}
	p.waiting = true
	return true
}

// due is when to look again, so early that a pong which comes meanwhile need not move any timer.
func (p *pulse) due(now time.Time) time.Time {
	if p.protocol == 4 && !p.waiting {
		return p.next
	}
	if soon := now.Add(p.interval); soon.Before(p.deadline()) {
		return soon
	}
	return p.deadline()
}

// pong is the answer of a protocol 4 client. One that was not asked for changes nothing.
func (p *pulse) pong(now time.Time) {
	if p.waiting {
		p.waiting = false
		p.next = now.Add(p.interval)
	}
}

// heard counts any packet of a protocol 3 client as a sign of life.
func (p *pulse) heard(now time.Time) {
	if p.protocol == 3 {
		p.next = now.Add(p.interval)
	}
}
