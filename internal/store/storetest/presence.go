package storetest

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func presenceTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"a status leaves the load, a load the status": presenceWhole,
		"a tenant's are listed by operator": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error {
				for _, p := range []chat.Presence{{TenantID: ours, OperatorID: 9}, {TenantID: theirs, OperatorID: 8}, {TenantID: ours, OperatorID: 7}} {
					p.Status = chat.PresenceReady
					if err := tx.SavePresence(&p); err != nil {
						return err
					}
				}
				return nil
			})
			list := read(f, func(r chat.Reader) ([]chat.Presence, error) { return r.Presences(ours) })
			equal(t, "operators", mapped(list, func(p chat.Presence) chat.ID { return p.OperatorID }), []chat.ID{7, 9})
		},
		"loads that change together are all counted": func(t *testing.T, f *fixture) {
			const each = 30
			noErrors(t, parallel(each, func(i int) error {
				return f.try(func(tx chat.Tx) error { return tx.AddLoad(ours, chat.ID(1+i%3), 1-2*(i/3%2), 0) })
			}))
			loads := read(f, func(r chat.Reader) ([]chat.Presence, error) { return r.Presences(ours) })
			equal(t, "loads", mapped(loads, func(p chat.Presence) int { return p.Load }), []int{0, 0, 0})
		},
		"the queue is in the order of coming": queueOrder,
		"tenants where somebody waits for nobody": func(t *testing.T, f *fixture) {
			waiting := func() []chat.ID {
				f.t.Helper()
				return read(f, func(r chat.Reader) ([]chat.ID, error) { return r.WaitingTenants() })
			}
			queued := &chat.Conversation{ID: 11, TenantID: ours, ClientID: 1, Owner: chat.Owner{Kind: chat.OwnerQueue}}
			f.update(func(tx chat.Tx) error { return tx.CreateConversation(queued) })
			equal(t, "with nobody there", len(waiting()), 0)
			for operator, status := range map[chat.ID]chat.PresenceStatus{1: chat.PresenceOutgoing, 2: chat.PresenceOffline} {
				f.update(func(tx chat.Tx) error {
					return tx.SavePresence(&chat.Presence{TenantID: ours, OperatorID: operator, Status: status})
				})
			}
			equal(t, "with nobody ready", len(waiting()), 0)
			equal(t, "anybody ready", read(f, func(r chat.Reader) (bool, error) { return r.AnybodyReady(ours) }), false)
			for operator := range chat.ID(3) {
				f.update(func(tx chat.Tx) error {
					return tx.SavePresence(&chat.Presence{TenantID: ours, OperatorID: 3 + operator, Status: chat.PresenceReady})
				})
			}
			equal(t, "with some ready", waiting(), []chat.ID{ours})
			equal(t, "anybody ready", read(f, func(r chat.Reader) (bool, error) { return r.AnybodyReady(ours) }), true)
			queued.Owner = chat.Owner{Kind: chat.OwnerOperator, ID: 3}
			f.update(func(tx chat.Tx) error { return tx.SaveConversation(queued) })
			equal(t, "with nothing that waits", len(waiting()), 0)
		},
		"200 starts at once exceed no capacity": func(t *testing.T, f *fixture) { StartsAtOnce(t, f.store) },
	}
}

func presenceWhole(t *testing.T, f *fixture) {
	get := func(r chat.Reader) (*chat.Presence, error) { return r.Presence(ours, 1) }
	f.missing("before", func(r chat.Reader) error { _, err := get(r); return err })
	f.update(func(tx chat.Tx) error { return tx.AddLoad(ours, 1, 2, 50) })
	want := &chat.Presence{TenantID: ours, OperatorID: 1, Status: chat.PresenceOffline, Load: 2, AssignedAt: 50}
	equal(t, "of one who was never there", read(f, get), want)

	want.Status, want.Reason, want.Since = chat.PresenceInactive, "обед", 60
	f.update(func(tx chat.Tx) error {
		return tx.SavePresence(&chat.Presence{TenantID: ours, OperatorID: 1, Status: want.Status, Reason: want.Reason, Since: 60, Load: 9, AssignedAt: 99})
	})
	equal(t, "with a status", read(f, get), want)

	want.Load, want.AssignedAt = 4, 70
	f.update(func(tx chat.Tx) error {
		for n, at := range map[int]chat.Micros{3: 70, -1: 0} {
			if err := tx.AddLoad(ours, 1, n, at); err != nil {
				return err
			}
		}
		return nil
	})
	equal(t, "with another load", read(f, get), want)

	want.Status, want.Reason, want.Since = chat.PresenceReady, "", 80
	f.update(func(tx chat.Tx) error { return tx.SavePresence(want) })
	equal(t, "with another status", read(f, get), want)
}

func queueOrder(t *testing.T, f *fixture) {
	f.update(func(tx chat.Tx) error {
		for id, c := range map[chat.ID]chat.Conversation{
			11: {OwnerSince: 30, Owner: chat.Owner{Kind: chat.OwnerQueue}},
			12: {OwnerSince: 20, Owner: chat.Owner{Kind: chat.OwnerQueue}},
			13: {OwnerSince: 10, Owner: chat.Owner{Kind: chat.OwnerOperator, ID: 1}},
			14: {OwnerSince: 20, Owner: chat.Owner{Kind: chat.OwnerQueue}},
			15: {OwnerSince: 5},
			16: {OwnerSince: 20, Owner: chat.Owner{Kind: chat.OwnerBot}},
		} {
			c.ID, c.TenantID, c.ClientID = id, ours, id
			if err := tx.CreateConversation(&c); err != nil {
				return err
			}
		}
		return nil
	})
	for name, c := range map[string]struct {
		after chat.QueuePlace
		limit int
		want  []chat.ID
	}{
		"all":               {chat.QueuePlace{}, 0, []chat.ID{12, 14, 11}},
		"the first":         {chat.QueuePlace{}, 1, []chat.ID{12}},
		"after one of two":  {chat.QueuePlace{Since: 20, ConversationID: 12}, 9, []chat.ID{14, 11}},
		"after both":        {chat.QueuePlace{Since: 20, ConversationID: 14}, 9, []chat.ID{11}},
		"after the last":    {chat.QueuePlace{Since: 30, ConversationID: 11}, 9, []chat.ID{}},
		"after who is gone": {chat.QueuePlace{Since: 25, ConversationID: 99}, 9, []chat.ID{11}},
	} {
		list := read(f, func(r chat.Reader) ([]chat.Conversation, error) { return r.Queue(ours, c.after, c.limit) })
		equal(t, name, mapped(list, func(c chat.Conversation) chat.ID { return c.ID }), c.want)
	}
}
