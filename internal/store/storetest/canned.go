package storetest

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func cannedTests() map[string]func(*testing.T, *fixture) {
	reply := func(id, operator chat.ID, shortcut string) *chat.CannedReply {
		return &chat.CannedReply{
			ID: id, TenantID: ours, OperatorID: operator, Shortcut: shortcut, Text: "Привет, <мир>", CreatedAt: 5, UpdatedAt: 6,
		}
	}
	all := func(r chat.Reader) ([]chat.CannedReply, error) { return r.CannedReplies(ours) }
	return map[string]func(*testing.T, *fixture){
		"canned replies come and go": func(t *testing.T, f *fixture) {
			own, shared := reply(12, 7, "hi"), reply(11, 0, "hi")
			f.update(func(tx chat.Tx) error {
				if err := tx.AddCannedReply(own); err != nil {
					return err
				}
				return tx.AddCannedReply(shared)
			})
			equal(t, "all", read(f, all), []chat.CannedReply{*shared, *own})
			own.OperatorID, own.Shortcut, own.Text, own.UpdatedAt = 0, "bye", "x", 9
			f.update(func(tx chat.Tx) error { return tx.SaveCannedReply(own) })
			equal(t, "one", read(f, func(r chat.Reader) (*chat.CannedReply, error) { return r.CannedReply(ours, 12) }), own)
			f.update(func(tx chat.Tx) error { return tx.DeleteCannedReply(ours, 11) })
			equal(t, "left", read(f, all), []chat.CannedReply{*own})
			f.missing("a deleted one", func(r chat.Reader) error { _, err := r.CannedReply(ours, 11); return err })
			f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.DeleteCannedReply(ours, 11) })
			f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SaveCannedReply(shared) })
		},
		"a shortcut is its owner's once": func(t *testing.T, f *fixture) {
			for _, c := range []*chat.CannedReply{reply(1, 7, "hi"), reply(2, 8, "hi"), reply(3, 7, "bye")} {
				f.update(func(tx chat.Tx) error { return tx.AddCannedReply(c) })
			}
			f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.AddCannedReply(reply(4, 7, "hi")) })
			f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveCannedReply(reply(3, 7, "hi")) })
			f.update(func(tx chat.Tx) error { return tx.SaveCannedReply(reply(1, 7, "hi")) })
		},
		"an operator's own go with him": func(t *testing.T, f *fixture) {
			for _, c := range []*chat.CannedReply{reply(1, 7, "a"), reply(2, 7, "b"), reply(3, 8, "a"), reply(4, 0, "a")} {
				f.update(func(tx chat.Tx) error { return tx.AddCannedReply(c) })
			}
			f.update(func(tx chat.Tx) error { return tx.DeleteCannedRepliesOf(ours, 7) })
			equal(t, "left", mapped(read(f, all), func(c chat.CannedReply) chat.ID { return c.ID }), []chat.ID{3, 4})
		},
	}
}
