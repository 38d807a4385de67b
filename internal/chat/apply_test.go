package chat_test

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/setupfile"
	"github.com/tolmach/tolmach/internal/hub"
)

// example is the example of the setup file, as it is parsed.
func example(t *testing.T) chat.Setup {
	t.Helper()
	setups, _, err := setupfile.Load("testdata/setup.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return setups[0]
}

// find returns what was made of one setting.
func find(t *testing.T, applied []chat.Applied, kind chat.Kind, name string) chat.Applied {
	t.Helper()
	for _, a := range applied {
		if a.Kind == kind && a.Name == name {
			return a
		}
	}
	t.Fatalf("nothing was made of %s %q", kind, name)
	return chat.Applied{}
}

// changes counts what happened.
func changes(applied []chat.Applied) map[chat.Change]int {
	n := map[chat.Change]int{}
	for _, a := range applied {
		n[a.Change]++
	}
	return n
}

// TestApplyTheExample makes everything the example names, and nothing the
// second time.
func TestApplyTheExample(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t, hub.New())
	first := w.apply(t, example(t))
	if got, want := changes(first), (map[chat.Change]int{chat.ChangeCreated: 21}); !reflect.DeepEqual(got, want) {
		t.Errorf("the first time made %v, want %v", got, want)
	}
	w.tenant = w.Catalog().TenantByName("local").ID
	cat := w.Catalog()
	messenger := cat.Channel(w.tenant, find(t, first, chat.KindChannel, "messenger").ID)
	if !regexp.MustCompile(`^[A-Za-z]{8}:[0-9a-f]{40}$`).MatchString(messenger.Token) || cat.ChannelByToken(messenger.Token) != messenger {
		t.Errorf("a generated token is %q", messenger.Token)
	}
	if c := cat.ChannelByToken("support-token-1"); c == nil || c.Name != "support-app" || c.ChannelType != "MOBILE" {
		t.Errorf("the token of support-app finds %+v", c)
	}
	external := find(t, first, chat.KindBot, "external")
	if external.Secret != "bot-secret-1" || cat.Bot(w.tenant, external.ID).TokenHash != chat.HashToken("bot-secret-1") ||
		cat.Bot(w.tenant, external.ID).Token != "" {
		t.Errorf("the token of the external bot is %q, kept as %+v", external.Secret, cat.Bot(w.tenant, external.ID))
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if id := cat.Bot(w.tenant, find(t, first, chat.KindBot, "demo").ID).UUID; !uuid.MatchString(id) {
		t.Errorf("the UUID of a bot is %q", id)
	}
	if id := w.task("shop").UUID; !uuid.MatchString(id) || cat.TaskByUUID(id) != w.task("shop") {
		t.Errorf("the UUID of a task is %q", id)
	}
	if got := cat.TaskByUUID("5f0c2b1e-8a57-4d0b-9c3e-2b6a1f4d7e90"); got != w.task("site") {
		t.Errorf("the given UUID finds %+v", got)
	}
	key := find(t, first, chat.KindAPIKey, "bridge")
	if k := cat.APIKeyByHash(chat.HashToken("k-demo")); key.Secret != "k-demo" || k == nil || k.Key != "" || cat.APIKey(k.ID) != k {
		t.Errorf("the key is %q, kept as %+v", key.Secret, k)
	}
	if task := w.task("shop"); task.Channel != messenger || task.Manager.Name != "Virtual sales" || len(task.Integrations) != 1 ||
		len(task.Stops) != 2 || task.Stops[0].Bot.Name != "demo" || !task.Stops[1].Anyone {
		t.Errorf("the task shop is bound as %+v", task)
	}
	if _, _, err := w.Login(w.ctx, "ann", "correct-horse-1", time.Hour); err != nil {
		t.Error(err)
	}
	k := w.talk(t, "shop")
	if _, err := w.ClientMessage(w.ctx, w.key("k-demo"), keyed(k, "", "hi")); err != nil {
		t.Error(err)
	}

	w.clock.advance(time.Hour)
	second := w.apply(t, example(t))
	for i := range first {
		want := first[i]
		want.Change = chat.ChangeUnchanged
		if second[i].Body, want.Body = nil, nil; !reflect.DeepEqual(second[i], want) {
			t.Errorf("the second time made %+v, want %+v", second[i], want)
		}
	}
	if got := w.Catalog().Channel(w.tenant, messenger.ID); got.Token != messenger.Token || got.CreatedAt != messenger.CreatedAt {
		t.Errorf("the second time changed %+v to %+v", messenger, got)
	}
}

// TestApplyKeeps: an update keeps ids, and what the document leaves out of
// tokens, UUIDs and passwords; what it gives it changes.
func TestApplyKeeps(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t, hub.New())
	setup := company("acme", "")
	setup.Channels[0].Token = ""
	setup.Bots = append(setup.Bots, chat.Bot{Name: "outside", Kind: chat.BotWebhook, MessageURL: "http://a/b"})
	setup.APIKeys = append(setup.APIKeys, chat.APIKey{Name: "made", Scopes: chat.Scopes()})
	first := w.apply(t, setup)
	tenant := w.Catalog().TenantByName("acme").ID
	channel := w.Catalog().Channel(tenant, find(t, first, chat.KindChannel, "messenger").ID)
	bot, key := find(t, first, chat.KindBot, "outside"), find(t, first, chat.KindAPIKey, "made")
	if len(bot.Secret) != 48 || len(key.Secret) != 48 {
		t.Errorf("generated were the token %q and the key %q, want 192 random bits each", bot.Secret, key.Secret)
	}

	setup.Channels[0].BlockInput = true
	setup.Bots[2].Concat = true
	setup.APIKeys[2].Scopes = []string{chat.ScopeSettings}
	setup.Tasks[0].Work = "incoming"
	setup.Operators[0].Name, setup.Operators[0].Password = "Anna", "another password"
	second := w.apply(t, setup)
	if got, want := changes(second), (map[chat.Change]int{chat.ChangeUpdated: 5, chat.ChangeUnchanged: len(first) - 5}); !reflect.DeepEqual(got, want) {
		t.Errorf("the update made %v, want %v", got, want)
	}
	for i := range second {
		if second[i].ID != first[i].ID || second[i].CreatedAt != first[i].CreatedAt {
			t.Errorf("the update made %+v of %+v", second[i], first[i])
		}
	}
	cat := w.Catalog()
	if c := cat.Channel(tenant, channel.ID); c.Token != channel.Token || !c.BlockInput {
		t.Errorf("the channel is %+v, was %+v", c, channel)
	}
	if b := cat.Bot(tenant, bot.ID); b.TokenHash != chat.HashToken(bot.Secret) || !b.Concat || find(t, second, chat.KindBot, "outside").Secret != "" {
		t.Errorf("the bot is %+v", b)
	}
	if k := cat.APIKeyByHash(chat.HashToken(key.Secret)); k == nil || !slices.Equal(k.Scopes, []string{chat.ScopeSettings}) {
		t.Errorf("the key is %+v", k)
	}
	if _, o, err := w.Login(w.ctx, "ann", "ann's password", time.Hour); err != nil || o.Name != "Anna" {
		t.Errorf("after the update ann is %+v, %v", o, err)
	}

	setup.Channels[0].Token, setup.Bots[2].Token, setup.APIKeys[2].Key = "new channel", "new bot", "new key"
	third := w.apply(t, setup)
	cat = w.Catalog()
	if c := cat.ChannelByToken("new channel"); c == nil || c.ID != channel.ID || cat.ChannelByToken(channel.Token) != nil {
		t.Errorf("the new token finds %+v", c)
	}
	if cat.Bot(tenant, bot.ID).TokenHash != chat.HashToken("new bot") || find(t, third, chat.KindBot, "outside").Secret != "new bot" {
		t.Errorf("the bot is %+v", cat.Bot(tenant, bot.ID))
	}
	if cat.APIKeyByHash(chat.HashToken("new key")) == nil || cat.APIKeyByHash(chat.HashToken(key.Secret)) != nil {
		t.Error("the new key does not count, or the old one still does")
	}
	setup.Bots[2].Kind, setup.Bots[2].Scenario = chat.BotScenario, "states: []"
	w.apply(t, setup)
	if b := w.Catalog().Bot(tenant, bot.ID); b.Token != "" || b.TokenHash != "" {
		t.Errorf("a scenario bot has the token %q, %q", b.Token, b.TokenHash)
	}
}

// TestPrune removes what no document of a company names, and nothing else.
func TestPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _, err := w.Login(w.ctx, "ann", "ann's password", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	setup := company("acme", "")
	setup.Operators, setup.Tasks, setup.Bots = nil, setup.Tasks[3:], nil
	w.apply(t, setup)
	if w.task("shop") == nil || w.Catalog().OperatorByLogin("ann") == nil {
		t.Error("without prune something was removed")
	}
	more := chat.Setup{Tenant: "acme", Tags: []chat.Tag{{Name: "in another file"}}}
	applied, err := w.Apply(w.ctx, owner, []chat.Setup{setup, more}, chat.ApplyOptions{Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	var removed []string
	for _, a := range applied[len(applied)-9:] {
		removed = append(removed, string(a.Kind)+" "+a.Name+" "+string(a.Change)+" of "+a.Tenant)
	}
	want := []string{
		"bot backup removed of acme", "bot demo removed of acme",
		"operator ann removed of acme", "operator bob removed of acme", "operator root removed of acme", "operator sue removed of acme",
		"task app removed of acme", "task shop removed of acme", "task site removed of acme",
	}
	if !slices.Equal(removed, want) {
		t.Errorf("removed were %q, want %q", removed, want)
	}
	if w.task("shop") != nil || w.task("desk") == nil || w.Catalog().OperatorByLogin("ann") != nil || w.Catalog().OperatorByLogin("ann-rival") == nil {
		t.Error("something else is left")
	}
	_, err = w.OperatorByToken(w.ctx, token)
	wantCode(t, err, chat.CodeUnauthorized)
	if got := changes(w.apply(t, setup, more)); got[chat.ChangeUnchanged] != 10 || len(got) != 1 {
		t.Errorf("once more made %v", got)
	}
}

// TestPrunedOperatorIsNobodyElse: who gets the id of somebody who was removed
// does not get his session.
func TestPrunedOperatorIsNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) { s.Operators[0].ID = 77 })
	token, _, err := w.Login(w.ctx, "ann", "ann's password", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	setup := company("acme", "")
	setup.Operators = nil
	if _, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	setup.Operators = []chat.Operator{{ID: 77, Login: "eve", Role: chat.RoleAdmin}}
	w.apply(t, setup)
	_, err = w.OperatorByToken(w.ctx, token)
	wantCode(t, err, chat.CodeUnauthorized)
}

// TestPasswords: a known operator's password changes only when it is to be
// reset, and that ends his sessions, as barring him does.
func TestPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := func(password string) string {
		token, _, err := w.Login(w.ctx, "ann", password, time.Hour)
		if err != nil {
			t.Error(err)
		}
		return token
	}
	valid := func(token string, code chat.Code) {
		t.Helper()
		_, err := w.OperatorByToken(w.ctx, token)
		wantCode(t, err, code)
	}
	refused := func(password string) {
		t.Helper()
		_, _, err := w.Login(w.ctx, "ann", password, time.Hour)
		wantCode(t, err, chat.CodeUnauthorized)
	}
	reset := func(s chat.Setup) {
		t.Helper()
		if _, err := w.Apply(w.ctx, owner, []chat.Setup{s}, chat.ApplyOptions{ResetPasswords: true}); err != nil {
			t.Fatal(err)
		}
	}
	setup := company("acme", "")
	first := login("ann's password")
	w.apply(t, setup)
	valid(first, "")
	setup.Operators[0].Password = "a new password"
	reset(setup)
	valid(first, chat.CodeUnauthorized)
	refused("ann's password")
	second := login("a new password")
	setup.Operators[0].Password = ""
	reset(setup)
	valid(second, "")
	barred := true
	if err := w.EditOperator(w.ctx, owner, "ann", chat.OperatorEdit{Disabled: &barred}); err != nil {
		t.Fatal(err)
	}
	valid(second, chat.CodeUnauthorized)
	refused("a new password")
	w.apply(t, setup)
	refused("a new password") // a setup does not let him in again
	if got := w.Catalog().OperatorByLogin("ann"); !got.Disabled || got.PasswordHash != "hash of a new password" {
		t.Errorf("ann is %+v", got)
	}
	setup.Operators[1].Password = "bob's first one"
	w.apply(t, setup) // he had none, so there is nothing to keep
	if _, _, err := w.Login(w.ctx, "bob", "bob's first one", time.Hour); err != nil {
		t.Error(err)
	}
}

// TestApplyIsTheOwners: nobody but who runs the server may apply.
func TestApplyIsTheOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range []chat.Actor{w.system(), w.bridge(), w.operator("root"), w.bot("demo"), w.channel("app"), {}} {
		_, err := w.Apply(w.ctx, a, []chat.Setup{company("acme", "")}, chat.ApplyOptions{})
		wantCode(t, err, chat.CodeForbidden)
		wantCode(t, w.EditOperator(w.ctx, a, "ann", chat.OperatorEdit{}), chat.CodeForbidden)
	}
}

// problems applies what must be refused for its content, and returns why, by
// document.
func (w *world) problems(t *testing.T, o chat.ApplyOptions, setups ...chat.Setup) map[int][]chat.Problem {
	t.Helper()
	before := w.settings(t)
	_, err := w.Apply(w.ctx, owner, setups, o)
	var invalid *chat.InvalidSetup
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want problems", err)
	}
	if !reflect.DeepEqual(w.settings(t), before) {
		t.Error("a refused setup changed something")
	}
	return invalid.Problems
}

func (w *world) settings(t *testing.T) (list []chat.Setting) {
	t.Helper()
	err := w.store.View(w.ctx, func(r chat.Reader) (err error) {
		list, err = r.Settings()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
