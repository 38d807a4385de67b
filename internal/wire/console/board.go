package console

import (
	"context"

	"github.com/tolmach/tolmach/internal/chat"
)

// board tells the open connections of a company of what its operators are up
// to: who is ready, and how many conversations he has.
type board struct {
	api   *API
	known map[chat.ID]map[chat.ID]chat.Presence // by tenant and operator
}

func newBoard(a *API) *board { return &board{api: a, known: map[chat.ID]map[chat.ID]chat.Presence{}} }

// look compares what is with what was, company by company. At the first look all
// is news: a page may have asked before it.
func (b *board) look(ctx context.Context) error {
	watching := map[chat.ID][]*watcher{}
	for _, v := range b.api.watchers.list(func(*watcher) bool { return true }) {
		watching[v.actor.TenantID] = append(watching[v.actor.TenantID], v)
	}
	for tenant := range b.known {
		if watching[tenant] == nil {
			delete(b.known, tenant)
		}
	}
	for tenant, watchers := range watching {
		list, err := b.api.Service.Presences(ctx, chat.SystemActor(tenant))
		if err != nil {
			return err
		}
		b.tell(tenant, list, watchers)
	}
	return nil
}

func (b *board) tell(tenant chat.ID, list []chat.Presence, watchers []*watcher) {
	before := b.known[tenant]
	now := make(map[chat.ID]chat.Presence, len(list))
	for _, p := range list {
		now[p.OperatorID] = p
		o := b.api.Service.Catalog().Operator(tenant, p.OperatorID)
		if before[p.OperatorID] == p || o == nil {
			continue
		}
		message := encode(presenceMessage{"presence", colleague{*newOperator(o), *newPresence(o, p)}})
		for _, v := range watchers {
			v.note(message)
		}
	}
	b.known[tenant] = now
}
