package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// tickets is a kind of token of its own, as a dialect brings one.
type tickets struct{}

func (tickets) Owns(token string) bool { return strings.HasPrefix(token, "ticket:") }

func (tickets) Actor(_ context.Context, token string) (chat.Actor, error) {
	if token != "ticket:good" {
		return chat.Actor{}, chat.Errorf(chat.CodeUnauthorized, "no such ticket")
	}
	return chat.Actor{Kind: chat.ActorBot, ID: 42}, nil
}

func login(t *testing.T, w *wiretest.World, name string) string {
	t.Helper()
	token, _, err := w.Login(t.Context(), name, wiretest.Password, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func shareToken(t *testing.T, w *wiretest.World) string {
	t.Helper()
	l, err := w.Conversation(t.Context(), w.Actor(w.Acme), w.Say(w.Acme, "client", "hi").ConversationID)
	if err != nil {
		t.Fatal(err)
	}
	return l.ShareToken
}

func TestBearer(t *testing.T) {
	w := wiretest.New(t)
	gate := w.Gate(tickets{})
	ann := login(t, w, "ann")
	share := shareToken(t, w)
	tests := map[string]struct {
		header []string
		kind   chat.ActorKind
		name   string
		code   chat.Code
	}{
		"an API key":                 {header: []string{"Bearer key-bridge"}, kind: chat.ActorAPIKey, name: "bridge"},
		"the scheme in another case": {header: []string{"bearer  key-bridge "}, kind: chat.ActorAPIKey, name: "bridge"},
		"an operator":                {header: []string{"Bearer " + ann}, kind: chat.ActorOperator, name: "Anna"},
		"a dialect's own":            {header: []string{"Bearer ticket:good"}, kind: chat.ActorBot},
		"a dialect's own, bad":       {header: []string{"Bearer ticket:bad"}, code: chat.CodeUnauthorized},
		"a read-only link":           {header: []string{"Bearer " + share}, code: chat.CodeForbidden},
		"no such link":               {header: []string{"Bearer " + strings.Repeat("0", 32)}, code: chat.CodeUnauthorized},
		"no such session":            {header: []string{"Bearer " + strings.Repeat("0", 48)}, code: chat.CodeUnauthorized},
		"no such key":                {header: []string{"Bearer nonsense"}, code: chat.CodeUnauthorized},
		"nothing":                    {code: chat.CodeUnauthorized},
		"an empty token":             {header: []string{"Bearer "}, code: chat.CodeUnauthorized},
		"the token alone":            {header: []string{"key-bridge"}, code: chat.CodeUnauthorized},
		"another scheme":             {header: []string{"Basic key-bridge"}, code: chat.CodeUnauthorized},
		"two headers":                {header: []string{"Bearer key-bridge", "Bearer key-bridge"}, code: chat.CodeUnauthorized},
		"a very long one":            {header: []string{"Bearer " + strings.Repeat("k", 2000)}, code: chat.CodeUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header["Authorization"] = tt.header
			got, err := gate.Bearer(r)
			if chat.ErrorCode(err) != tt.code || got.Kind != tt.kind || got.Name != tt.name {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func TestActorsAreOfTheirTenant(t *testing.T) {
	w := wiretest.New(t)
	gate := w.Gate()
	for _, c := range []wiretest.Company{w.Acme, w.Rival} {
		for _, token := range []string{c.Key("bridge"), login(t, w, c.Login("root"))} {
			got, err := gate.Actor(t.Context(), token)
			if err != nil || got.TenantID != c.Tenant.ID {
				t.Errorf("%s: tenant %d, want %d: %v", c.Tenant.Name, got.TenantID, c.Tenant.ID, err)
			}
		}
	}
	got, err := gate.Actor(t.Context(), w.Acme.Key("bridge"))
	if err != nil || len(got.Scopes) != 1 || got.Scopes[0] != chat.ScopeMessagesWrite {
		t.Errorf("scopes %v, %v", got.Scopes, err)
	}
	got, err = gate.Actor(t.Context(), login(t, w, "sue"))
	if err != nil || got.Role != chat.RoleSupervisor {
		t.Errorf("role %q, %v", got.Role, err)
	}
}

func TestSessionsEnd(t *testing.T) {
	w := wiretest.New(t)
	gate := w.Gate()
	expired, loggedOut := login(t, w, "ann"), login(t, w, "ann")
	if err := w.Logout(t.Context(), loggedOut); err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Actor(t.Context(), loggedOut); chat.ErrorCode(err) != chat.CodeUnauthorized {
		t.Errorf("after the logout: %v", err)
	}
	w.Clock.Advance(time.Hour - time.Second)
	if _, err := gate.Actor(t.Context(), expired); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	w.Clock.Advance(time.Second)
	if _, err := gate.Actor(t.Context(), expired); chat.ErrorCode(err) != chat.CodeUnauthorized {
		t.Errorf("after its end: %v", err)
	}
}

func TestSessionByCookie(t *testing.T) {
	w := wiretest.New(t)
	gate := w.Gate()
	ann := login(t, w, "ann")
	json := "application/json"
	tests := map[string]struct {
		method, cookie string
		header         map[string]string
		code           chat.Code
	}{
		"reading":                      {"GET", ann, nil, ""},
		"reading, from a foreign page": {"GET", ann, map[string]string{"Sec-Fetch-Site": "cross-site"}, ""}, // it can't see the answer
		"changing, from our page":      {"POST", ann, map[string]string{"Content-Type": json, "Sec-Fetch-Site": "same-origin"}, ""},
		"changing, by Origin":          {"POST", ann, map[string]string{"Content-Type": json, "Origin": "http://example.com"}, ""},
		"changing, by public URL":      {"POST", ann, map[string]string{"Content-Type": json, "Origin": wiretest.PublicURL}, ""},
		"with a charset":               {"POST", ann, map[string]string{"Content-Type": json + "; charset=utf-8", "Sec-Fetch-Site": "same-origin"}, ""},
		"from a page beside ours":      {"POST", ann, map[string]string{"Content-Type": json, "Sec-Fetch-Site": "same-site"}, chat.CodeForbidden},
		"from a foreign page":          {"POST", ann, map[string]string{"Content-Type": json, "Sec-Fetch-Site": "cross-site"}, chat.CodeForbidden},
		"foreign by Origin":            {"POST", ann, map[string]string{"Content-Type": json, "Origin": "https://evil.example"}, chat.CodeForbidden},
		"Sec-Fetch-Site wins":          {"POST", ann, map[string]string{"Content-Type": json, "Sec-Fetch-Site": "cross-site", "Origin": wiretest.PublicURL}, chat.CodeForbidden},
		"an opaque origin":             {"POST", ann, map[string]string{"Content-Type": json, "Origin": "null"}, chat.CodeForbidden},
		"no origin":                    {"POST", ann, map[string]string{"Content-Type": json}, chat.CodeForbidden},
		"a form's type":                {"POST", ann, map[string]string{"Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"}, chat.CodeForbidden},
		"no type":                      {"DELETE", ann, map[string]string{"Sec-Fetch-Site": "same-origin"}, chat.CodeForbidden},
		"a wrong cookie":               {"GET", strings.Repeat("0", 48), nil, chat.CodeUnauthorized},
		"an API key as a cookie":       {"GET", "key-all", nil, chat.CodeUnauthorized},
		"no cookie":                    {"GET", "", nil, chat.CodeUnauthorized},
		"a proxy's own password":       {"GET", ann, map[string]string{"Authorization": "Basic cHJveHk6cGFzcw=="}, ""},
		"a proxy's, and no cookie":     {"GET", "", map[string]string{"Authorization": "Basic cHJveHk6cGFzcw=="}, chat.CodeUnauthorized},
		"a bearer needs none of it":    {"POST", "", map[string]string{"Authorization": "Bearer " + ann}, ""},
		"a bearer wins over a cookie":  {"POST", ann, map[string]string{"Authorization": "Bearer wrong"}, chat.CodeUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/console/api/x", nil)
			if tt.cookie != "" {
				r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: tt.cookie})
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			got, err := gate.Session(r)
			if chat.ErrorCode(err) != tt.code || err == nil && got.Kind != chat.ActorOperator {
				t.Fatalf("got %+v, %v; want %q", got, err, tt.code)
			}
		})
	}
}

func TestCookie(t *testing.T) {
	w := wiretest.New(t)
	gate := w.Gate()
	for name, tt := range map[string]struct {
		proto string
		want  bool
	}{"http": {"", false}, "https at the proxy": {"https", true}} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.RemoteAddr = "10.1.2.3:4"
			r.Header.Set("X-Forwarded-Proto", tt.proto)
			rec := httptest.NewRecorder()
			gate.SetCookie(rec, r, "secret", time.Hour)
			c := rec.Result().Cookies()[0]
			if c.Value != "secret" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 3600 || c.Secure != tt.want {
				t.Errorf("cookie %+v", c)
			}
			rec = httptest.NewRecorder()
			gate.DropCookie(rec, r)
			if c := rec.Result().Cookies()[0]; c.Value != "" || c.MaxAge != -1 {
				t.Errorf("dropped as %+v", c)
			}
		})
	}
}

// FuzzActor: no token that was not given out stands for anybody, and none is a
// server's error.
func FuzzActor(f *testing.F) {
	for _, seed := range []string{"", "bus|1|2", strings.Repeat("a", 48), strings.Repeat("0", 32), "key-all ", "KEY-ALL", "\x00", "ticket:"} {
		f.Add(seed)
	}
	gate := wiretest.New(f).Gate(tickets{})
	f.Fuzz(func(t *testing.T, token string) {
		if strings.HasPrefix(token, "key-") || token == "ticket:good" {
			t.Skip("may be one that was given out")
		}
		if got, err := gate.Actor(context.Background(), token); chat.ErrorCode(err) != chat.CodeUnauthorized {
			t.Fatalf("%q stands for %+v: %v", token, got, err)
		}
	})
}
