package chat

import "context"

// Transfer says who gets a conversation: one operator, or the queue.
type Transfer struct {
	Operator ID
	Queue    bool
}

// Transfer gives an open session away: to a colleague, whatever his status, or
// back to the queue, where anybody but the operator who had it is given it. Its
// owner may, for one that waits in the queue any operator, and for every one a
// supervisor, an admin and an API key; these may also exceed the capacity of
// who gets it.
//
// Errors: CodeMissing or CodeInvalid unless exactly one is named; CodeNotFound
// for an operator who isn't there or is disabled; CodeConflict when no session
// is open, when another operator has it (the message names him) or the one who
// would get it has no room; CodeForbidden.
func (s *Service) Transfer(ctx context.Context, actor Actor, conversation ID, to Transfer) (*Conversation, error) {
	switch {
	case to.Operator == 0 && !to.Queue:
		return nil, &Error{Code: CodeMissing, Field: "operator", Message: "say who gets the conversation: an operator, or the queue"}
	case to.Operator != 0 && to.Queue:
		return nil, Invalid("operator", "and queue are both given; give one of the two")
	}
	return s.change(ctx, actor, conversation, func(u *unit) error {
		if err := u.mayTransfer(); err != nil {
			return err
		}
		if to.Queue {
			return u.backToQueue()
		}
		return u.giveTo(to.Operator)
	})
}

// mayTransfer refuses an operator who has no say over the session.
func (u *unit) mayTransfer() error {
	if u.session == nil {
		return Errorf(CodeConflict, "no session is open; the client's next message opens one")
	}
	has := u.session.Owner
	if u.actor.Role != RoleOperator || u.actor.Kind != ActorOperator {
		return nil
	}
	switch has.Kind {
	case OwnerBot:
		return Errorf(CodeForbidden, "a bot has this conversation; take it first")
	case OwnerOperator:
		if has.ID != u.actor.ID {
			return Errorf(CodeConflict, "%s has this conversation; only the owner or a supervisor may transfer it", u.operatorName(has.ID))
		}
	}
	return nil
}

func (u *unit) backToQueue() error {
	if u.session.Owner.Kind == OwnerOperator {
		u.session.PassedBy = u.session.Owner.ID
	}
	return u.changeOwner(Owner{Kind: OwnerQueue}, ReasonTransferred, 0, 0)
}

func (u *unit) giveTo(operator ID) error {
	o := u.cat.Operator(u.conv.TenantID, operator)
	if o == nil || o.Disabled {
		return &Error{Code: CodeNotFound, Field: "operator", Message: "there is no such operator"}
	}
	to := Owner{Kind: OwnerOperator, ID: operator}
	if u.actor.Kind == ActorOperator && u.actor.Role == RoleOperator && to != u.session.Owner {
		if err := u.hasRoom(o); err != nil {
			return err
		}
	}
	return u.changeOwner(to, ReasonTransferred, 0, 0)
}

// hasRoom refuses an operator who has as many as he may. It locks everybody's
// row, in the one order in which they are locked: his load and that of who had
// the conversation change next.
func (u *unit) hasRoom(o *Operator) error {
	list, err := u.Presences(u.conv.TenantID)
	if err != nil {
		return err
	}
	load := 0
	for _, p := range list {
		if p.OperatorID == o.ID {
			load = p.Load
		}
	}
	if o.room(load) <= 0 {
		return Errorf(CodeConflict, "%s has no room: %d of %d conversations; ask a supervisor", o.DisplayName(), load, *o.Capacity)
	}
	return nil
}
