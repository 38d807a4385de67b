package delivery

import (
	"slices"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// State is how an endpoint is.
type State string

// The states of an endpoint. A bot is healthy, ill while its breaker is open,
// suspect while one question tries it, or paused.
const (
	Healthy    State = "healthy"
	Suspect    State = "suspect"    // one lane failed: the others go on one at a time
	Ill        State = "ill"        // holds its lanes; one real head at a time is the probe
	Recovering State = "recovering" // well again, and gently brought up to its rate
	Paused     State = "paused"     // keeps its cursors, sends nothing
)

const (
	illAfter      = 2 // lanes that failed in a row, when no success speaks for the endpoint
	illDespiteOK  = 5 // lanes that failed in a row although others succeeded in the last minute
	statusTooMany = 429
)

// verdict is what follows from an outcome for the event that was sent.
type verdict struct {
	state  chat.DeliveryState
	wait   time.Duration // of a retry: until the lane is due again
	counts bool          // it is the event that is ill, not the endpoint
}

// health judges the outcomes of one integration's calls: which is ill, the
// event or the endpoint (specs/delivery.md). Lanes are known by conversation.
// It is safe for concurrent use and does nothing by itself.
type health struct {
	mu       sync.Mutex
	schedule schedule
	inflight int // most calls at once
	pace     pace

	state        State
	paused       bool
	reason       string
	failingSince chat.Micros // the first failure since the last success
	lastOK       chat.Micros
	warnedAt     chat.Micros
	saved        chat.EndpointHealth // what the store remembers

	okLane  chat.ID     // who succeeded last
	otherOK chat.Micros // the latest success of any other lane
	failed  []chat.ID   // lanes that failed since the last success
	level   int         // the endpoint's failures in a row
	suspect chat.ID     // the lane that made the endpoint suspect
	blamed  chat.ID     // a lane whose failure turned out to be its event's
	probeAt chat.Micros
	probe   chat.ID // the lane that is the probe now
}

// configure takes over what the owner set.
func (h *health) configure(i *chat.Integration, random func() float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.schedule = scheduleOf(i.Retry, random)
	h.pace.rate = float64(i.Rate)
	if h.inflight = i.MaxInflight; h.inflight <= 0 {
		h.inflight = defaultInflight
	}
}

// judge says what an outcome of a lane means. failed is how many tries of the
// head have counted against its event so far.
func (h *health) judge(now chat.Micros, lane chat.ID, failed int, o Outcome) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o.Class == Delivered {
		h.succeeded(now, lane)
		return verdict{state: chat.DeliveryDelivered}
	}
	if h.failingSince == 0 {
		h.failingSince = now
	}
	if now.Sub(h.failingSince) >= giveUp {
		h.pause("it has answered with nothing but failure for five days")
	}
	switch o.Class {
	case Gone:
		h.pause("it answered 410: it wants no more events")
		return verdict{state: chat.DeliveryRetrying}
	case Refused:
		h.answered(now)
		return h.eventIll(lane, failed, o)
	default:
		return h.failedCall(now, lane, failed, o)
	}
}

// failedCall finds out who is ill after a call that the endpoint did not take.
func (h *health) failedCall(now chat.Micros, lane chat.ID, failed int, o Outcome) verdict {
	if h.state == Ill {
		if h.probe == lane {
			h.hold(now, o)
		}
		return verdict{state: chat.DeliveryRetrying}
	}
	if !slices.Contains(h.failed, lane) {
		h.failed = append(h.failed, lane)
	}
	fresh, limit := h.vouched(now, lane), illAfter
	if fresh {
		limit = illDespiteOK
	}
	switch {
	case o.Status == statusTooMany || len(h.failed) >= limit:
		h.state, h.level, h.suspect = Ill, 0, 0
		h.hold(now, o)
		return verdict{state: chat.DeliveryRetrying}
	case fresh || failed > 0 && h.state != Suspect:
		return h.eventIll(lane, failed, o)
	default:
		h.state, h.suspect = Suspect, lane
		wait := h.schedule.endpointWait(h.level, now.Sub(h.failingSince), o.RetryAfter)
		h.level++
		return verdict{state: chat.DeliveryRetrying, wait: wait}
	}
}

// vouched says whether another lane succeeded in the last minute.
func (h *health) vouched(now chat.Micros, lane chat.ID) bool {
	at := h.lastOK
	if h.okLane == lane {
		at = h.otherOK
	}
	return at != 0 && now.Sub(at) <= freshSuccess
}

// eventIll is the verdict on an event that is ill: its own schedule, then
// parked.
func (h *health) eventIll(lane chat.ID, failed int, o Outcome) verdict {
	if h.blamed == lane {
		failed++ // its first failure was held to be the endpoint's
	}
	wait, ok := h.schedule.eventWait(failed, o.RetryAfter)
	if ok {
		return verdict{state: chat.DeliveryRetrying, wait: wait, counts: true}
	}
	if h.blamed == lane {
		h.blamed = 0
	}
	return verdict{state: chat.DeliveryParked}
}

// hold sets the moment of the next probe.
func (h *health) hold(now chat.Micros, o Outcome) {
	h.probeAt = now.Add(h.schedule.endpointWait(h.level, now.Sub(h.failingSince), o.RetryAfter))
	h.level++
}

func (h *health) succeeded(now chat.Micros, lane chat.ID) {
	if h.okLane != lane {
		h.okLane, h.otherOK = lane, h.lastOK
	}
	h.lastOK = now
	if h.suspect != 0 && h.suspect != lane {
		h.blamed = h.suspect
	} else if h.blamed == lane {
		h.blamed = 0
	}
	h.answered(now)
	h.failed, h.failingSince, h.warnedAt = nil, 0, 0
	h.state, h.suspect, h.level = Healthy, 0, 0
}

// answered ends an illness: the endpoint is there, whatever it thinks of the
// event.
func (h *health) answered(now chat.Micros) {
	if h.state != Ill {
		return
	}
	h.pace.recover(now)
	h.state, h.level, h.probe, h.failed = Healthy, 0, 0, nil
}

func (h *health) pause(reason string) {
	if !h.paused {
		h.paused, h.reason = true, reason
	}
}
