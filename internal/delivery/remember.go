package delivery

import (
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// saveAfter is how long an endpoint that is not ill must have been failing
// before that is remembered, and how old the success may be that is: a mix of
// successes and failures writes no more than that.
const saveAfter = time.Minute

// newHealth begins where an earlier process ended. An endpoint that was failing
// is suspect until something succeeds.
func newHealth(stored chat.EndpointHealth) *health {
	h := &health{
		state: Healthy, saved: stored, paused: stored.Paused, reason: stored.Reason, failingSince: stored.FailingSince,
	}
	if h.failingSince != 0 {
		h.state = Suspect
	}
	return h
}

// adopt takes over a pause or a resumption that somebody made in the store. A
// resumed endpoint is given a fresh start.
func (h *health) adopt(stored chat.EndpointHealth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case stored.Paused:
		h.paused, h.reason, h.saved = true, stored.Reason, stored
	case h.paused && h.saved.Paused:
		h.paused, h.reason, h.saved = false, "", stored
		h.state, h.level, h.suspect, h.failed, h.failingSince = Healthy, 0, 0, nil, 0
	}
}

// unsaved returns what the store should remember and doesn't. Of a pause that it
// knows there is nothing to add: whoever writes it once more could undo a
// resumption.
func (h *health) unsaved(now chat.Micros, e *endpoint) (chat.EndpointHealth, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	is := chat.EndpointHealth{
		EndpointID: e.ID, TenantID: e.TenantID, Paused: h.paused, Reason: h.reason,
		FailingSince: h.failingSince, LastOK: max(h.lastOK, h.saved.LastOK),
	}
	switch {
	case is.Paused && h.saved.Paused:
		return is, false
	case is.Paused != h.saved.Paused:
		return is, is.Paused
	case is.FailingSince == 0:
		return is, h.saved.FailingSince != 0
	default:
		due := h.state == Ill || now.Sub(is.FailingSince) >= saveAfter
		return is, due && is.FailingSince != h.saved.FailingSince
	}
}

// stale says whether the last success that the store remembers of a healthy
// endpoint is an old one. To forget it costs nothing: it is not saved at the end.
func (h *health) stale() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.paused && h.failingSince == 0 && h.lastOK.Sub(h.saved.LastOK) >= saveAfter
}

// wasSaved notes what the store remembers now.
func (h *health) wasSaved(is chat.EndpointHealth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.saved = is
}

// warning returns since when an endpoint has been failing, once a day from the
// second day on.
func (h *health) warning(now chat.Micros) (since chat.Micros, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.paused || h.failingSince == 0 || now.Sub(h.failingSince) < warnEvery {
		return 0, false
	}
	if h.warnedAt != 0 && now.Sub(h.warnedAt) < warnEvery {
		return 0, false
	}
	h.warnedAt = now
	return h.failingSince, true
}
