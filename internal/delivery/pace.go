package delivery

import (
	"math"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	rampStart  = 5.0             // calls per second after an illness
	rampDouble = 2 * time.Second // the time in which they double
	rampEnd    = 1000.0          // where the ramp of an endpoint without a rate ends
	burst      = 100 * time.Millisecond
)

// pace spaces the calls to one endpoint: by the owner's rate, and gently after
// an illness. It is a leaky bucket that forgives burst, so that timers need not
// be finer than that.
type pace struct {
	rate float64     // calls per second; 0: unlimited
	from chat.Micros // when the recovery began; 0: none
	next chat.Micros // when the bucket is empty
}

// recover begins a gentle start.
func (p *pace) recover(now chat.Micros) { p.from = now }

// current is the rate now, 0 when there is no limit. It ends a ramp that has
// reached its end.
func (p *pace) current(now chat.Micros) float64 {
	if p.from == 0 {
		return p.rate
	}
	doublings := float64(max(now.Sub(p.from), 0) / rampDouble)
	r := rampStart * math.Pow(2, doublings)
	if end := p.end(); r >= end {
		p.from = 0
		return p.rate
	}
	return r
}

func (p *pace) end() float64 {
	if p.rate > 0 {
		return p.rate
	}
	return rampEnd
}

// room is how many calls may start now, and, when it is none, when to ask again.
func (p *pace) room(now chat.Micros) (n int, again chat.Micros) {
	r := p.current(now)
	if r == 0 {
		return math.MaxInt, 0
	}
	gap, slack := gapAndSlack(r)
	free := max(p.next, now)
	if n = int((now + slack - free) / gap); n > 0 {
		return n, 0
	}
	return 0, free + gap - slack
}

// take counts a call that starts.
func (p *pace) take(now chat.Micros) {
	if r := p.current(now); r > 0 {
		gap, _ := gapAndSlack(r)
		p.next = max(p.next, now) + gap
	}
}

func gapAndSlack(rate float64) (gap, slack chat.Micros) {
	gap = max(chat.Micros(1e6/rate), 1)
	return gap, max(gap, chat.Micros(burst.Microseconds()))
}
