package chat

import "fmt"

// check refuses, before the commit, what can only be seen over the whole
// installation: credentials and ids that must be unique, references to
// settings that were pruned.
func (a *applier) check(setups []Setup) error {
	used := map[string]string{} // credential → where
	for _, s := range a.stored {
		for _, credential := range credentials(s) {
			where := fmt.Sprintf("%s %q", s.Kind, s.Name)
			if other, taken := used[credential.key]; taken && other != where {
				a.place(setups, s, credential.field, "is used by %s too; it must be unique over the installation", other)
			}
			used[credential.key] = where
		}
	}
	if len(a.problems) > 0 {
		return &InvalidSetup{Problems: a.problems}
	}
	tenants, err := a.tx.Tenants()
	if err != nil {
		return err
	}
	settings, err := a.tx.Settings()
	if err != nil {
		return err
	}
	if _, err := NewCatalog(0, tenants, settings); err != nil {
		return Errorf(CodeConflict, "what is left would not work: %v", err)
	}
	return nil
}

type credential struct{ key, field string }

// credentials lists what must be unique over the installation.
func credentials(s Setting) []credential {
	names := nameIndex{}
	var list []credential
	add := func(space, value, field string) {
		if value != "" {
			list = append(list, credential{space + ":" + value, field})
		}
	}
	switch s.Kind {
	case KindChannel:
		if v, err := decode[Channel](&s, names); err == nil {
			add("channel", v.Token, "token")
		}
	case KindBot:
		if v, err := decode[Bot](&s, names); err == nil {
			add("bot", v.TokenHash, "token")
		}
	case KindAPIKey:
		if v, err := decode[APIKey](&s, names); err == nil {
			add("key", v.KeyHash, "key")
		}
	case KindOperator:
		if v, err := decode[Operator](&s, names); err == nil {
			add("operator", v.Login, "login")
			add("operator", v.Email, "email")
		}
	case KindTask:
		if v, err := decode[Task](&s, names); err == nil {
			add("task", v.UUID, "uuid")
			add("selarti", v.SelartiID, "selarti_id")
		}
	}
	return list
}

// place adds a problem where a document names the setting, or to the first
// document when none does.
func (a *applier) place(setups []Setup, s Setting, field, format string, args ...any) {
	for doc := range setups {
		if a.tenants[setups[doc].Tenant] != s.TenantID {
			continue
		}
		for _, item := range setups[doc].items() {
			if item.kind == s.Kind && item.name == s.Name {
				a.problem(doc, item, field, format, args...)
				return
			}
		}
	}
	a.problem(0, setupItem{path: fmt.Sprintf("%s %q", s.Kind, s.Name)}, field, format, args...)
}
