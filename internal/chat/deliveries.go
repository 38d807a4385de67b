package chat

import "context"

// Deliveries lists the delivery log of the actor's tenant by rising id,
// without bodies: up to f.Limit (at most 250) after f.After.
func (s *Service) Deliveries(ctx context.Context, actor Actor, f DeliveryFilter) ([]Delivery, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	f.Limit = pageSize(f.Limit)
	var list []Delivery
	err := s.store.View(ctx, func(r Reader) (err error) {
		list, err = r.Deliveries(actor.TenantID, f)
		return err
	})
	return list, err
}

// Delivery returns one delivery with its tries, the oldest first.
func (s *Service) Delivery(ctx context.Context, actor Actor, id ID) (*Delivery, []Attempt, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, nil, err
	}
	var d *Delivery
	var tries []Attempt
	err := s.store.View(ctx, func(r Reader) (err error) {
		if d, err = r.Delivery(actor.TenantID, id); err != nil {
			return err
		}
		tries, err = r.Attempts(actor.TenantID, id)
		return err
	})
	return d, tries, err
}

// MaxPage is the most that any list returns at once.
const MaxPage = 250

// pageSize is the asked limit within 1…MaxPage, MaxPage by default.
func pageSize(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

// Replay queues settled deliveries to be sent again, in order, before anything
// new of their lanes: those that match f, parked ones unless f.State says
// delivered. It works in small chunks and returns how many it queued.
func (s *Service) Replay(ctx context.Context, actor Actor, f DeliveryFilter) (int, error) {
	if err := actor.Require(ScopeDeliveries); err != nil {
		return 0, err
	}
	switch f.State {
	case "":
		f.State = DeliveryParked
	case DeliveryParked, DeliveryDelivered:
	default:
		return 0, Invalid("state", "only parked and delivered events can be replayed, not %q", f.State)
	}
	total := 0
	for {
		n, wake, last, err := s.replayChunk(ctx, actor, f)
		total += n
		if err != nil || last == 0 {
			return total, err
		}
		f.After = last
		s.waker.Wake(wake)
	}
}

// ReplayDelivery queues one settled delivery to be sent again. Errors:
// CodeNotFound; CodeConflict for one that is not settled yet, or lost its
// meaning.
func (s *Service) ReplayDelivery(ctx context.Context, actor Actor, id ID) error {
	if err := actor.Require(ScopeDeliveries); err != nil {
		return err
	}
	var endpoint ID
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		d, err := tx.Delivery(actor.TenantID, id)
		if err != nil {
			return err
		}
		if d.State != DeliveryParked && d.State != DeliveryDelivered {
			return Errorf(CodeConflict, "only parked and delivered events can be replayed; this one is %s", d.State)
		}
		endpoint = d.EndpointID
		return queueReplay(tx, actor.TenantID, id)
	})
	if err == nil {
		s.waker.Wake([]ID{endpoint})
	}
	return err
}

// replayChunk queues one page; last is 0 when it was the last one.
func (s *Service) replayChunk(ctx context.Context, actor Actor, f DeliveryFilter) (n int, wake []ID, last ID, err error) {
	f.Limit = 64
	err = s.store.Update(ctx, PriorityBulk, func(tx Tx) error {
		n, wake, last = 0, nil, 0
		list, err := tx.Deliveries(actor.TenantID, f)
		if err != nil {
			return err
		}
		for _, short := range list {
			last = short.ID
			if e, _ := s.Catalog().Endpoint(actor.TenantID, short.EndpointID); e.Kind == EndpointBot && f.EndpointID == 0 {
				continue // to ask a bot again shows its client a second answer: only by name
			}
			if err := queueReplay(tx, actor.TenantID, short.ID); err != nil {
				return err
			}
			n++
			wake = append(wake, short.EndpointID)
		}
		return nil
	})
	if err != nil {
		return 0, nil, 0, err
	}
	return n, wake, last, nil
}

func queueReplay(tx Tx, tenant, id ID) error {
	d, err := tx.Delivery(tenant, id)
	if err != nil {
		return err
	}
	conv, err := tx.Conversation(tenant, d.ConversationID)
	if err != nil {
		return err
	}
	d.State, d.UpdatedAt = DeliveryQueued, tx.Now()
	if err := tx.SaveDelivery(d); err != nil {
		return err
	}
	if err := tx.AddReplays(tenant, d.EndpointID, d.ConversationID, conv.Seq+1, 1); err != nil {
		return err
	}
	lane, err := tx.Lane(tenant, d.EndpointID, d.ConversationID)
	if err != nil {
		return err
	}
	if !lane.Blocked || lane.NextSeq != d.Seq {
		return nil
	}
	lane.Blocked = false
	lane.NextSeq++
	return tx.SaveLane(lane)
}

// EndpointState is an endpoint with its health and backlog.
type EndpointState struct {
	Endpoint
	Health  EndpointHealth
	Oldest  Micros
	Waiting int
}

// Endpoints lists the endpoints of the actor's tenant.
func (s *Service) Endpoints(ctx context.Context, actor Actor) ([]EndpointState, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var states []EndpointState
	err := s.store.View(ctx, func(r Reader) error {
		states = nil
		health, err := r.EndpointHealth()
		if err != nil {
			return err
		}
		known := map[ID]EndpointHealth{}
		for _, h := range health {
			known[h.EndpointID] = h
		}
		for _, e := range s.Catalog().Endpoints() {
			if e.TenantID != actor.TenantID {
				continue
			}
			state := EndpointState{Endpoint: e, Health: known[e.ID]}
			if state.Oldest, state.Waiting, err = r.OldestDue(e.TenantID, e.ID); err != nil {
				return err
			}
			states = append(states, state)
		}
		return nil
	})
	return states, err
}

// PauseEndpoint stops (paused true) or resumes sending to an endpoint. Its
// cursors stay.
func (s *Service) PauseEndpoint(ctx context.Context, actor Actor, id ID, paused bool, reason string) error {
	if err := actor.Require(ScopeDeliveries); err != nil {
		return err
	}
	if _, ok := s.Catalog().Endpoint(actor.TenantID, id); !ok {
		return Errorf(CodeNotFound, "there is no endpoint %d", id)
	}
	if !paused {
		reason = ""
	}
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		return tx.SaveEndpointHealth(&EndpointHealth{EndpointID: id, TenantID: actor.TenantID, Paused: paused, Reason: reason})
	})
	if err == nil {
		s.waker.Wake([]ID{id})
	}
	return err
}

// SaveHealth remembers what the delivery engine knows of an endpoint. It may
// pause the endpoint and never resumes it: what somebody paused meanwhile stays
// as it is.
func (s *Service) SaveHealth(ctx context.Context, h EndpointHealth) error {
	return s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		stored, err := tx.EndpointHealth()
		if err != nil {
			return err
		}
		for i := range stored {
			if stored[i].EndpointID == h.EndpointID && stored[i].TenantID == h.TenantID && stored[i].Paused {
				return nil
			}
		}
		return tx.SaveEndpointHealth(&h)
	})
}

// Health reads what was remembered of all endpoints.
func (s *Service) Health(ctx context.Context) ([]EndpointHealth, error) {
	var list []EndpointHealth
	err := s.store.View(ctx, func(r Reader) (err error) {
		list, err = r.EndpointHealth()
		return err
	})
	return list, err
}

// ReleaseLanes frees the claims of a predecessor that ended without letting
// go. Only a process that owns the whole database may call it, before it
// claims anything.
func (s *Service) ReleaseLanes(ctx context.Context) error {
	return s.store.Update(ctx, PriorityNormal, func(tx Tx) error { return tx.ReleaseLanes() })
}
