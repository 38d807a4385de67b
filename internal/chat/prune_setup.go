package chat

import (
	"cmp"
	"slices"
)

// prune removes the settings of the documents' tenants that no document names.
func (a *applier) prune(setups []Setup) error {
	names := map[ID]string{}
	for i := range setups {
		names[a.tenants[setups[i].Tenant]] = setups[i].Tenant
	}
	for _, s := range a.unnamed() {
		name, ours := names[s.TenantID]
		if !ours {
			continue
		}
		if err := a.remove(s); err != nil {
			return err
		}
		a.applied = append(a.applied, Applied{Setting: s, Tenant: name, Change: ChangeRemoved})
	}
	return nil
}

// remove ends an operator's sessions too: his id may be given to somebody else.
func (a *applier) remove(s Setting) error {
	if s.Kind == KindOperator {
		if err := a.tx.DeleteLoginsOf(s.TenantID, s.ID); err != nil {
			return err
		}
	}
	delete(a.stored, nameKey{s.TenantID, s.Kind, s.Name})
	return a.tx.DeleteSetting(s.TenantID, s.Kind, s.ID)
}

// unnamed lists what no document names, in an order that stays.
func (a *applier) unnamed() []Setting {
	var list []Setting
	for key, s := range a.stored {
		if _, named := a.named[key]; !named {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Setting) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return list
}
