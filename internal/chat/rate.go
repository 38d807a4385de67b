package chat

import "context"

// Rate records the client's mark, 1 to 5, of a session. The latest mark holds.
// Errors: CodeInvalid, CodeNotFound, CodeForbidden for an API key that may not
// write messages.
func (s *Service) Rate(ctx context.Context, actor Actor, session ID, rating int, comment string) error {
	switch {
	case rating < 1 || rating > 5:
		return Invalid("rating", "%d is not a rating; use 1 to 5", rating)
	case len(comment) > MaxResult:
		return &Error{Code: CodeTooLarge, Field: "comment", Message: "the comment is over 4000 bytes"}
	}
	if actor.Kind == ActorAPIKey {
		if err := actor.Require(ScopeMessagesWrite); err != nil {
			return err
		}
	}
	return s.update(ctx, actor, func(u *unit) error {
		rated, err := u.Session(actor.TenantID, session)
		if err != nil {
			return err
		}
		if err := u.load(actor.TenantID, rated.ConversationID); err != nil {
			return err
		}
		if u.session != nil && u.session.ID == rated.ID {
			rated = u.session
		}
		rated.Rating, rated.Comment = rating, comment
		if err := u.SaveSession(rated); err != nil {
			return err
		}
		_, err = u.append(Event{
			Kind: EventSessionRated, SessionID: rated.ID, Author: u.author(), AuthorID: actor.ID,
			Data: EventData{Rating: rating, Comment: comment},
		}, nil)
		return err
	})
}
