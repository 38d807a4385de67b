package selarti_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

func newTokens(w *wiretest.World) *selarti.Tokens {
	return selarti.NewTokens(w.Service, []byte("a secret of the installation"), w.Clock.Now)
}

func issue(t testing.TB, tokens *selarti.Tokens, key string) string {
	t.Helper()
	token, err := tokens.Issue(key)
	if err != nil {
		t.Fatal(err)
	}
	return token.Token
}

func TestTokenForm(t *testing.T) {
	w := wiretest.New(t)
	token, err := newTokens(w).Issue("key-bridge")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^bus\|(\d{13}x\d{18})\|(\d{13}x\d{18})$`).FindStringSubmatch(token.Token)
	if form == nil || form[1] != token.UserID || token.Expires != 86400 {
		t.Fatalf("%+v", token)
	}
	if want := fmt.Sprint(w.Clock.Now().UnixMilli()); !strings.HasPrefix(form[2], want+"x") {
		t.Errorf("the session %s does not begin with the time of issue %s", form[2], want)
	}
}

func TestTokenActor(t *testing.T) {
	w := wiretest.New(t)
	tokens := newTokens(w)
	for _, c := range []wiretest.Company{w.Acme, w.Rival} {
		got, err := tokens.Actor(t.Context(), issue(t, tokens, c.Key("bridge")))
		if err != nil || got.Kind != chat.ActorAPIKey || got.TenantID != c.Tenant.ID || got.Name != "bridge" || got.Require(chat.ScopeMessagesWrite) != nil ||
			got.Require(chat.ScopeConversationsRead) == nil {
			t.Errorf("%s: %+v, %v", c.Tenant.Name, got, err)
		}
	}
	if _, err := tokens.Issue("no such key"); chat.ErrorCode(err) != chat.CodeUnauthorized {
		t.Errorf("a token for no key: %v", err)
	}
}

func TestTokenLife(t *testing.T) {
	w := wiretest.New(t)
	tokens := newTokens(w)
	token := issue(t, tokens, "key-bridge")
	w.Clock.Advance(24*time.Hour - time.Millisecond)
	if _, err := tokens.Actor(t.Context(), token); err != nil {
		t.Errorf("a moment before its end: %v", err)
	}
	w.Clock.Advance(time.Millisecond)
	refuse(t, tokens, "after a day", token)
}

func TestTokenEndsWithItsKey(t *testing.T) {
	w := wiretest.New(t)
	tokens := newTokens(w)
	token := issue(t, tokens, "key-bridge")
	w.Apply(chat.Setup{Tenant: "acme", APIKeys: []chat.APIKey{{Name: "bridge", Key: "key-changed", Scopes: []string{chat.ScopeMessagesWrite}}}})
	refuse(t, tokens, "of a changed key", token)
	if _, err := tokens.Actor(t.Context(), issue(t, tokens, "key-changed")); err != nil {
		t.Errorf("of the new key: %v", err)
	}
}

func TestTokensAreForgeryProof(t *testing.T) {
	w := wiretest.New(t)
	tokens := newTokens(w)
	good := issue(t, tokens, "key-bridge")
	parts := strings.Split(good, "|")
	later := fmt.Sprint(w.Clock.Now().Add(time.Hour).UnixMilli())
	other := strings.Split(issue(t, tokens, "key-all"), "|")
	ahead := wiretest.NewClock()
	ahead.Advance(time.Hour)
	future := selarti.NewTokens(w.Service, []byte("a secret of the installation"), ahead.Now)
	foreign := selarti.NewTokens(w.Service, []byte("another installation's"), w.Clock.Now)
	for name, token := range map[string]string{
		"signed elsewhere":         issue(t, foreign, "key-bridge"),
		"issued in the future":     issue(t, future, "key-bridge"),
		"a later time":             parts[0] + "|" + parts[1] + "|" + later + parts[2][13:],
		"another user":             parts[0] + "|" + other[1] + "|" + parts[2],
		"another prefix":           "bux|" + parts[1] + "|" + parts[2],
		"a digit changed":          good[:len(good)-1] + string('0'+(good[len(good)-1]-'0'+1)%10),
		"one digit short":          good[:len(good)-1],
		"one digit more":           good + "0",
		"four parts":               good + "|",
		"two parts":                parts[0] + "|" + parts[1],
		"only the prefix":          "bus|",
		"letters":                  "bus|a|b",
		"the session as user":      parts[0] + "|" + parts[2] + "|" + parts[2],
		"a task's id for the user": "bus|" + selarti.TaskID(w.Acme.Task.Task) + "|" + parts[2],
		"an empty session":         parts[0] + "|" + parts[1] + "|",
		"letters for the issue":    parts[0] + "|" + parts[1] + "|abcdefghijklm" + parts[2][13:],
	} {
		refuse(t, tokens, name, token)
	}
}

func refuse(t *testing.T, tokens *selarti.Tokens, name, token string) {
	t.Helper()
	if got, err := tokens.Actor(t.Context(), token); chat.ErrorCode(err) != chat.CodeUnauthorized {
		t.Errorf("%s: stands for %+v, %v", name, got, err)
	}
}

// FuzzTokens: no token but the one given out is good.
func FuzzTokens(f *testing.F) {
	w := wiretest.New(f)
	tokens := newTokens(w)
	good := issue(f, tokens, "key-bridge")
	f.Add(good)
	f.Add(strings.Replace(good, "1", "2", 1))
	f.Add("bus|1720000000000x100000000000000001|1720000000001x100000000000000002")
	f.Add("bus||")
	f.Fuzz(func(t *testing.T, token string) {
		_, err := tokens.Actor(t.Context(), token)
		if (err == nil) != (token == good) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}
