package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// StartsAtOnce lets 200 clients write at once, through the core on every node of
// one database, where five operators have room for 35. All places are taken and
// none twice; the rest waits.
func StartsAtOnce(t *testing.T, nodes ...chat.Store) {
	const starts, operators, capacity = 200, 5, 7
	desks := make([]*chat.Service, len(nodes))
	for i, store := range nodes {
		desks[i] = openDesk(t, store)
	}
	tenant, task := setUpDesk(t, desks[0], operators, capacity)
	for _, desk := range desks {
		if err := desk.ReloadCatalog(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	noErrors(t, parallel(starts, func(i int) error {
		_, err := desks[i%len(desks)].ClientMessage(context.Background(), chat.SystemActor(tenant), chat.ClientMessage{
			Incoming: chat.Incoming{TaskID: task, ExternalID: fmt.Sprint("client-", i)}, Content: chat.Content{Text: "hello"},
		})
		return err
	}))
	checkDesk(t, nodes[0], tenant, map[chat.OwnerKind]int{
		chat.OwnerOperator: operators * capacity, chat.OwnerQueue: starts - operators*capacity,
	}, capacity)
}

// openDesk is the core over a store, with nothing around it.
func openDesk(t *testing.T, store chat.Store) *chat.Service {
	t.Helper()
	s, err := chat.New(context.Background(), chat.Options{
		Store: store, Bus: nothing{}, Waker: nothing{}, Passwords: nothing{}, Bots: nothing{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// setUpDesk makes a company whose only task goes to people, all of them READY.
func setUpDesk(t *testing.T, desk *chat.Service, operators, capacity int) (tenant, task chat.ID) {
	t.Helper()
	setup := chat.Setup{
		Tenant:   "people",
		Channels: []chat.Channel{{Name: "app", Kind: chat.ChannelChatAPI}},
		Tasks:    []chat.Task{{Name: "desk", Channel: "app", Route: chat.TaskRoute{Points: []chat.Point{{Anyone: true}}}}},
	}
	for i := range operators {
		setup.Operators = append(setup.Operators, chat.Operator{Login: fmt.Sprint("operator-", i), Role: chat.RoleOperator, Capacity: &capacity})
	}
	if _, err := desk.Apply(context.Background(), chat.Actor{Kind: chat.ActorAdmin}, []chat.Setup{setup}, chat.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	tenant = desk.Catalog().TenantByName("people").ID
	for _, o := range desk.Catalog().Operators() {
		actor := chat.Actor{Kind: chat.ActorOperator, TenantID: tenant, ID: o.ID, Role: o.Role}
		if _, err := desk.SetPresence(context.Background(), actor, chat.PresenceReady, ""); err != nil {
			t.Fatal(err)
		}
	}
	return tenant, desk.Catalog().Tasks(tenant)[0].ID
}

// checkDesk counts the conversations by owner, and holds what each operator has
// against his load and capacity.
func checkDesk(t *testing.T, store chat.Store, tenant chat.ID, want map[chat.OwnerKind]int, capacity int) {
	t.Helper()
	owners, has := map[chat.OwnerKind]int{}, map[chat.ID]int{}
	var loads []chat.Presence
	err := store.View(context.Background(), func(r chat.Reader) (err error) {
		clear(owners)
		clear(has)
		list, err := r.Conversations(tenant, chat.ConversationFilter{})
		if err != nil {
			return err
		}
		for _, c := range list {
			owners[c.Owner.Kind]++
			if c.Owner.Kind == chat.OwnerOperator {
				has[c.Owner.ID]++
			}
		}
		loads, err = r.Presences(tenant)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "conversations by owner", owners, want)
	for _, p := range loads {
		if p.Load != has[p.OperatorID] || p.Load > capacity {
			t.Errorf("operator %d has %d conversations, counted as %d; his capacity is %d", p.OperatorID, has[p.OperatorID], p.Load, capacity)
		}
	}
}

// nothing is all that the core needs around it and these tests don't.
type nothing struct{}

func (nothing) Publish(chat.Notice)                    {}
func (nothing) Subscribe(chat.Topic) chat.Subscription { return nothing{} }
func (nothing) C() <-chan chat.Notice                  { return nil }
func (nothing) Close()                                 {}
func (nothing) Wake([]chat.ID)                         {}
func (nothing) Available(*chat.Bot) bool               { return true }
func (nothing) Hash(password string) (string, error)   { return password, nil }
func (nothing) Matches(hash, password string) bool     { return hash == password }
