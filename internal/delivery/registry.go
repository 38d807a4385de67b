package delivery

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// endpoint is what all goroutines know of an endpoint. It never changes: other
// settings make another one with the same gate.
type endpoint struct {
	chat.Endpoint
	label   string // tenant/name
	gate    gate
	health  *health  // the gate of an integration
	breaker *breaker // the gate of a bot
}

// timeout is the longest exchange.
func (e *endpoint) timeout() time.Duration {
	if e.Bot == nil {
		return webhookTimeout
	}
	if set := e.Bot.CallTimeout; set != nil && *set > 0 {
		return time.Duration(*set)
	}
	return turnTimeout
}

// fits says whether an exchange that begins now ends within the claim of a lane.
func (e *endpoint) fits(lane chat.Lane, now chat.Micros) bool {
	return lane.DueAt >= now.Add(e.timeout()+leaseMargin)
}

// registry is the endpoints that the settings name now.
type registry struct {
	mu       sync.RWMutex
	byID     map[chat.ID]*endpoint
	backlogs map[chat.ID]chat.Backlog // as found by the last sweep
}

func (r *registry) endpoint(id chat.ID) *endpoint {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

// sync takes over the endpoints of the settings that are served.
func (r *registry) sync(cat *chat.Catalog, stored map[chat.ID]chat.EndpointHealth, random func() float64) []*endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.byID
	r.byID = map[chat.ID]*endpoint{}
	list := []*endpoint{}
	for _, e := range cat.Endpoints() {
		if e.Integration == nil && e.Bot == nil {
			continue
		}
		ep := &endpoint{Endpoint: e, label: cat.Tenant(e.TenantID).Name + "/" + e.Name}
		if known := before[e.ID]; known != nil {
			ep.gate, ep.health, ep.breaker = known.gate, known.health, known.breaker
		} else {
			ep.open(stored[e.ID])
		}
		if ep.health != nil {
			ep.health.configure(e.Integration, random)
		}
		r.byID[e.ID] = ep
		list = append(list, ep)
	}
	return list
}

// open gives a new endpoint its gate, in the state it was left in.
func (e *endpoint) open(stored chat.EndpointHealth) {
	if e.Integration != nil {
		e.health = newHealth(stored)
		e.gate = e.health
		return
	}
	e.breaker = &breaker{paused: stored.Paused}
	e.gate = e.breaker
}

// list returns the endpoints, in no order.
func (r *registry) list() []*endpoint {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.byID))
}

// note keeps what was found of the backlogs.
func (r *registry) note(found map[chat.ID]chat.Backlog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.backlogs = found
}

// EndpointStats is how one endpoint is.
type EndpointStats struct {
	ID        chat.ID
	Label     string // tenant/name
	Kind      chat.EndpointKind
	State     State
	OldestDue time.Time // since when its longest due lane waits; zero when none is due
	Lanes     int       // conversations in which it is behind
}

// Stats returns how the endpoints are, by rising id. Backlogs are as old as the
// last sweep.
func (e *Engine) Stats() []EndpointStats {
	now := e.now()
	e.known.mu.RLock()
	defer e.known.mu.RUnlock()
	stats := make([]EndpointStats, 0, len(e.known.byID))
	for _, known := range e.known.byID {
		backlog := e.known.backlogs[known.ID]
		s := EndpointStats{
			ID: known.ID, Label: known.label, Kind: known.Kind, State: known.gate.stateAt(now), Lanes: backlog.Lanes,
		}
		if due := backlog.Oldest; due != 0 && due <= now {
			s.OldestDue = due.Time()
		}
		stats = append(stats, s)
	}
	slices.SortFunc(stats, func(a, b EndpointStats) int { return cmp.Compare(a.ID, b.ID) })
	return stats
}
