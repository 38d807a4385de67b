package chat

import (
	"context"
	"time"
)

// ClaimDoubt is the error of a claim that may have been stored although its
// commit seems to have failed. Its lanes are nobody's. To let them go keeps them
// from waiting for the end of the lease (ReleaseClaims).
type ClaimDoubt struct {
	Lanes []Lane
	Err   error
}

// Error implements error.
func (d *ClaimDoubt) Error() string { return d.Err.Error() }

// Unwrap returns why the commit is in doubt.
func (d *ClaimDoubt) Unwrap() error { return d.Err }

// ClaimLanes takes up to limit due lanes of an endpoint for this process,
// until lease has passed. Errors: *ClaimDoubt for a claim that may be stored.
func (s *Service) ClaimLanes(ctx context.Context, e Endpoint, limit int, lease time.Duration) ([]Lane, error) {
	var lanes []Lane
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) (err error) {
		lanes, err = tx.ClaimLanes(e.TenantID, e.ID, limit, tx.Now().Add(lease))
		return err
	})
	switch {
	case err == nil:
		return lanes, nil
	case ErrorCode(err) == CodeUnavailable && len(lanes) > 0:
		return nil, &ClaimDoubt{lanes, err}
	default:
		return nil, err
	}
}

// Backlog is how far an endpoint is behind: when its longest due lane is or was
// due (a claimed one when its claim runs out), and how many lanes it has.
type Backlog struct {
	Oldest Micros
	Lanes  int
}

// Backlogs looks at several endpoints at once. One that is behind nowhere has
// the zero Backlog.
func (s *Service) Backlogs(ctx context.Context, endpoints []Endpoint) (map[ID]Backlog, error) {
	var found map[ID]Backlog
	err := s.store.View(ctx, func(r Reader) error {
		found = make(map[ID]Backlog, len(endpoints))
		for _, e := range endpoints {
			oldest, lanes, err := r.OldestDue(e.TenantID, e.ID)
			if err != nil {
				return err
			}
			found[e.ID] = Backlog{oldest, lanes}
		}
		return nil
	})
	return found, err
}

// ReleaseClaims lets claimed lanes go, unsent: they are due again at once. A
// lane that somebody else has claimed since is left alone.
func (s *Service) ReleaseClaims(ctx context.Context, lanes []Lane) error {
	return s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		for _, lane := range lanes {
			stored, err := held(tx, lane)
			if err != nil {
				return err
			}
			if stored == nil || stored.DueAt != lane.DueAt { // an epoch may come again after the database failed over
				continue
			}
			stored.DueAt, stored.Claimed = tx.Now(), false
			if err := tx.SaveLane(stored); err != nil {
				return err
			}
		}
		return nil
	})
}

// nextWanted returns the first event of the lane from NextSeq on that its
// endpoint wants, or nil.
func nextWanted(r Reader, e Endpoint, lane Lane) (*Entry, error) {
	return findEvent(r, lane, lane.NextSeq-1, func(entry *Entry) bool { return e.wants(&entry.Event) })
}

// findEvent returns the first event of the lane's conversation after a seq that
// matches, or nil. It is mostly among the next few, so it begins with a short
// page.
func findEvent(r Reader, lane Lane, after int64, match func(e *Entry) bool) (*Entry, error) {
	for page := 4; ; page = 64 {
		entries, err := r.Events(lane.TenantID, lane.ConversationID, after, page)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			if match(&entries[i]) {
				return &entries[i], nil
			}
		}
		if len(entries) < page {
			return nil, nil
		}
		after = entries[len(entries)-1].Seq
	}
}

// wants says whether an event is for the endpoint.
func (e *Endpoint) wants(ev *Event) bool {
	switch e.Kind {
	case EndpointBot:
		return ev.BotID == e.ID
	case EndpointIntegration:
		return e.Integration.Wants(ev)
	case EndpointChannel:
		return e.Channel.Wants(ev)
	default:
		return false
	}
}

// held returns the lane as it is stored, or nil when the claim is lost: the
// lane is gone or somebody else's.
func held(tx Tx, lane Lane) (*Lane, error) {
	stored, err := tx.Lane(lane.TenantID, lane.EndpointID, lane.ConversationID)
	if ErrorCode(err) == CodeNotFound {
		return nil, nil
	}
	if err != nil || stored.Epoch != lane.Epoch {
		return nil, err
	}
	return stored, nil
}

// advance saves a held lane at its next wanted event, or drops it when it has
// caught up. It returns nil when there is nothing to send now.
func advance(tx Tx, cat *Catalog, lane Lane) (*Lane, error) {
	if err := countReplays(tx, &lane); err != nil {
		return nil, err
	}
	if lane.Blocked && lane.Replays == 0 {
		lane.DueAt, lane.Claimed = tx.Now(), false
		return nil, tx.SaveLane(&lane)
	}
	var next *Entry
	if endpoint, ok := cat.Endpoint(lane.TenantID, lane.EndpointID); ok && !lane.Blocked {
		var err error
		if next, err = nextWanted(tx, endpoint, lane); err != nil {
			return nil, err
		}
	}
	if next == nil && lane.Replays == 0 {
		return nil, tx.DropLane(&lane)
	}
	if next != nil {
		lane.NextSeq = next.Seq
	}
	return &lane, tx.SaveLane(&lane)
}

// countReplays makes sure that a lane which counts replays has one: a lane that
// waited for what is not there would never end.
func countReplays(tx Tx, lane *Lane) error {
	if lane.Replays > 0 {
		_, err := tx.NextQueued(lane.TenantID, lane.EndpointID, lane.ConversationID)
		if ErrorCode(err) != CodeNotFound {
			return err
		}
	}
	lane.Replays = 0
	return nil
}
