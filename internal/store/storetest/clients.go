package storetest

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func clientTests() map[string]func(*testing.T, *fixture) {
	full := func(id chat.ID) *chat.Client {
		return &chat.Client{
			ID: id, TenantID: ours, CreatedAt: 10, LastAt: 20,
			Profile:      map[string]string{"name": "Анна <a&b>", "phone": "+7"},
			Metadata:     map[string]any{"page": "https://shop.example/?a=1&b=2", "nested": map[string]any{"n": 1.5}},
			Segmentation: map[string]string{"tier": "gold"},
		}
	}
	return map[string]func(*testing.T, *fixture){
		"a client is kept whole and saved whole": func(t *testing.T, f *fixture) {
			c := full(7)
			f.update(func(tx chat.Tx) error { return tx.CreateClient(c) })
			equal(t, "created", read(f, func(r chat.Reader) (*chat.Client, error) { return r.Client(ours, 7) }), c)
			c.LastAt = 30
			c.Profile, c.Metadata, c.Segmentation = map[string]string{"name": "B"}, map[string]any{}, map[string]string{"tier": "lead"}
			f.update(func(tx chat.Tx) error { return tx.SaveClient(c) })
			equal(t, "saved", read(f, func(r chat.Reader) (*chat.Client, error) { return r.Client(ours, 7) }), c)
		},
		"maps that were never set can be added to": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error { return tx.CreateClient(&chat.Client{ID: 7, TenantID: ours}) })
			c := read(f, func(r chat.Reader) (*chat.Client, error) { return r.Client(ours, 7) })
			c.Profile["name"], c.Metadata["a"], c.Segmentation["b"] = "A", 1, "2"
		},
		"an unknown client is not found": func(t *testing.T, f *fixture) {
			f.missing("Client", func(r chat.Reader) error { _, err := r.Client(ours, 404); return err })
			f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SaveClient(full(404)) })
		},
		"the external ids of a client": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error {
				for _, e := range []chat.ExternalID{{Scope: channel, ExternalID: "b"}, {Scope: 0, ExternalID: "z"}, {Scope: channel, ExternalID: "a"}} {
					if err := tx.LinkExternalID(ours, e.Scope, e.ExternalID, 7); err != nil {
						return err
					}
				}
				return tx.LinkExternalID(ours, channel, "other", 8)
			})
			equal(t, "ids", read(f, func(r chat.Reader) ([]chat.ExternalID, error) { return r.ExternalIDs(ours, 7) }),
				[]chat.ExternalID{{ExternalID: "z"}, {Scope: channel, ExternalID: "a"}, {Scope: channel, ExternalID: "b"}})
		},
		"an external id names one client per scope": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error {
				for _, id := range []chat.ID{7, 8} {
					if err := tx.CreateClient(full(id)); err != nil {
						return err
					}
				}
				if err := tx.LinkExternalID(ours, channel, "user-1", 7); err != nil {
					return err
				}
				return tx.LinkExternalID(ours, 0, "user-1", 8)
			})
			by := func(scope chat.ID, external string) func(r chat.Reader) (*chat.Client, error) {
				return func(r chat.Reader) (*chat.Client, error) { return r.ClientByExternalID(ours, scope, external) }
			}
			equal(t, "of the channel", read(f, by(channel, "user-1")).ID, chat.ID(7))
			equal(t, "of the tenant", read(f, by(0, "user-1")).ID, chat.ID(8))
			f.missing("other id", func(r chat.Reader) error { _, err := by(channel, "user-2")(r); return err })
			f.missing("other case", func(r chat.Reader) error { _, err := by(channel, "USER-1")(r); return err })
			f.update(func(tx chat.Tx) error { return tx.LinkExternalID(ours, channel, "user-1", 7) })
			f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.LinkExternalID(ours, channel, "user-1", 8) })
			equal(t, "after a refused link", read(f, by(channel, "user-1")).ID, chat.ID(7))
		},
	}
}
