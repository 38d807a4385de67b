package chat

import "context"

// EndedLogins tells which of the operators' session tokens open nothing any
// more: signed out, expired, barred, or ended by a new password. All are looked
// at in one reading. It is how connections that stay open notice, on whichever
// node the session ended.
func (s *Service) EndedLogins(ctx context.Context, tokens []string) ([]string, error) {
	var ended []string
	err := s.store.View(ctx, func(r Reader) error {
		ended = nil
		for _, token := range tokens {
			login, err := r.Login(HashToken(token))
			switch {
			case ErrorCode(err) == CodeNotFound:
				ended = append(ended, token)
				continue
			case err != nil:
				return err
			}
			o := s.Catalog().Operator(login.TenantID, login.OperatorID)
			if login.ExpiresAt <= r.Now() || o == nil || o.Disabled {
				ended = append(ended, token)
			}
		}
		return nil
	})
	return ended, err
}
