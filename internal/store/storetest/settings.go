package storetest

import (
	"encoding/json"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func settingTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"tenants, by id, with names of their own": func(t *testing.T, f *fixture) {
			a, b := chat.Tenant{ID: ours, Name: "ours", CreatedAt: 1}, chat.Tenant{ID: theirs, Name: "theirs", CreatedAt: 2}
			f.update(func(tx chat.Tx) error { return tx.CreateTenant(&b) })
			f.update(func(tx chat.Tx) error { return tx.CreateTenant(&a) })
			equal(t, "tenants", read(f, chat.Reader.Tenants), []chat.Tenant{a, b})
			f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.CreateTenant(&chat.Tenant{ID: 9, Name: "ours"}) })
		},
		"settings are replaced by tenant, kind and id": settingsReplaced,
		"the version rises with every bump": func(t *testing.T, f *fixture) {
			version := func() int64 { return read(f, chat.Reader.SettingsVersion) }
			first := version()
			noErrors(t, parallel(10, func(int) error { return f.try(chat.Tx.BumpSettings) }))
			equal(t, "after ten", version(), first+10)
			f.refused(chat.CodeClosed, func(tx chat.Tx) error {
				if err := tx.BumpSettings(); err != nil {
					return err
				}
				return chat.Errorf(chat.CodeClosed, "no")
			})
			equal(t, "after one that was taken back", version(), first+10)
		},
		"targets, each name once per task": func(t *testing.T, f *fixture) {
			add := func(task chat.ID, name string, at chat.Micros) {
				f.update(func(tx chat.Tx) error {
					return tx.AddTarget(&chat.Target{TenantID: ours, TaskID: task, Name: name, CreatedAt: at})
				})
			}
			add(task, "bella", 1)
			add(task, "anna", 2)
			add(task, "bella", 3)
			add(task+1, "carla", 4)
			list := read(f, func(r chat.Reader) ([]chat.Target, error) { return r.Targets(ours, task) })
			equal(t, "targets", list, []chat.Target{
				{TenantID: ours, TaskID: task, Name: "anna", CreatedAt: 2}, {TenantID: ours, TaskID: task, Name: "bella", CreatedAt: 1},
			})
		},
		"secrets are kept and replaced by name": func(t *testing.T, f *fixture) {
			get := func(r chat.Reader) ([]byte, error) { return r.Secret("signing") }
			f.missing("before", func(r chat.Reader) error { _, err := get(r); return err })
			for _, value := range [][]byte{{0, 255, 1}, []byte("text")} {
				f.update(func(tx chat.Tx) error { return tx.SaveSecret("signing", value) })
				equal(t, "secret", read(f, get), value)
			}
			f.update(func(tx chat.Tx) error { return tx.SaveSecret("signing", nil) })
			equal(t, "length of an empty secret", len(read(f, get)), 0)
		},
	}
}

func settingsReplaced(t *testing.T, f *fixture) {
	set := func(tenant chat.ID, kind chat.Kind, id chat.ID, name string) chat.Setting {
		return chat.Setting{ID: id, TenantID: tenant, Kind: kind, Name: name, Body: json.RawMessage(`{"name":"` + name + `"}`), CreatedAt: 5}
	}
	save := func(s chat.Setting) func(tx chat.Tx) error {
		return func(tx chat.Tx) error { return tx.SaveSetting(&s) }
	}
	list := []chat.Setting{
		set(ours, chat.KindTask, 1, "support"), set(ours, chat.KindBot, 2, "support"), set(theirs, chat.KindTask, 3, "support"),
		set(ours, chat.KindTag, 4, "vip"), set(ours, chat.KindSkill, 4, "english"),
	}
	for _, s := range list {
		f.update(save(s))
	}
	byID := read(f, chat.Reader.Settings)
	for i := range byID[1:] {
		if byID[i].ID > byID[i+1].ID {
			t.Fatalf("setting %d is listed before %d", byID[i].ID, byID[i+1].ID)
		}
	}
	equal(t, "settings", len(byID), len(list))

	f.refused(chat.CodeConflict, save(set(ours, chat.KindTask, 9, "support")))
	list[0].Name, list[0].Body = "sales", json.RawMessage(`{}`)
	f.update(save(list[0]))
	equal(t, "replaced", read(f, chat.Reader.Settings)[0], list[0])
	f.update(save(set(ours, chat.KindTask, 9, "support"))) // the name is free now

	f.update(func(tx chat.Tx) error { return tx.DeleteSetting(ours, chat.KindTag, 4) })
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.DeleteSetting(ours, chat.KindTag, 4) })
	left := mapped(read(f, chat.Reader.Settings), func(s chat.Setting) string { return string(s.Kind) + " " + s.Name })
	equal(t, "left", left, []string{"task sales", "bot support", "task support", "skill english", "task support"})
}
