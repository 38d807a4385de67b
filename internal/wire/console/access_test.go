package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// request is one call of every route, with ids to be filled in: {c} is a
// conversation, {p} its client, {d} a parked delivery, {e} an endpoint, {r} a
// canned reply of everybody's.
type request struct {
	method, path, body string
	needs              string // scope, "operator", "leader", "anybody", "nothing", or "a bot's": what an operator may not do while a bot owns it
}

func everyRoute() []request {
	read, write, deliveries := chat.ScopeConversationsRead, chat.ScopeConversations, chat.ScopeDeliveries
	return []request{
		{"POST", "login", `{"login":"nobody","password":"x"}`, "nothing"},
		{"GET", "me", "", "anybody"},
		{"PUT", "me/status", `{"status":"READY"}`, "operator"},
		{"GET", "operators", "", read},
		{"GET", "conversations", "", read},
		{"GET", "conversations/{c}", "", read},
		{"GET", "conversations/{c}/events", "", read},
		{"POST", "conversations/{c}/messages", `{"text":"hello","take":false}`, "operator"},
		{"POST", "conversations/{c}/take", "", "operator"},
		{"POST", "conversations/{c}/transfer", `{"queue":true}`, "a bot's"},
		{"POST", "conversations/{c}/read", `{"seq":1}`, write},
		{"POST", "conversations/{c}/typing", "", "operator"},
		{"POST", "conversations/{c}/notes", `{"text":"a note"}`, write},
		{"GET", "clients/{p}", "", read},
		{"PATCH", "clients/{p}", `{"profile":{"name":"Bob"},"conversation":{c}}`, write},
		{"GET", "canned", "", read},
		{"POST", "canned", `{"shortcut":"hi{c}","text":"a text"}`, "operator"},
		{"POST", "canned", `{"shortcut":"bye{c}","text":"a text","shared":true}`, "leader"},
		{"PUT", "canned/{r}", `{"shortcut":"x{c}","text":"a text","shared":true}`, "leader"},
		{"DELETE", "canned/{r}", "", "leader"},
		{"GET", "live", "", read},
		{"POST", "conversations/{c}/return", "", write},
		{"POST", "conversations/{c}/flags", `{"interest":true}`, write},
		{"POST", "conversations/{c}/close", "", write},
		{"GET", "deliveries", "", read},
		{"GET", "deliveries/{d}", "", read},
		{"POST", "deliveries/replay", `{"delivery":{d}}`, deliveries},
		{"POST", "deliveries/replay", `{"endpoint":{e}}`, deliveries},
		{"GET", "endpoints", "", read},
		{"POST", "endpoints/{e}/pause", "", deliveries},
		{"POST", "endpoints/{e}/resume", "", deliveries},
		{"GET", "usage", "", read},
		{"GET", "calls", "", read},
	}
}

// fixture is one company's conversation, parked delivery and endpoint.
func (d *desk) fixture(t *testing.T, c wiretest.Company) *strings.Replacer {
	t.Helper()
	id := d.Say(c, fmt.Sprint("client", d.Clock.Now().UnixNano()), "a secret of "+c.Tenant.Name).ConversationID
	d.deliver(t, c, chat.DeliveryParked, 500)
	list, err := d.Deliveries(t.Context(), d.Actor(c), chat.DeliveryFilter{ConversationID: id})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	root := d.Catalog().OperatorByLogin(c.Login("root"))
	reply, err := d.AddCannedReply(t.Context(), chat.Actor{Kind: chat.ActorOperator, TenantID: root.TenantID, ID: root.ID, Role: root.Role},
		chat.CannedEdit{Shortcut: fmt.Sprint("fixture", id), Text: "a secret of " + c.Tenant.Name, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Conversation(t.Context(), d.Actor(c), id)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("{p}", l.ClientID.String(), "{r}", reply.ID.String(), "{c}", id.String(), "{d}", list[0].ID.String(), "{e}", c.Task.Integrations[0].ID.String())
}

func (d *desk) ask(t *testing.T, r request, token string, ids *strings.Replacer) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: r.method, Path: "/console/api/" + ids.Replace(r.path), Token: token, Body: ids.Replace(r.body)}.Do(t, d.handler)
}

// allowed says whether a credential may call a route: the rule in one place.
func allowed(who, needs string) bool {
	switch who {
	case "ann", "sue":
		return (needs == "leader" || needs == "a bot's") && who == "sue" || needs == "operator" || needs == "anybody" || needs == chat.ScopeConversationsRead || needs == chat.ScopeConversations
	case "root":
		return true
	case "key-all":
		return needs != "operator" && needs != "leader"
	case "key-reader":
		return needs == chat.ScopeConversationsRead || needs == "anybody"
	case "key-worker":
		return needs == chat.ScopeConversations || needs == "a bot's" || needs == "anybody"
	case "key-sender":
		return needs == chat.ScopeDeliveries || needs == "anybody"
	case "key-bridge":
		return needs == "anybody"
	}
	return false
}

func TestRolesAndScopes(t *testing.T) {
	d := newDesk(t)
	tokens := map[string]string{"nobody": "", "garbage": "garbage", "half a session": strings.Repeat("0", 48)}
	for _, name := range []string{"ann", "sue", "root"} {
		tokens[name] = d.operator(t, name)
	}
	for _, name := range []string{"key-all", "key-reader", "key-worker", "key-sender", "key-bridge"} {
		tokens[name] = name
	}
	for who, token := range tokens {
		for _, r := range everyRoute() {
			d.Clock.Advance(1)
			a := d.ask(t, r, token, d.fixture(t, d.Acme))
			switch {
			case r.needs == "nothing":
				if a.Status != http.StatusUnauthorized && a.Status != http.StatusTooManyRequests {
					t.Errorf("%s, %s %s: %d", who, r.method, r.path, a.Status)
				}
			case strings.HasPrefix(who, "key-") || who == "ann" || who == "sue" || who == "root":
				// A conflict is the core's word on the state: whoever gets there was let in.
				// So is a live connection that is neither of the two kinds.
				in := a.Status == http.StatusOK || a.Status == http.StatusConflict || r.path == "live" && a.Status == http.StatusBadRequest
				if in != allowed(who, r.needs) || !in && a.Status != http.StatusForbidden {
					t.Errorf("%s, %s %s: %d %s", who, r.method, r.path, a.Status, a.Body)
				}
			case a.Status != http.StatusUnauthorized:
				t.Errorf("%s, %s %s: %d", who, r.method, r.path, a.Status)
			}
		}
	}
}

// What belongs to another company does not exist, by any route and any id, and
// stays as it is.
func TestTenantsAreApart(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ mine, theirs wiretest.Company }{{d.Acme, d.Rival}, {d.Rival, d.Acme}} {
		theirs := d.fixture(t, c.theirs)
		before := d.digest(t, c.theirs)
		for _, token := range []string{c.mine.Key("all"), d.operator(t, c.mine.Login("root"))} {
			for _, r := range everyRoute() {
				if r.needs == "nothing" {
					continue
				}
				a := d.ask(t, r, token, theirs)
				asksForID := strings.Contains(r.path, "{") || strings.Contains(r.body, "{d}")
				switch {
				case strings.Contains(a.Body, "a secret of "+c.theirs.Tenant.Name):
					t.Errorf("%s %s shows the secret: %s", r.method, r.path, a.Body)
				case asksForID && a.Status != http.StatusNotFound && a.Status != http.StatusForbidden:
					t.Errorf("%s %s: %d %s", r.method, r.path, a.Status, a.Body)
				case asksForID && a.Status == http.StatusForbidden && r.needs != "operator" && r.needs != "leader":
					t.Errorf("%s %s: a foreign id must not be found, not forbidden: %s", r.method, r.path, a.Body)
				case r.body == `{"endpoint":{e}}` && a.At("queued") != 0.0:
					t.Errorf("replayed a stranger's: %s", a.Body)
				}
			}
		}
		if after := d.digest(t, c.theirs); after != before {
			t.Errorf("something was changed:\nfrom %s\n  to %s", before, after)
		}
	}
}

// digest is everything of a company that the API shows.
func (d *desk) digest(t *testing.T, c wiretest.Company) string {
	t.Helper()
	var all strings.Builder
	for _, p := range []string{"conversations", "deliveries", "endpoints", "usage", "calls", "canned", "operators"} {
		all.WriteString(d.get(t, c.Key("all"), p).Must(http.StatusOK).Body)
	}
	return all.String()
}

// FuzzBodies: whatever comes, the answer is the API's own shape and never the
// server's fault.
func FuzzBodies(f *testing.F) {
	d := newDesk(f)
	root := d.operator(f, "root")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	paths := []string{
		path(id, "/messages"), path(id, "/flags"), path(id, "/close"), "deliveries/replay", "endpoints/1/pause", path(id, "/take"), "login",
	}
	f.Add(uint8(0), `{"text":"x","key":"k","take":true}`)
	f.Add(uint8(1), `{"success":true}`)
	f.Add(uint8(3), `{"endpoint":1,"from":"2026-02-03T04:05:06Z","to_seq":1}`)
	f.Add(uint8(6), `{"login":"ann","password":"x"}`)
	f.Fuzz(func(t *testing.T, route uint8, body string) {
		a := d.post(t, root, paths[int(route)%len(paths)], body)
		if a.Status >= 500 || a.Status >= 400 && a.At("error", "code") == nil {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	})
}

// FuzzQueries: the same for the queries of the lists.
func FuzzQueries(f *testing.F) {
	d := newDesk(f)
	d.Say(d.Acme, "client", "hi")
	for _, seed := range []string{"owner=bot&limit=1", "external_id=client", "after=%31", "state=parked", "a=%zz", ";"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, list := range []string{"conversations", "deliveries"} {
			r := wiretest.Ask{Path: "/console/api/" + list, Token: "key-all", Query: query}.Do(t, d.handler)
			if r.Status != http.StatusOK && r.Status != http.StatusBadRequest || r.Status != http.StatusOK && r.At("error", "code") == nil {
				t.Fatalf("%s?%q: %d %s", list, query, r.Status, r.Body)
			}
		}
	})
}
