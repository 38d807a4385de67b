package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// HashToken is the form in which tokens and keys are stored and looked up.
// They are long and random, so that a plain hash is enough.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Login checks an operator's login (or e-mail) and password and opens a
// session of the given life. The token is shown here once and stored as a hash.
// Errors: CodeUnauthorized, the same for an unknown login, a wrong password and
// a disabled operator.
func (s *Service) Login(ctx context.Context, login, password string, life time.Duration) (token string, operator *Operator, err error) {
	operator = s.Catalog().OperatorByLogin(login)
	hash := ""
	if operator != nil && !operator.Disabled {
		hash = operator.PasswordHash
	}
	if !s.passwords.Matches(hash, password) { // an empty hash costs the same time and matches nothing
		return "", nil, Errorf(CodeUnauthorized, "wrong login or password")
	}
	token, err = s.randomHex(24)
	if err != nil {
		return "", nil, err
	}
	err = s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		now := tx.Now()
		return tx.AddLogin(&Login{
			TokenHash: HashToken(token), TenantID: operator.TenantID, OperatorID: operator.ID,
			CreatedAt: now, ExpiresAt: now.Add(life),
		})
	})
	return token, operator, err
}

// Logout ends the session of a token; an unknown one is no error. An operator
// without another session is OFFLINE from then on.
func (s *Service) Logout(ctx context.Context, token string) error {
	return s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		l, err := tx.Login(HashToken(token))
		if ErrorCode(err) == CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteLogin(l.TokenHash); err != nil {
			return err
		}
		return signOff(tx, l.TenantID, l.OperatorID)
	})
}

// OperatorByToken returns the operator behind a session token. Errors:
// CodeUnauthorized for an unknown or expired token and a disabled operator.
func (s *Service) OperatorByToken(ctx context.Context, token string) (*Operator, error) {
	var login *Login
	var now Micros
	err := s.store.View(ctx, func(r Reader) (err error) {
		now = r.Now()
		login, err = r.Login(HashToken(token))
		return err
	})
	if err != nil && ErrorCode(err) != CodeNotFound {
		return nil, err
	}
	if err != nil || login.ExpiresAt <= now {
		return nil, Errorf(CodeUnauthorized, "the session has ended; sign in again")
	}
	operator := s.Catalog().Operator(login.TenantID, login.OperatorID)
	if operator == nil || operator.Disabled {
		return nil, Errorf(CodeUnauthorized, "this operator may not sign in any more")
	}
	return operator, nil
}
