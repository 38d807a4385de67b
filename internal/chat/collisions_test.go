package chat_test

import (
	"reflect"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestGivenIDs are kept, once for all; those of people and what describes them
// are the company's own, all others the installation's.
func TestGivenIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	highest := chat.ID(0)
	for _, s := range w.settings(t) {
		highest = max(highest, s.ID)
	}
	given := func(tenant, suffix string, id chat.ID) chat.Setup {
		return chat.Setup{
			Tenant: tenant, Operators: []chat.Operator{{ID: id, Login: "op" + suffix, Role: chat.RoleOperator}},
			Units: []chat.Unit{{ID: id, Name: "u"}}, Skills: []chat.Skill{{ID: id, Name: "s"}}, Tags: []chat.Tag{{ID: id, Name: "t"}},
		}
	}
	next := highest + 3 // the sequence would come to it soon
	ours, theirs := given("acme", "", next), given("rival", "-rival", next)
	ours.Managers = []chat.Manager{{ID: next, Name: "m"}}
	for range 5 {
		ours.Managers = append(ours.Managers, chat.Manager{Name: string(rune('a' + len(ours.Managers)))})
	}
	applied := w.apply(t, ours, theirs)
	seen := map[chat.ID]bool{}
	for _, a := range applied {
		switch a.Kind {
		case chat.KindManager:
			if seen[a.ID] || a.Name == "m" && a.ID != next {
				t.Errorf("the manager %s has the id %d", a.Name, a.ID)
			}
			seen[a.ID] = true
		default:
			if a.ID != next {
				t.Errorf("%s %s of %s has the id %d, want %d", a.Kind, a.Name, a.Tenant, a.ID, next)
			}
		}
	}
	if o := w.Catalog().Operator(w.tenant, next); o == nil || o.Login != "op" {
		t.Errorf("the operator %d of acme is %+v", next, o)
	}

	ours.Managers[0].ID = 0
	ours.Units[0].ID = 0
	for _, a := range w.apply(t, ours, theirs) {
		if a.Change != chat.ChangeUnchanged {
			t.Errorf("an id that is left out again: %s %s is %s with the id %d", a.Kind, a.Name, a.Change, a.ID)
		}
	}

	task := func(id chat.ID) chat.Setup {
		s := company("acme", "")
		s.Tasks[0].ID = id
		return s
	}
	shop := w.task("shop").ID
	for name, tt := range map[string]struct {
		setups []chat.Setup
		doc    int
		want   chat.Problem
	}{
		"another id": {[]chat.Setup{task(1 << 40)}, 0,
			chat.Problem{Path: "tasks[0].id", Message: "the setting has the id " + shop.String() + " already; ids don't change"}},
		"the id of another setting": {[]chat.Setup{company("acme", ""), {Tenant: "third", Managers: []chat.Manager{{Name: "x", ID: shop}}}}, 1,
			chat.Problem{Path: "managers[0].id", Message: "the id " + shop.String() + ` belongs to task "shop"`}},
		"one id twice": {[]chat.Setup{{Tenant: "third", Units: []chat.Unit{{Name: "a", ID: 5}, {Name: "b", ID: 5}}}}, 0,
			chat.Problem{Path: "units[1].id", Message: `the id 5 belongs to unit "a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[int][]chat.Problem{tt.doc: {tt.want}}
			if got := w.problems(t, chat.ApplyOptions{}, tt.setups...); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestCollisions: what is looked up over the whole installation is there once.
// The problem is placed at the setting that a document names, at the later one
// when documents name both.
func TestCollisions(t *testing.T) {
	t.Parallel()
	const uuid, bubble = "5f0c2b1e-8a57-4d0b-9c3e-2b6a1f4d7e90", "1721129985149x478019552540622850"
	w := newWorld(t, func(s *chat.Setup) {
		s.Bots = append(s.Bots, chat.Bot{Name: "outside", Kind: chat.BotWebhook, MessageURL: "http://a/b", Token: "bot token"})
		s.Tasks[0].UUID, s.Tasks[0].SelartiID = uuid, bubble
		s.Operators[0].Email = "ann@acme"
	})
	const again = "; it must be unique over the installation"
	third := func(edit func(s *chat.Setup)) chat.Setup {
		s := company("third", "-third")
		edit(&s)
		return s
	}
	outside := chat.Bot{Name: "outside", Kind: chat.BotWebhook, MessageURL: "http://a/b", Token: "bot token"}
	tests := map[string]struct {
		setup     chat.Setup
		path, who string
	}{
		"channel token": {third(func(s *chat.Setup) { s.Channels[1].Token = "app" }), "channels[1].token", `channel "app" of acme`},
		"channel token of another name": {third(func(s *chat.Setup) { s.Channels[0].Token = "app" }), "channels[0].token",
			`channel "app" of acme`},
		"bot token": {third(func(s *chat.Setup) { s.Bots = append(s.Bots, outside) }), "bots[2].token", `bot "outside" of acme`},
		"API key":   {third(func(s *chat.Setup) { s.APIKeys[0].Key = "k-bridge" }), "api_keys[0].key", `api_key "bridge" of acme`},
		"login":     {third(func(s *chat.Setup) { s.Operators[1].Login = "bob" }), "operators[1].login", `operator "bob" of acme`},
		"e-mail":    {third(func(s *chat.Setup) { s.Operators[1].Email = "ann@acme" }), "operators[1].email", `operator "ann" of acme`},
		"e-mail that is a login": {third(func(s *chat.Setup) { s.Operators[2].Email = "ann" }), "operators[2].email",
			`operator "ann" of acme`},
		"UUID":       {third(func(s *chat.Setup) { s.Tasks[0].UUID = uuid }), "tasks[0].uuid", `task "shop" of acme`},
		"Selarti id": {third(func(s *chat.Setup) { s.Tasks[3].SelartiID = bubble }), "tasks[3].selarti_id", `task "shop" of acme`},
		"in one company": {third(func(s *chat.Setup) { s.APIKeys[1].Key = s.APIKeys[0].Key }), "api_keys[1].key",
			`api_key "bridge" of third`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := []chat.Problem{{Path: tt.path, Message: "is used by " + tt.who + " too" + again}}
			if got := w.problems(t, chat.ApplyOptions{}, tt.setup)[0]; !reflect.DeepEqual(got, want) {
				t.Errorf("alone: got %v, want %v", got, want)
			}
			got := w.problems(t, chat.ApplyOptions{Prune: true}, company("rival", "-rival"), tt.setup)
			if !reflect.DeepEqual(got, map[int][]chat.Problem{1: want}) {
				t.Errorf("as the second document: got %v, want %v", got, want)
			}
		})
	}
	if w.Catalog().TenantByName("third") != nil {
		t.Error("a refused setup made a company")
	}
}

// TestCredentialsMayMove: a token that one document takes from a setting and
// gives to another collides with nothing.
func TestCredentialsMayMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	setup := company("acme", "")
	setup.Channels[0].Token, setup.Channels[1].Token = setup.Channels[1].Token, setup.Channels[0].Token
	setup.Operators[0].Email = setup.Operators[0].Login // his own login is no collision
	w.apply(t, setup)
	if c := w.Catalog().ChannelByToken("app"); c.Name != "messenger" {
		t.Errorf("the token finds %+v", c)
	}
}

// TestOneSettingInTwoDocuments of a company would be what the later one says;
// it is refused.
func TestOneSettingInTwoDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := chat.Setup{Tenant: "acme", Tags: []chat.Tag{{Name: "new"}}, Managers: []chat.Manager{{Name: "m"}}}
	again := chat.Setup{Tenant: "acme", Managers: []chat.Manager{{Name: "m"}}}
	want := map[int][]chat.Problem{2: {{Path: "managers[0]", Message: `manager "m" is set up in document 2 too; keep one of the two`}}}
	if got := w.problems(t, chat.ApplyOptions{}, company("acme", ""), other, again); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestProblemsStayInPlace: the same mistake is told in the same words, however
// often it is made.
func TestProblemsStayInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := company("third", ""), company("fourth", "")
	want := ""
	for range 10 {
		_, err := w.Apply(w.ctx, owner, []chat.Setup{one, two}, chat.ApplyOptions{})
		if err == nil {
			t.Fatal("accepted")
		}
		if want == "" {
			want = err.Error()
		}
		if err.Error() != want {
			t.Fatalf("got\n%v\nbefore it was\n%s", err, want)
		}
	}
	two.Tasks[0].Bot, two.Tasks[0].Channel = "gone", "gone"
	two.Bots[0].Scenario, one.Operators[0].Role = "", "boss"
	_, err := w.Apply(w.ctx, owner, []chat.Setup{one, two}, chat.ApplyOptions{})
	want = "the setup is not valid:\n" +
		"  document 1: operators[0].role: \"boss\" is not one of operator, supervisor, admin\n" +
		"  document 2: bots[0].file: is missing; name the scenario file, beside this one\n" +
		"  document 2: tasks[0].channel: there is no channel named \"gone\"; known: app, messenger, site\n" +
		"  document 2: tasks[0].bot: there is no bot named \"gone\"; known: backup, demo"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestReferencesToWhatIsPruned are refused before anything is removed.
func TestReferencesToWhatIsPruned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	setup := company("acme", "")
	setup.Bots = setup.Bots[1:]
	setup.Integrations = nil
	want := map[int][]chat.Problem{0: {
		{Path: "tasks[0].bot", Message: `there is no bot named "demo"; known: backup`},
		{Path: "tasks[0].integrations[0]", Message: `there is no integration named "all", and the document has no integrations`},
		{Path: "tasks[0].integrations[1]", Message: `there is no integration named "tags", and the document has no integrations`},
		{Path: "tasks[0].integrations[2]", Message: `there is no integration named "unserved", and the document has no integrations`},
		{Path: "tasks[1].route[0].bot", Message: `there is no bot named "demo"; known: backup`},
		{Path: "tasks[2].bot", Message: `there is no bot named "demo"; known: backup`},
	}}
	if got := w.problems(t, chat.ApplyOptions{Prune: true}, setup); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
