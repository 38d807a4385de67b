package chat

import "context"

// SetStatus reports how far a message of a bot or operator came. Statuses move
// forward only: an earlier one leaves the message as it is. It returns the
// status that holds afterwards (specs/chatapi.md §9). Errors: CodeInvalid for
// an unknown status, CodeNotFound, CodeForbidden for an API key that may not
// write messages.
func (s *Service) SetStatus(ctx context.Context, actor Actor, message ID, status Status) (Status, error) {
	if status.Rank() < 0 {
		return "", Invalid("status", "%q is not a status; use SENT, DELIVERED, READ or NOT_SENT", status)
	}
	if actor.Kind == ActorAPIKey {
		if err := actor.Require(ScopeMessagesWrite); err != nil {
			return "", err
		}
	}
	holds := status
	err := s.update(ctx, actor, func(u *unit) error {
		m, err := u.Message(actor.TenantID, message)
		if err != nil {
			return err
		}
		if err := u.load(actor.TenantID, m.ConversationID); err != nil {
			return err
		}
		if status.Rank() <= m.Status.Rank() {
			holds = m.Status
			return nil
		}
		if err := u.SetMessageStatus(actor.TenantID, message, status); err != nil {
			return err
		}
		holds = status
		_, err = u.append(Event{
			Kind: EventMessageStatus, MessageID: message, Author: u.author(), AuthorID: actor.ID,
			Data: EventData{Status: status},
		}, nil)
		return err
	})
	return holds, err
}
