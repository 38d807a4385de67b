package chat

import "context"

// MaxResult is the longest result of a session, in bytes.
const MaxResult = 4000

// Close ends the open session with a result in the operator's words. The
// client's next message opens a new one. On a Chat API channel an operator who
// closes what a bot gave to people ends only their part of it: the same session
// goes back to that bot, if it can be asked, which is told (specs/chatapi.md
// §8). Errors: CodeConflict when none is open, or when a colleague of an operator
// has it (the message names him).
func (s *Service) Close(ctx context.Context, actor Actor, conversation ID, result string) (*Conversation, error) {
	if len(result) > MaxResult {
		return nil, &Error{Code: CodeTooLarge, Field: "result", Message: "the result is over 4000 bytes"}
	}
	return s.change(ctx, actor, conversation, func(u *unit) error {
		if u.session == nil {
			return Errorf(CodeConflict, "no session is open")
		}
		if err := u.notColleagues("close"); err != nil {
			return err
		}
		if bot := u.giver(); bot != nil && actor.Kind == ActorOperator && u.task.Channel.Kind == ChannelChatAPI {
			return u.finishLivechat(bot, result)
		}
		return u.closeSession(ReasonClosed, result)
	})
}
