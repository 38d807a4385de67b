package chat

import "context"

// SetFlags sets (true) and clears (false) flags of a conversation by name. The
// flag operator is the handover itself: setting it moves an open session to
// people (to the operator who set it), clearing it gives it back to the bot.
// Errors: CodeInvalid naming an unknown flag, CodeNotFound, CodeConflict when
// there is no bot to give the session back to, or a colleague of an operator has
// it.
func (s *Service) SetFlags(ctx context.Context, actor Actor, conversation ID, flags map[string]bool) (*Conversation, error) {
	if err := actor.Require(ScopeConversations); err != nil {
		return nil, err
	}
	for name := range flags {
		if _, ok := FlagByName(name); !ok {
			return nil, Invalid(name, "there is no flag %q; the flags are success, get_contact, interest, close, operator and is_bot", name)
		}
	}
	var conv *Conversation
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		conv = u.conv
		for _, name := range flagNames { // in their order, not the map's
			if set, named := flags[name]; named {
				flag, _ := FlagByName(name)
				if err := u.setFlag(flag, set, 0); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return conv, err
}

// setFlag sets or clears a flag with what follows from it.
func (u *unit) setFlag(f Flags, set bool, causedBy ID) error {
	if f != FlagOperator || u.session == nil || u.session.Owner.People() == set {
		return u.markFlag(f, set, causedBy)
	}
	if !set {
		if err := u.notColleagues("return"); err != nil {
			return err
		}
		return u.returnToBot(ReasonFlag)
	}
	to := Owner{Kind: OwnerQueue}
	if u.actor.Kind == ActorOperator {
		to = Owner{Kind: OwnerOperator, ID: u.actor.ID}
	}
	return u.changeOwner(to, ReasonFlag, causedBy, 0)
}

// markFlag records one flag in the conversation and the log; a flag that is so
// already is left alone, so that each false→true is told once.
func (u *unit) markFlag(f Flags, set bool, causedBy ID) error {
	if u.conv.Flags.Has(f) == set {
		return nil
	}
	kind := EventFlagSet
	if set {
		u.conv.Flags |= f
	} else {
		u.conv.Flags &^= f
		kind = EventFlagCleared
	}
	if causedBy == 0 {
		causedBy = u.conv.LastMessageID
	}
	_, err := u.append(Event{
		Kind: kind, Author: u.author(), AuthorID: u.actor.ID,
		Data: EventData{
			Flag: f.Names()[0], CausedBy: causedBy,
			Title: u.client.Title(), Contacts: u.client.Contacts(),
		},
	}, nil)
	return err
}
