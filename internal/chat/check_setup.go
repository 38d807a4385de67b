package chat

// check refuses, before the commit, what can only be seen over the whole
// installation: credentials and ids that must be unique, references to
// settings that were pruned.
//
// A credential that two settings have is the problem of the later one, in the
// order of the documents; what no document names was there before.
func (a *applier) check(setups []Setup, documented []Applied) error {
	all := a.unnamed()
	for _, d := range documented {
		all = append(all, d.Setting)
	}
	used := map[string]nameKey{} // by credential
	for _, s := range all {
		key := nameKey{s.TenantID, s.Kind, s.Name}
		for _, c := range credentials(s) {
			other, taken := used[c.key]
			if !taken {
				used[c.key] = key
			} else if other != key {
				a.place(setups, key, c.field, "is used by %s %q of %s too; it must be unique over the installation",
					other.kind, other.name, a.tenantName(other.tenant))
			}
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

// place adds a problem where a document names the setting.
func (a *applier) place(setups []Setup, key nameKey, field, format string, args ...any) {
	doc := a.named[key]
	for _, item := range setups[doc].items() {
		if item.kind == key.kind && item.name == key.name {
			a.problem(doc, item, field, format, args...)
		}
	}
}

func (a *applier) tenantName(id ID) string {
	for name, known := range a.tenants {
		if known == id {
			return name
		}
	}
	return ""
}
