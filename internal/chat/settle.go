package chat

import "context"

// Settlement is how one try of a lane's head ended.
type Settlement struct {
	Work    *Work
	State   DeliveryState // delivered, retrying, parked or void
	Body    []byte        // what was sent; kept until the delivery is settled by success
	Attempt *Attempt      // nil when no call was made
	Reason  string        // why no call was made, when that needs an explanation
	RetryAt Micros        // of a retry: when the lane is due again
	Counts  bool          // the failure counts against the event, not the endpoint
	Until   Micros        // the claim goes on until then when there is more to send; 0 ends it
}

// Settle records a try and moves the lane: on to the next event, back to wait
// for a retry, or away. It returns the lane when there is more to send at once,
// nil otherwise: under the same claim when st.Until is set, else for whoever
// claims it. A lane that somebody else has claimed since is left alone: what it
// sent may be sent again, never lost. After CodeUnavailable it may be recorded
// all the same; to settle it again records it once and goes on with the lane.
func (s *Service) Settle(ctx context.Context, st Settlement) (*Lane, error) {
	var lane *Lane
	if st.tellsAnswer() {
		err := s.update(ctx, SystemActor(st.Work.Lane.TenantID), func(u *unit) (err error) {
			lane, err = u.settleAnswer(&st)
			return err
		})
		if err != nil {
			return nil, err
		}
		return lane, nil
	}
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) (err error) {
		u := &unit{Tx: tx, s: s, cat: s.Catalog(), now: tx.Now()}
		lane, err = u.settle(&st)
		if ErrorCode(err) == CodeConflict {
			lane, err = resumed(tx, st.Work)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return lane, nil
}

// Resume returns the lane of a work that was settled although whoever settled
// it was told that nobody knows, as Settle would have. It is nil when the lane
// has nothing to send under that claim, or is somebody else's by now.
func (s *Service) Resume(ctx context.Context, w *Work) (*Lane, error) {
	var lane *Lane
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) (err error) {
		lane, err = resumed(tx, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	return lane, nil
}

// resumed is the lane as an earlier try to settle the work left it. A replay
// leaves no trace in it, so that one's lane waits for the claim to end.
func resumed(tx Tx, w *Work) (*Lane, error) {
	lane, err := held(tx, w.Lane)
	if err != nil || lane == nil || !lane.Claimed || w.Replay || lane.NextSeq <= w.Entry.Seq {
		return nil, err
	}
	return lane, nil
}

// tellsAnswer says whether the outcome shows in the status of an answer: the
// webhook of a channel carries answers, and what it could not deliver is
// NOT_SENT until a replay delivers it (specs/chatapi.md §9).
func (st *Settlement) tellsAnswer() bool {
	return st.Work.Endpoint.Kind == EndpointChannel &&
		(st.State == DeliveryParked || st.State == DeliveryDelivered && st.Work.Replay)
}

// settleAnswer settles and keeps the answer's status true. The rows are locked
// in the order of all use cases: the lane after the conversation.
func (u *unit) settleAnswer(st *Settlement) (*Lane, error) {
	w := st.Work
	gone := u.load(w.Lane.TenantID, w.Lane.ConversationID)
	if err := ignoreGone(gone); err != nil {
		return nil, err
	}
	lane, err := u.settle(st)
	if ErrorCode(err) == CodeConflict {
		return resumed(u.Tx, w)
	}
	if err != nil || gone != nil {
		return lane, err
	}
	x, err := u.Exchange(u.conv.TenantID, u.conv.ChannelID, u.client.ID, w.Entry.Data.QuestionID)
	if err != nil {
		return lane, ignoreGone(err)
	}
	from, to := StatusSent, StatusNotSent
	if st.State == DeliveryDelivered {
		from, to = to, from
	}
	if x.Status != from {
		return lane, nil
	}
	return lane, u.setAnswerStatus(x, to)
}

// settle is CodeConflict, before it wrote anything, when the claim is lost or
// the head was settled before.
func (u *unit) settle(st *Settlement) (*Lane, error) {
	w := st.Work
	lane, err := u.unsettled(w)
	if err != nil {
		return nil, err
	}
	if err := u.record(st); err != nil {
		return nil, err
	}
	if st.State == DeliveryRetrying {
		lane.DueAt, lane.Claimed = st.RetryAt, false
		if st.Counts {
			lane.Attempts++
		}
		return nil, u.SaveLane(lane)
	}
	lane.Attempts = 0
	if w.Replay {
		lane.Replays--
	} else {
		lane.NextSeq = w.Entry.Seq + 1
	}
	if st.State == DeliveryParked && w.blocks() && !lane.Blocked {
		if err := u.block(lane, w.Entry.Seq); err != nil {
			return nil, err
		}
	}
	lane.DueAt, lane.Claimed = st.Until, true
	if st.Until == 0 {
		lane.DueAt, lane.Claimed = u.now, false
	}
	return advance(u.Tx, u.cat, *lane)
}

// unsettled returns the lane of a work that is still to be settled.
func (u *unit) unsettled(w *Work) (*Lane, error) {
	lane, err := held(u.Tx, w.Lane)
	if err != nil {
		return nil, err
	}
	lost := lane == nil || !lane.Claimed || !w.Replay && lane.NextSeq > w.Entry.Seq
	if !lost && w.Replay {
		d, err := u.Delivery(w.Lane.TenantID, w.Delivery.ID)
		if err != nil {
			return nil, err
		}
		lost = d.State != DeliveryQueued
	}
	if lost {
		return nil, Errorf(CodeConflict, "the event is somebody else's by now, or was settled before")
	}
	return lane, nil
}

// block stops a lane at an event that was parked, if it is the last one before
// what comes next: the replay of an older one leaves the lane as it is.
func (u *unit) block(lane *Lane, seq int64) error {
	last, err := u.PreviousDelivery(lane.TenantID, lane.EndpointID, lane.ConversationID, lane.NextSeq)
	if err != nil {
		return err
	}
	if last.Seq == seq {
		lane.NextSeq, lane.Blocked = seq, true
	}
	return nil
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
	} else if st.Reason != "" {
		saved.LastStatus, saved.LastError = 0, st.Reason
	}
	return u.SaveDelivery(&saved)
}
