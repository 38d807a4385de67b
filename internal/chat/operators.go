package chat

import (
	"context"
	"encoding/json"
	"fmt"
)

// OperatorEdit changes an operator; nil fields stay.
type OperatorEdit struct {
	Password *string
	Disabled *bool
}

// EditOperator sets an operator's password or bars him. Either ends all his
// sessions and makes him OFFLINE; the conversations of one who is barred go back
// to the queue, soon. Errors: CodeForbidden, CodeNotFound, CodeInvalid.
func (s *Service) EditOperator(ctx context.Context, actor Actor, login string, edit OperatorEdit) error {
	if actor.Kind != ActorAdmin {
		return Errorf(CodeForbidden, "only the owner of the server may do this")
	}
	operator := s.Catalog().OperatorByLogin(login)
	if operator == nil {
		return Errorf(CodeNotFound, "there is no operator %q", login)
	}
	hash := "" // the password stays
	if edit.Password != nil {
		if len(*edit.Password) < 8 {
			return Invalid("password", "is shorter than 8 characters")
		}
		var err error
		if hash, err = s.passwords.Hash(*edit.Password); err != nil {
			return err
		}
	}
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		if err := tx.BumpSettings(); err != nil {
			return err
		}
		settings, err := tx.Settings()
		if err != nil {
			return err
		}
		for _, setting := range settings {
			if setting.Kind == KindOperator && setting.TenantID == operator.TenantID && setting.ID == operator.ID {
				return editOperator(tx, setting, hash, edit.Disabled)
			}
		}
		return Errorf(CodeNotFound, "there is no operator %q", login)
	})
	if err != nil {
		return err
	}
	defer s.freed.ring(everyTenant) // what he had may go to others
	return s.ReloadCatalog(ctx)
}

func editOperator(tx Tx, setting Setting, hash string, disabled *bool) error {
	o, err := stored[Operator](setting.Body, true)
	if err != nil {
		return fmt.Errorf("operator %q: %w", setting.Name, err)
	}
	if hash != "" {
		o.PasswordHash = hash
	}
	if disabled != nil {
		o.Disabled = *disabled
	}
	if setting.Body, err = json.Marshal(o); err != nil { //nolint:gosec // a stored operator has a hash; Password is empty
		return err
	}
	if err := tx.SaveSetting(&setting); err != nil {
		return err
	}
	return signOut(tx, setting.TenantID, setting.ID)
}
