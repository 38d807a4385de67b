package chat

import "context"

// Return gives a session that people own back to the bot of its route. A
// return by hand lifts the rule that a bot gets a session only once
// (specs/threads.md §5.2). Errors: CodeConflict when no session is open, when a
// colleague of an operator has it (the message names him) or the task has no bot
// that can be asked.
func (s *Service) Return(ctx context.Context, actor Actor, conversation ID) (*Conversation, error) {
	return s.change(ctx, actor, conversation, func(u *unit) error {
		if u.session == nil {
			if u.conv.Flags.Has(FlagOperator) {
				return u.markFlag(FlagOperator, false, 0)
			}
			return Errorf(CodeConflict, "no session is open; the bot gets the next message by itself")
		}
		if !u.session.Owner.People() {
			return nil
		}
		if err := u.notColleagues("return"); err != nil {
			return err
		}
		return u.returnToBot(ReasonReturned)
	})
}

func (u *unit) returnToBot(reason string) error {
	u.session.Tried, u.session.Wish = nil, nil
	to := u.nextOwner(nil)
	if to.Kind != OwnerBot {
		return Errorf(CodeConflict, "the task %q has no bot that could take the conversation now", u.task.Name)
	}
	return u.changeOwner(to, reason, 0, 0)
}
