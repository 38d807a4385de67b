package chat

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// distribute gives a conversation that waits in the queue to the READY operator
// with room who has the fewest, among equals to the one who was given one the
// longest ago; with nobody of that kind it goes on waiting. Routes by skills,
// units and segments come with the Threads dialect (specs/threads.md §5): here a
// bot's wish for persons binds and one for skills or units is a preference.
func (u *unit) distribute() error {
	if u.session == nil || u.session.Owner.Kind != OwnerQueue {
		return nil
	}
	// Where nobody is there nobody's row is locked: whoever becomes READY
	// meanwhile is found by RunDistribution.
	if ready, err := u.AnybodyReady(u.conv.TenantID); err != nil || !ready {
		return err
	}
	list, err := u.Presences(u.conv.TenantID)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Load += u.loads[list[i].OperatorID]
	}
	to := u.cat.choose(u.cat.free(u.conv.TenantID, list), u.session)
	if to == nil {
		return nil
	}
	u.actor = SystemActor(u.conv.TenantID)
	return u.changeOwner(Owner{Kind: OwnerOperator, ID: to.ID}, ReasonAssigned, 0, 0)
}

// candidate is an operator who may be given a conversation.
type candidate struct {
	*Operator
	Presence
	room int
}

// free lists the READY operators with room, the one whose turn it is first.
func (c *Catalog) free(tenant ID, list []Presence) []candidate {
	var free []candidate
	for _, p := range list {
		o := c.Operator(tenant, p.OperatorID)
		if o == nil || o.Disabled || p.Status != PresenceReady {
			continue
		}
		if room := o.room(p.Load); room > 0 {
			free = append(free, candidate{o, p, room})
		}
	}
	slices.SortFunc(free, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.Load, b.Load), cmp.Compare(a.AssignedAt, b.AssignedAt), cmp.Compare(a.OperatorID, b.OperatorID))
	})
	return free
}

// room is how many more conversations an operator with that load is given.
func (o *Operator) room(load int) int {
	if o.Capacity == nil {
		return math.MaxInt32
	}
	return *o.Capacity - load
}

// choose picks who is given a session: nobody but the persons its bot asked
// for, if any of them may work here; else somebody with a skill, or of a unit,
// that it asked for, when one is free; never who gave it back to the queue.
func (c *Catalog) choose(free []candidate, s *Session) *Operator {
	wish := s.wish()
	persons := c.named(s.TenantID, wish.Users)
	var first *Operator
	for _, f := range free {
		switch {
		case f.OperatorID == s.PassedBy || len(persons) > 0 && !slices.Contains(persons, f.OperatorID):
		case wish.prefers(f.Operator):
			return f.Operator
		case first == nil:
			first = f.Operator
		}
	}
	return first
}

// named are the operators of these logins or e-mails who may work here.
func (c *Catalog) named(tenant ID, logins []string) []ID {
	var ids []ID
	for _, login := range logins {
		if o := c.OperatorByLogin(login); o != nil && o.TenantID == tenant && !o.Disabled {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// prefers says whether the operator has what the first list asks for that has
// anything.
func (h *Handover) prefers(o *Operator) bool {
	if len(h.Skills) > 0 {
		return slices.ContainsFunc(o.Skills, func(skill string) bool { return slices.Contains(h.Skills, skill) })
	}
	return slices.Contains(h.Units, o.Unit)
}

// wish is what the bot asked for that gave the session to people.
func (s *Session) wish() Handover {
	var h Handover
	if len(s.Wish) > 0 {
		// It was encoded here; what could not be read would be no wish at all.
		_ = json.Unmarshal(s.Wish, &h)
	}
	return h
}

// shiftLoad counts that a session went from one owner to another.
func (u *unit) shiftLoad(from, to Owner) {
	if u.loads == nil {
		u.loads = map[ID]int{}
	}
	if from.Kind == OwnerOperator {
		u.loads[from.ID]--
	}
	if to.Kind == OwnerOperator {
		u.loads[to.ID]++
	}
}

// saveLoads writes what was counted, by rising operator id: the order in which
// their rows are locked.
func (u *unit) saveLoads() error {
	ids := make([]ID, 0, len(u.loads))
	for id, n := range u.loads {
		if n != 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		assigned := Micros(0)
		if u.loads[id] > 0 {
			assigned = u.now
		}
		if err := u.AddLoad(u.conv.TenantID, id, u.loads[id], assigned); err != nil {
			return err
		}
	}
	return nil
}

// frees says whether somebody may be given a conversation after this unit: an
// operator has fewer; or one waits, who may have missed an operator that became
// READY in another transaction.
func (u *unit) frees() bool {
	for _, n := range u.loads {
		if n < 0 {
			return true
		}
	}
	return u.queued && u.conv.Owner.Kind == OwnerQueue
}
