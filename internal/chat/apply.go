package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// ApplyOptions say how a setup is brought in.
type ApplyOptions struct {
	Prune          bool // remove settings of the tenants that no document names
	ResetPasswords bool // set the passwords of operators that exist already
}

// Applied is what Apply made of one setting. Secret is a token or key that was
// generated or given and is stored as a hash only: it is shown here once.
type Applied struct {
	Setting
	Tenant string
	Change Change
	Secret string
}

// Change is what happened to a setting.
type Change string

// The changes.
const (
	ChangeCreated   Change = "created"
	ChangeUpdated   Change = "updated"
	ChangeUnchanged Change = "unchanged"
	ChangeRemoved   Change = "removed"
)

// InvalidSetup is returned by Apply when documents are wrong: the problems by
// document. Nothing was changed.
type InvalidSetup struct {
	Problems map[int][]Problem
}

// Error lists the problems.
func (e *InvalidSetup) Error() string {
	text := "the setup is not valid:"
	for _, doc := range slices.Sorted(maps.Keys(e.Problems)) {
		for _, p := range e.Problems[doc] {
			text += fmt.Sprintf("\n  document %d: %s: %s", doc+1, p.Path, p.Message)
		}
	}
	return text
}

// Apply makes the settings match the documents: by name, atomically, and again
// without a change the second time (specs/setup.md). It returns every setting
// named, in the order of the documents, then those that were removed.
//
// Errors: *InvalidSetup; CodeForbidden.
func (s *Service) Apply(ctx context.Context, actor Actor, setups []Setup, o ApplyOptions) ([]Applied, error) {
	if actor.Kind != ActorAdmin {
		return nil, Errorf(CodeForbidden, "only the owner of the server may apply a setup")
	}
	invalid := &InvalidSetup{Problems: map[int][]Problem{}}
	for i := range setups {
		if problems := setups[i].Validate(); len(problems) > 0 {
			invalid.Problems[i] = problems
		}
	}
	if len(invalid.Problems) > 0 {
		return nil, invalid
	}
	hashes, err := s.hashPasswords(setups)
	if err != nil {
		return nil, err
	}
	var applied []Applied
	err = s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		a := applier{tx: tx, s: s, options: o, hashes: hashes, problems: map[int][]Problem{}}
		if err := a.run(setups); err != nil {
			return err
		}
		applied = a.applied
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer s.freed.ring(everyTenant) // capacities and operators may be others now
	return applied, s.ReloadCatalog(ctx)
}

// hashPasswords does the slow hashing outside the transaction.
func (s *Service) hashPasswords(setups []Setup) (map[string]string, error) {
	hashes := map[string]string{}
	for _, setup := range setups {
		for _, o := range setup.Operators {
			if o.Password == "" {
				continue
			}
			hash, err := s.passwords.Hash(o.Password)
			if err != nil {
				return nil, err
			}
			hashes[o.Login] = hash
		}
	}
	return hashes, nil
}

// applier is one run of Apply inside its transaction.
type applier struct {
	tx       Tx
	s        *Service
	options  ApplyOptions
	hashes   map[string]string
	stored   map[nameKey]Setting
	taken    map[takenID]nameKey
	tenants  map[string]ID
	named    map[nameKey]int // the document that names a setting
	applied  []Applied
	problems map[int][]Problem
}

func (a *applier) run(setups []Setup) error {
	if err := a.tx.BumpSettings(); err != nil { // holds off every other apply
		return err
	}
	if err := a.load(); err != nil {
		return err
	}
	for i := range setups {
		if err := a.document(i, &setups[i]); err != nil {
			return err
		}
	}
	if len(a.problems) > 0 {
		return &InvalidSetup{Problems: a.problems}
	}
	documented := a.applied
	if a.options.Prune {
		if err := a.prune(setups); err != nil {
			return err
		}
	}
	return a.check(setups, documented)
}

// takenID is where an id must be unique: people and what describes them keep
// the numbers an existing integration knows them by, each kind its own; all
// else shares one space over the installation.
type takenID struct {
	tenant ID
	kind   Kind
	id     ID
}

func idSpace(key nameKey, id ID) takenID {
	switch key.kind {
	case KindOperator, KindUnit, KindSkill, KindTag:
		return takenID{key.tenant, key.kind, id}
	}
	return takenID{id: id}
}

func (a *applier) load() error {
	settings, err := a.tx.Settings()
	if err != nil {
		return err
	}
	tenants, err := a.tx.Tenants()
	if err != nil {
		return err
	}
	a.stored, a.taken, a.tenants, a.named = map[nameKey]Setting{}, map[takenID]nameKey{}, map[string]ID{}, map[nameKey]int{}
	for _, s := range settings {
		key := nameKey{s.TenantID, s.Kind, s.Name}
		a.stored[key], a.taken[idSpace(key, s.ID)] = s, key
	}
	for _, t := range tenants {
		a.tenants[t.Name] = t.ID
	}
	return nil
}

// document applies one document.
func (a *applier) document(doc int, setup *Setup) error {
	tenant, err := a.tenant(setup.Tenant)
	if err != nil {
		return err
	}
	for _, item := range setup.items() {
		key := nameKey{tenant, item.kind, item.name}
		if other, twice := a.named[key]; twice {
			a.problem(doc, item, "", "%s %q is set up in document %d too; keep one of the two", key.kind, key.name, other+1)
			continue
		}
		a.named[key] = doc
		if err := a.item(doc, setup.Tenant, key, item); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) tenant(name string) (ID, error) {
	if id, ok := a.tenants[name]; ok {
		return id, nil
	}
	id, err := a.tx.NextID()
	if err != nil {
		return 0, err
	}
	a.tenants[name] = id
	return id, a.tx.CreateTenant(&Tenant{ID: id, Name: name, CreatedAt: a.tx.Now()})
}

// item creates or updates one setting.
func (a *applier) item(doc int, tenant string, key nameKey, item setupItem) error {
	old, known := a.stored[key]
	wanted := item.given
	if wanted != 0 && known && old.ID != wanted {
		a.problem(doc, item, "id", "the setting has the id %d already; ids don't change", old.ID)
		return nil
	}
	if other, taken := a.taken[idSpace(key, wanted)]; taken && !known && wanted != 0 {
		a.problem(doc, item, "id", "the id %d belongs to %s %q", wanted, other.kind, other.name)
		return nil
	}
	secret, err := a.complete(item, key, old, known)
	if err != nil {
		return err
	}
	body, err := json.Marshal(item.value)
	if err != nil {
		return err
	}
	setting := Setting{ID: old.ID, TenantID: key.tenant, Kind: key.kind, Name: key.name, Body: body, CreatedAt: old.CreatedAt}
	change := ChangeUpdated
	switch {
	case !known:
		change = ChangeCreated
		if err = a.create(&setting, wanted); err != nil {
			return err
		}
	case sameJSON(old.Body, body):
		change = ChangeUnchanged
	}
	if change != ChangeUnchanged {
		if err := a.tx.SaveSetting(&setting); err != nil {
			return err
		}
		a.stored[key], a.taken[idSpace(key, setting.ID)] = setting, key
	}
	a.applied = append(a.applied, Applied{Setting: setting, Tenant: tenant, Change: change, Secret: secret})
	return nil
}

// create gives a new setting its id. A task that comes back under its old one
// has its operators' conversations again.
func (a *applier) create(s *Setting, wanted ID) (err error) {
	if s.ID, err = a.newID(nameKey{s.TenantID, s.Kind, s.Name}, wanted); err != nil {
		return err
	}
	s.CreatedAt = a.tx.Now()
	if s.Kind == KindTask && wanted != 0 {
		return a.countTask(s.TenantID, wanted, 1)
	}
	return nil
}

func (a *applier) newID(key nameKey, wanted ID) (ID, error) {
	if wanted != 0 {
		return wanted, nil
	}
	for {
		id, err := a.tx.NextID()
		if err != nil {
			return 0, err
		}
		if _, taken := a.taken[idSpace(key, id)]; !taken {
			return id, nil
		}
	}
}

func (a *applier) problem(doc int, item setupItem, field, format string, args ...any) {
	path := item.path
	if field != "" {
		path += "." + field
	}
	a.problems[doc] = append(a.problems[doc], Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func sameJSON(a, b []byte) bool {
	var va, vb any
	if json.Unmarshal(a, &va) != nil || json.Unmarshal(b, &vb) != nil {
		return false
	}
	return reflect.DeepEqual(va, vb)
}
