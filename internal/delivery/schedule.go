package delivery

import (
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	jitter       = 0.2                // of a delay, only added
	longIllness  = time.Hour          // from then on an endpoint is tried more seldom
	seldom       = 5 * time.Minute    // how seldom
	maxAsked     = time.Hour          // longest Retry-After that is honoured
	giveUp       = 5 * 24 * time.Hour // of nothing but failure pause an endpoint
	warnEvery    = 24 * time.Hour
	freshSuccess = time.Minute // other lanes that succeeded within speak for the endpoint
)

// schedule is how long to wait after which failure (specs/delivery.md).
type schedule struct {
	event    []time.Duration // after each failed try of an ill event; then it is parked
	endpoint []time.Duration // between tries of an ill endpoint; the last step repeats
	own      bool            // the owner's endpoint steps: they don't grow after an hour
	random   func() float64  // in [0, 1)
}

// scheduleOf is the built-in schedule with what the owner replaced.
func scheduleOf(retry *chat.Retry, random func() float64) schedule {
	s := schedule{
		event:    []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
		endpoint: []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute},
		random:   random,
	}
	if retry == nil {
		return s
	}
	if len(retry.Event) > 0 {
		s.event = durations(retry.Event)
	}
	if len(retry.Endpoint) > 0 {
		s.endpoint, s.own = durations(retry.Endpoint), true
	}
	return s
}

func durations(list []chat.Duration) []time.Duration {
	out := make([]time.Duration, len(list))
	for i, d := range list {
		out[i] = time.Duration(d)
	}
	return out
}

// eventWait is the delay after an event's failure number n+1, at least what the
// endpoint asked for. It is false when the event has had its tries.
func (s *schedule) eventWait(n int, asked time.Duration) (time.Duration, bool) {
	if n >= len(s.event) {
		return 0, false
	}
	return s.late(max(s.event[n], min(asked, maxAsked))), true
}

// endpointWait is the delay after an endpoint's failure number n+1 in a row,
// when it has been failing for so long.
func (s *schedule) endpointWait(n int, failing, asked time.Duration) time.Duration {
	wait := s.endpoint[min(n, len(s.endpoint)-1)]
	if failing >= longIllness && !s.own {
		wait = seldom
	}
	return s.late(max(wait, min(asked, maxAsked)))
}

// late adds the jitter, so that what failed together doesn't return together.
func (s *schedule) late(d time.Duration) time.Duration {
	return d + time.Duration(float64(d)*jitter*s.random())
}
