package chat

import (
	"cmp"
	"maps"
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

// remove ends an operator's sessions too, and forgets his canned replies: his id
// may be given to somebody else.
// What nobody can reach any more counts for nobody.
func (a *applier) remove(s Setting) error {
	switch s.Kind {
	case KindOperator:
		if err := a.tx.DeleteCannedRepliesOf(s.TenantID, s.ID); err != nil {
			return err
		}
		if err := signOut(a.tx, s.TenantID, s.ID); err != nil {
			return err
		}
	case KindTask:
		if err := a.countTask(s.TenantID, s.ID, -1); err != nil {
			return err
		}
	}
	delete(a.stored, nameKey{s.TenantID, s.Kind, s.Name})
	return a.tx.DeleteSetting(s.TenantID, s.Kind, s.ID)
}

// countTask takes the open sessions of a task out of the loads of operators
// (sign -1), or puts them back in when a task returns under its old id (+1).
func (a *applier) countTask(tenant, task ID, sign int) error {
	held, err := a.tx.Conversations(tenant, ConversationFilter{TaskID: task, Owner: Owner{Kind: OwnerOperator}})
	if err != nil {
		return err
	}
	loads := map[ID]int{}
	for _, c := range held {
		loads[c.Owner.ID] += sign
	}
	for _, operator := range slices.Sorted(maps.Keys(loads)) {
		if err := a.tx.AddLoad(tenant, operator, loads[operator], 0); err != nil {
			return err
		}
	}
	return nil
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
