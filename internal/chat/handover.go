package chat

import (
	"context"
	"encoding/json"
)

// Handover gives an open session that a bot owns to people, as the bot asks:
// session and version are those of the question it was asked. While nobody is
// there the bot may be told so instead (see Task). Errors: CodeForbidden when
// the bot does not own it any more.
func (s *Service) Handover(ctx context.Context, actor Actor, conversation, session ID, version int64, h Handover) error {
	return s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		if err := u.mayAnswer(session, version); err != nil {
			return err
		}
		return u.askPeople(&h, 0, nil)
	})
}

// BotFailed moves the session on along its route after a bot failed or stayed
// silent past its deadline: to the next bot, which is asked the same question,
// or to people. The log shows why. It settles the lane that asked. A session
// that has left the bot already is left alone.
func (s *Service) BotFailed(ctx context.Context, actor Actor, w *Work, settle Settlement) (*Lane, error) {
	var lane *Lane
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, w.Lane.ConversationID); err != nil {
			return err
		}
		if u.mayAnswer(w.Entry.SessionID, w.Entry.Version) == nil {
			if err := u.handOver(ReasonBotFailed, nil, w.Asked.MessageID, w.Asked.Seq); err != nil {
				return err
			}
		}
		var err error
		lane, err = u.settle(&settle)
		return err
	})
	return lane, err
}

// handOver takes the session from its bot. A bot that asks for people gets
// people; otherwise the session goes on along its route.
func (u *unit) handOver(reason string, h *Handover, causedBy ID, question int64) error {
	u.session.Tried = append(u.session.Tried, u.session.Owner.ID)
	to := Owner{Kind: OwnerQueue}
	if reason == ReasonBotFailed {
		to = u.nextOwner(u.session.Tried)
	}
	if err := u.changeOwner(to, reason, causedBy, question); err != nil {
		return err
	}
	if h == nil {
		return nil
	}
	wish, err := json.Marshal(h)
	if err != nil {
		return err
	}
	u.session.Wish = wish
	return u.SaveSession(u.session)
}
