package delivery

import "github.com/tolmach/tolmach/internal/chat"

const (
	defaultInflight = 16  // calls at once to an integration
	botInflight     = 128 // turns at once of a bot: a turn mostly waits
)

// gate lets the runners of one endpoint in. It is safe for concurrent use.
type gate interface {
	// room is how many more runners may start now; when it is none and a moment
	// will change that, again is the moment.
	room(now chat.Micros, inflight int) (n int, again chat.Micros)
	// start counts a runner in, finish out.
	start(now chat.Micros, lane chat.ID)
	finish(lane chat.ID)
	// steady says whether a runner may go on with its lane by itself, and lanes
	// may be claimed ahead.
	steady(now chat.Micros) bool
	stateAt(now chat.Micros) State
	// adopt takes over what the store says of pauses.
	adopt(stored chat.EndpointHealth)
}

func (h *health) room(now chat.Micros, inflight int) (n int, again chat.Micros) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.paused:
		return 0, 0
	case h.state == Ill && h.probe != 0:
		return 0, 0
	case h.state == Ill && now < h.probeAt:
		return 0, h.probeAt
	case h.state == Ill:
		return 1, 0
	case h.state == Suspect:
		return max(1-inflight, 0), 0
	}
	free := max(h.inflight-inflight, 0)
	if n, again = h.pace.room(now); n > 0 || free == 0 {
		return min(n, free), 0
	}
	return 0, again
}

func (h *health) start(now chat.Micros, lane chat.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == Ill {
		h.probe = lane
		return
	}
	h.pace.take(now)
}

func (h *health) finish(lane chat.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.probe == lane {
		h.probe = 0
	}
}

func (h *health) steady(now chat.Micros) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.paused && h.state == Healthy && h.pace.current(now) == 0
}

func (h *health) stateAt(now chat.Micros) State {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.paused:
		return Paused
	case h.state == Healthy && h.pace.from != 0 && h.pace.current(now) != h.pace.rate:
		return Recovering
	default:
		return h.state
	}
}
