package chat

import (
	"cmp"
	"context"
	"slices"
)

// PresenceStatus says whether an operator takes conversations.
type PresenceStatus string

// The statuses. Only a READY operator is given anything; whoever is not may
// still take and answer by hand.
const (
	PresenceReady    PresenceStatus = "READY"    // takes what comes, up to his capacity
	PresenceOutgoing PresenceStatus = "OUTGOING" // finishes what he has, takes nothing new
	PresenceInactive PresenceStatus = "INACTIVE" // away for a reason
	PresenceOffline  PresenceStatus = "OFFLINE"  // not there; what everybody is at first
)

// MaxReason is the longest reason of a presence, in bytes.
const MaxReason = 256

// Presence is whether an operator takes conversations, and how many he has.
type Presence struct {
	TenantID   ID
	OperatorID ID
	Status     PresenceStatus
	Reason     string // of INACTIVE
	Since      Micros // of the status; 0 when it was never set
	Load       int    // open sessions that are his
	AssignedAt Micros // when he was last given or took one; 0 for never
}

// QueuePlace is a place in a tenant's queue, which is ordered by the moment of
// entering it.
type QueuePlace struct {
	Since          Micros
	ConversationID ID
}

// SetPresence sets the acting operator's own status; the reason is kept with
// INACTIVE only. One who becomes READY is given what waits. Errors:
// CodeForbidden for anybody but an operator, CodeInvalid, CodeTooLarge.
func (s *Service) SetPresence(ctx context.Context, actor Actor, status PresenceStatus, reason string) (Presence, error) {
	if actor.Kind != ActorOperator {
		return Presence{}, Errorf(CodeForbidden, "only an operator has a status")
	}
	switch {
	case !slices.Contains([]PresenceStatus{PresenceReady, PresenceOutgoing, PresenceInactive, PresenceOffline}, status):
		return Presence{}, Invalid("status", "%q is not a status; use READY, OUTGOING, INACTIVE or OFFLINE", status)
	case len(reason) > MaxReason:
		return Presence{}, &Error{Code: CodeTooLarge, Field: "reason", Message: "the reason is over 256 bytes"}
	case status != PresenceInactive:
		reason = ""
	}
	var p Presence
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) (err error) {
		p, err = setPresence(tx, actor.TenantID, actor.ID, status, reason)
		return err
	})
	if err == nil && status == PresenceReady {
		s.freed.ring(actor.TenantID)
	}
	return p, err
}

// setPresence keeps the moment of a status that does not change.
func setPresence(tx Tx, tenant, operator ID, status PresenceStatus, reason string) (Presence, error) {
	p, err := presenceOf(tx, tenant, operator)
	if err != nil || p.Status == status && p.Reason == reason {
		return p, err
	}
	p.Status, p.Reason, p.Since = status, reason, tx.Now()
	return p, tx.SavePresence(&p)
}

// presenceOf is OFFLINE for an operator of whom nothing is kept.
func presenceOf(r PresenceReader, tenant, operator ID) (Presence, error) {
	p, err := r.Presence(tenant, operator)
	if ErrorCode(err) == CodeNotFound {
		return Presence{TenantID: tenant, OperatorID: operator, Status: PresenceOffline}, nil
	}
	if err != nil {
		return Presence{}, err
	}
	return *p, nil
}

// Presence returns the acting operator's own. Errors: CodeForbidden for anybody
// else.
func (s *Service) Presence(ctx context.Context, actor Actor) (Presence, error) {
	if actor.Kind != ActorOperator {
		return Presence{}, Errorf(CodeForbidden, "only an operator has a status")
	}
	var p Presence
	err := s.store.View(ctx, func(r Reader) (err error) {
		p, err = presenceOf(r, actor.TenantID, actor.ID)
		return err
	})
	return p, err
}

// Presences lists those of the tenant's operators who may sign in, by rising
// operator id. Errors: CodeForbidden.
func (s *Service) Presences(ctx context.Context, actor Actor) ([]Presence, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var known map[ID]Presence
	err := s.store.View(ctx, func(r Reader) error {
		stored, err := r.Presences(actor.TenantID)
		known = make(map[ID]Presence, len(stored))
		for _, p := range stored {
			known[p.OperatorID] = p
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	list := []Presence{}
	for _, o := range s.Catalog().Operators() {
		if o.TenantID != actor.TenantID || o.Disabled {
			continue
		}
		p, ok := known[o.ID]
		if !ok {
			p = Presence{TenantID: o.TenantID, OperatorID: o.ID, Status: PresenceOffline}
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Presence) int { return cmp.Compare(a.OperatorID, b.OperatorID) })
	return list, nil
}

// signOff makes an operator OFFLINE who has no session left to work in.
func signOff(tx Tx, tenant, operator ID) error {
	logins, err := tx.LoginsOf(tenant, operator)
	if err != nil || slices.ContainsFunc(logins, func(l Login) bool { return l.ExpiresAt > tx.Now() }) {
		return err
	}
	_, err = setPresence(tx, tenant, operator, PresenceOffline, "")
	return err
}

// signOffAbsent does so for everybody whose sessions have expired.
func (s *Service) signOffAbsent(ctx context.Context) error {
	for _, tenant := range s.Catalog().tenants {
		var list []Presence
		err := s.store.View(ctx, func(r Reader) (err error) {
			list, err = r.Presences(tenant.ID)
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range list {
			if p.Status == PresenceOffline {
				continue
			}
			if err := s.store.Update(ctx, PriorityBulk, func(tx Tx) error { return signOff(tx, tenant.ID, p.OperatorID) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// signOut ends all sessions of an operator.
func signOut(tx Tx, tenant, operator ID) error {
	if err := tx.DeleteLoginsOf(tenant, operator); err != nil {
		return err
	}
	return signOff(tx, tenant, operator)
}
