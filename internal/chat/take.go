package chat

import "context"

// Take gives the conversation to the operator who asks, opening a session when
// none is open. Errors: CodeConflict naming the operator who has it already; a
// supervisor or admin may take it from him.
func (s *Service) Take(ctx context.Context, actor Actor, conversation ID) (*Conversation, error) {
	if actor.Kind != ActorOperator {
		return nil, Errorf(CodeForbidden, "only an operator may take a conversation")
	}
	return s.change(ctx, actor, conversation, (*unit).take)
}

// take makes the acting operator the owner.
func (u *unit) take() error {
	me := Owner{Kind: OwnerOperator, ID: u.actor.ID}
	if u.session != nil && u.idle() {
		if err := u.closeSession(ReasonExpired, ""); err != nil {
			return err
		}
	}
	if u.session == nil {
		return u.openSession(me)
	}
	has := u.session.Owner
	if has.Kind == OwnerOperator && has != me && u.actor.Role == RoleOperator {
		return Errorf(CodeConflict, "%s has this conversation; ask for a transfer", u.operatorName(has.ID))
	}
	return u.changeOwner(me, ReasonTaken, 0, 0)
}

// notColleagues refuses a plain operator what only the owner of the session, or a
// supervisor, may do to it.
func (u *unit) notColleagues(deed string) error {
	has := u.session.Owner
	if u.actor.Kind != ActorOperator || u.actor.Role != RoleOperator || has.Kind != OwnerOperator || has.ID == u.actor.ID {
		return nil
	}
	return Errorf(CodeConflict, "%s has this conversation; only the owner or a supervisor may %s it", u.operatorName(has.ID), deed)
}

func (u *unit) operatorName(id ID) string {
	if o := u.cat.Operator(u.conv.TenantID, id); o != nil {
		return o.DisplayName()
	}
	return "an operator who was removed"
}

// change runs a use case on one conversation that its reader may work with and
// returns the conversation as it is afterwards.
func (s *Service) change(ctx context.Context, actor Actor, conversation ID, do func(u *unit) error) (*Conversation, error) {
	if err := actor.Require(ScopeConversations); err != nil {
		return nil, err
	}
	var conv *Conversation
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		conv = u.conv
		return do(u)
	})
	return conv, err
}
