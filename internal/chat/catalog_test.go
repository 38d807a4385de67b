package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// TestCatalog: what is looked up by id is looked up for a company; what is a
// caller's whole right is looked up as it is.
func TestCatalog(t *testing.T) {
	t.Parallel()
	const bubble = "1721129985149x478019552540622850"
	w := newWorld(t, func(s *chat.Setup) {
		s.Managers = []chat.Manager{{Name: "m"}}
		s.Tasks[0].Manager, s.Tasks[0].SelartiID = "m", bubble
		s.Operators[0].Email = "ann@acme"
	})
	cat, rival := w.Catalog(), w.Catalog().TenantByName("rival").ID
	shop := w.task("shop")
	for name, tt := range map[string]struct{ ours, theirs bool }{
		"task":       {cat.Task(w.tenant, shop.ID) == shop, cat.Task(rival, shop.ID) != nil},
		"Selarti":    {cat.TaskBySelartiID(w.tenant, bubble) == shop, cat.TaskBySelartiID(rival, bubble) != nil},
		"channel":    {cat.Channel(w.tenant, shop.Channel.ID) == shop.Channel, cat.Channel(rival, shop.Channel.ID) != nil},
		"bot":        {cat.Bot(w.tenant, shop.Stops[0].Bot.ID) == shop.Stops[0].Bot, cat.Bot(rival, shop.Stops[0].Bot.ID) != nil},
		"manager":    {cat.Manager(w.tenant, shop.Manager.ID) == shop.Manager, cat.Manager(rival, shop.Manager.ID) != nil},
		"operator":   {cat.Operator(w.tenant, w.operator("ann").ID) != nil, cat.Operator(rival, w.operator("ann").ID) != nil},
		"endpoint":   {has(cat.Endpoint(w.tenant, w.endpoint("all").ID)), has(cat.Endpoint(rival, w.endpoint("all").ID))},
		"tenant":     {cat.Tenant(w.tenant).Name == "acme", cat.Tenant(1<<40) != nil},
		"its e-mail": {cat.OperatorByLogin("ann@acme") == cat.OperatorByLogin("ann"), cat.OperatorByLogin("") != nil},
		"a token":    {cat.ChannelByToken("app").TenantID == w.tenant, cat.ChannelByToken("") != nil},
		"a UUID":     {cat.TaskByUUID(shop.UUID) == shop, cat.TaskByUUID("") != nil},
		"a key":      {cat.APIKeyByHash(chat.HashToken("k-bridge")) != nil, cat.APIKeyByHash(chat.HashToken("")) != nil},
	} {
		if !tt.ours || tt.theirs {
			t.Errorf("%s: found for its company %v, for another %v", name, tt.ours, tt.theirs)
		}
	}
	if n := len(cat.Operators()); n != 8 {
		t.Errorf("%d operators, want 8", n)
	}
}

func has(_ chat.Endpoint, ok bool) bool { return ok }

// TestSettingsOfAnotherProcess are taken over when they are asked for.
func TestSettingsOfAnotherProcess(t *testing.T) {
	t.Parallel()
	w := settled(t, hub.New())
	other, err := chat.New(w.ctx, chat.Options{Store: w.store, Bus: hub.New(), Waker: &wakes{}, Passwords: passwords{}, Bots: &directory{}})
	if err != nil {
		t.Fatal(err)
	}
	if other.Epoch() == "" || other.Epoch() != w.Epoch() {
		t.Errorf("the epochs are %q and %q", other.Epoch(), w.Epoch())
	}
	before := other.Catalog()
	if err := other.ReloadCatalog(w.ctx); err != nil || other.Catalog() != before {
		t.Errorf("without a change the settings were read again (%v)", err)
	}
	setup := company("acme", "")
	setup.Tags = []chat.Tag{{Name: "new"}}
	setup.Channels[0].Token = "changed"
	w.apply(t, setup)
	if err := other.ReloadCatalog(w.ctx); err != nil || other.Catalog().ChannelByToken("changed") == nil {
		t.Errorf("the change was not taken over (%v)", err)
	}
}

// TestEditOperator sets a password or bars him, for who runs the server.
func TestEditOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	short, long, yes, no := "1234567", "12345678", true, false
	wantCode(t, w.EditOperator(w.ctx, owner, "nobody", chat.OperatorEdit{}), chat.CodeNotFound)
	wantCode(t, w.EditOperator(w.ctx, owner, "ann", chat.OperatorEdit{Password: &short}), chat.CodeInvalid)
	can := func(password string) bool {
		t.Helper()
		_, _, err := w.Login(w.ctx, "ann", password, time.Hour)
		return err == nil
	}
	edit := func(e chat.OperatorEdit) {
		t.Helper()
		if err := w.EditOperator(w.ctx, owner, "ann", e); err != nil {
			t.Fatal(err)
		}
	}
	edit(chat.OperatorEdit{Password: &long})
	if can("ann's password") || !can(long) {
		t.Error("the new password does not count, or the old one still does")
	}
	edit(chat.OperatorEdit{Disabled: &yes})
	if can(long) {
		t.Error("who is barred may sign in")
	}
	edit(chat.OperatorEdit{Disabled: &no})
	if !can(long) {
		t.Error("barring changed the password")
	}
}
