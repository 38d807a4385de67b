package chat

import "context"

// Settlement is how one try of a lane's head ended.
type Settlement struct {
	Work    *Work
	State   DeliveryState // delivered, retrying, parked or void
	Body    []byte        // what was sent; kept until the delivery is settled by success
	Attempt *Attempt      // nil when no call was made
	RetryAt Micros        // of a retry: when the lane is due again
	Counts  bool          // the failure counts against the event, not the endpoint
}

// Settle records a try and moves the lane: on to the next event, back to wait
// for a retry, or away. It returns the lane when there is more to send at once
// under the same claim, nil otherwise. A lane that somebody else has claimed
// since is left alone: what it sent may be sent again, never lost.
func (s *Service) Settle(ctx context.Context, st Settlement) (*Lane, error) {
	var lane *Lane
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) (err error) {
		u := &unit{Tx: tx, s: s, cat: s.Catalog(), now: tx.Now()}
		lane, err = u.settle(&st)
		return err
	})
	return lane, err
}

func (u *unit) settle(st *Settlement) (*Lane, error) {
	lane := st.Work.Lane
	stored, err := u.Lane(lane.TenantID, lane.EndpointID, lane.ConversationID)
	if ErrorCode(err) == CodeNotFound || err == nil && stored.Epoch != lane.Epoch {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lane.Replays = stored.Replays
	if err := u.record(st); err != nil {
		return nil, err
	}
	if st.State == DeliveryRetrying {
		lane.DueAt = st.RetryAt
		if st.Counts {
			lane.Attempts++
		}
		return nil, u.SaveLane(&lane)
	}
	lane.Attempts = 0
	if st.Work.Replay {
		lane.Replays--
	} else {
		lane.NextSeq++
	}
	if st.State == DeliveryParked && st.Work.blocks() {
		lane.NextSeq, lane.Blocked = st.Work.Entry.Seq, true
		return nil, u.SaveLane(&lane)
	}
	return advance(u.Tx, u.cat, lane)
}

// blocks says whether a parked event stops its lane.
func (w *Work) blocks() bool {
	return w.Endpoint.Integration != nil && w.Endpoint.Integration.OnPark == "block"
}

// record writes the delivery and the attempt.
func (u *unit) record(st *Settlement) error {
	w := st.Work
	d := w.Delivery
	if d == nil {
		id, err := u.NextID()
		if err != nil {
			return err
		}
		d = &Delivery{
			ID: id, TenantID: w.Lane.TenantID, EndpointID: w.Lane.EndpointID, ConversationID: w.Lane.ConversationID,
			Seq: w.Entry.Seq, EventAt: w.Entry.At, WebhookID: w.WebhookID(), CreatedAt: u.now,
		}
	}
	saved := *d // the function may run again: w.Delivery stays as it was
	saved.UpdatedAt, saved.State = u.now, st.State
	if st.State == DeliveryRetrying && w.Replay {
		saved.State = DeliveryQueued
	}
	saved.Body = st.Body
	if st.State == DeliveryDelivered || st.State == DeliveryVoid {
		saved.Body = nil
	}
	if st.Attempt != nil {
		saved.Attempts++
		saved.LastStatus, saved.LastError = st.Attempt.Status, st.Attempt.Error
		a := *st.Attempt
		a.DeliveryID, a.TenantID, a.Number = saved.ID, saved.TenantID, saved.Attempts
		if err := u.AddAttempt(&a); err != nil {
			return err
		}
	}
	return u.SaveDelivery(&saved)
}
