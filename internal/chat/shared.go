package chat

import "context"

// Shared returns the conversation that a read-only link shows. The token is
// the whole right, so there is no actor and no tenant. Errors: CodeNotFound.
func (s *Service) Shared(ctx context.Context, token string) (Listed, error) {
	var l Listed
	err := s.store.View(ctx, func(r Reader) error {
		c, err := r.ConversationByShareToken(token)
		if err != nil {
			return err
		}
		l, err = listed(r, *c)
		return err
	})
	return l, err
}
