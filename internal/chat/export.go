package chat

import (
	"context"
	"encoding/json"
	"fmt"
)

// Export returns the settings as documents that Apply takes, one per tenant in
// the order of their making, or the one of the tenant that is named; lists are
// in the order of the ids. Ids stay, and so do secrets that are kept readable;
// what is kept as a hash (API keys, tokens of bots, passwords) is left out, and
// so is what only the server knows.
//
// Errors: CodeForbidden; CodeNotFound.
func (s *Service) Export(ctx context.Context, actor Actor, tenant string) ([]Setup, error) {
	if actor.Kind != ActorAdmin {
		return nil, Errorf(CodeForbidden, "only the owner of the server may export its settings")
	}
	var setups []Setup
	err := s.store.View(ctx, func(r Reader) error {
		tenants, err := r.Tenants()
		if err != nil {
			return err
		}
		settings, err := r.Settings()
		if err != nil {
			return err
		}
		setups = nil
		for _, t := range tenants {
			if tenant != "" && t.Name != tenant {
				continue
			}
			setup := Setup{Tenant: t.Name}
			for i := range settings {
				if settings[i].TenantID != t.ID {
					continue
				}
				if err := setup.add(&settings[i]); err != nil {
					return fmt.Errorf("setting %s %q: %w", settings[i].Kind, settings[i].Name, err)
				}
			}
			setups = append(setups, setup)
		}
		return nil
	})
	if err == nil && tenant != "" && len(setups) == 0 {
		err = Errorf(CodeNotFound, "there is no tenant named %q", tenant)
	}
	return setups, err
}

// add puts a stored setting into the document.
func (s *Setup) add(stored *Setting) error {
	switch stored.Kind {
	case KindChannel:
		return exported(stored, &s.Channels, func(v *Channel) { v.ID = stored.ID })
	case KindBot:
		return exported(stored, &s.Bots, func(v *Bot) { v.ID, v.UUID, v.TokenHash = stored.ID, "", "" })
	case KindIntegration:
		return exported(stored, &s.Integrations, func(v *Integration) { v.ID, v.PreviousSecret, v.PreviousUntil = stored.ID, "", 0 })
	case KindManager:
		return exported(stored, &s.Managers, func(v *Manager) { v.ID = stored.ID })
	case KindUnit:
		return exported(stored, &s.Units, func(v *Unit) { v.ID = stored.ID })
	case KindSkill:
		return exported(stored, &s.Skills, func(v *Skill) { v.ID = stored.ID })
	case KindTag:
		return exported(stored, &s.Tags, func(v *Tag) { v.ID = stored.ID })
	case KindOperator:
		return exported(stored, &s.Operators, func(v *Operator) { v.ID, v.PasswordHash, v.Disabled = stored.ID, "", false })
	case KindSegment:
		return exported(stored, &s.Segments, func(v *Segment) { v.ID = stored.ID })
	case KindRoute:
		return exported(stored, &s.Routes, func(v *Route) { v.ID = stored.ID })
	case KindTask:
		return exported(stored, &s.Tasks, func(v *Task) { v.ID, v.CreatedAt = stored.ID, stored.CreatedAt })
	case KindAPIKey:
		return exported(stored, &s.APIKeys, func(v *APIKey) { v.ID, v.KeyHash = stored.ID, "" })
	}
	return fmt.Errorf("its kind is not one of the setup file")
}

// exported decodes a stored setting to the end of its list. turn makes it what
// a document says.
func exported[T any](stored *Setting, list *[]T, turn func(*T)) error {
	var v T
	if err := json.Unmarshal(stored.Body, &v); err != nil {
		return err
	}
	turn(&v)
	*list = append(*list, v)
	return nil
}
