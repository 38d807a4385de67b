package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestSetPresence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name           string
		actor          chat.Actor
		status         chat.PresenceStatus
		reason, stored string
		code           chat.Code
	}{
		{"ready", w.operator("ann"), chat.PresenceReady, "", "", ""},
		{"away", w.operator("ann"), chat.PresenceInactive, "lunch", "lunch", ""},
		{"away for no reason", w.operator("ann"), chat.PresenceInactive, "", "", ""},
		{"away for a long reason", w.operator("ann"), chat.PresenceInactive, strings.Repeat("x", chat.MaxReason), strings.Repeat("x", chat.MaxReason), ""},
		{"ready for a reason", w.operator("ann"), chat.PresenceReady, "lunch", "", ""},
		{"finishing", w.operator("sue"), chat.PresenceOutgoing, "", "", ""},
		{"gone", w.operator("sue"), chat.PresenceOffline, "", "", ""},
		{"too long a reason", w.operator("ann"), chat.PresenceInactive, strings.Repeat("x", chat.MaxReason+1), "", chat.CodeTooLarge},
		{"no status", w.operator("ann"), "", "", "", chat.CodeInvalid},
		{"another status", w.operator("ann"), "ready", "", "", chat.CodeInvalid},
		{"a key", w.bridge(), chat.PresenceReady, "", "", chat.CodeForbidden},
		{"a bot", w.bot("demo"), chat.PresenceReady, "", "", chat.CodeForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := w.SetPresence(w.ctx, tt.actor, tt.status, tt.reason)
			wantCode(t, err, tt.code)
			if tt.code != "" {
				return
			}
			want := chat.Presence{TenantID: w.tenant, OperatorID: tt.actor.ID, Status: tt.status, Reason: tt.stored, Since: p.Since}
			if stored, err := w.Presence(w.ctx, tt.actor); err != nil || p != want || stored != want {
				t.Errorf("it returned %+v and stored %+v (%v), want %+v", p, stored, err, want)
			}
		})
	}
	_, err := w.Presence(w.ctx, w.bridge())
	wantCode(t, err, chat.CodeForbidden)
}

// TestPresenceSince: a status that is set again has lasted all the while.
func TestPresenceSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	began := w.at(t, "ann").Since
	w.clock.advance(time.Minute)
	w.is(t, "ann", chat.PresenceReady)
	if got := w.at(t, "ann").Since; got != began {
		t.Errorf("it moved from %d to %d", began, got)
	}
	w.is(t, "ann", chat.PresenceOutgoing)
	if got := w.at(t, "ann").Since.Sub(began); got < time.Minute {
		t.Errorf("the new status began %v after the old one, want a minute", got)
	}
}

func TestPresences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "bob", chat.PresenceReady)
	w.is(t, "ann-rival", chat.PresenceReady)
	barred := true
	if err := w.EditOperator(w.ctx, owner, "root", chat.OperatorEdit{Disabled: &barred}); err != nil {
		t.Fatal(err)
	}
	for name, actor := range map[string]chat.Actor{"an operator": w.operator("ann"), "a key": w.bridge()} {
		list, err := w.Presences(w.ctx, actor)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, p := range list {
			got += w.Catalog().Operator(w.tenant, p.OperatorID).Login + " " + string(p.Status) + ", "
			if i > 0 && list[i-1].OperatorID >= p.OperatorID {
				t.Errorf("%s sees them out of order", name)
			}
		}
		if want := "ann OFFLINE, bob READY, sue OFFLINE, "; got != want {
			t.Errorf("%s sees %s want %s", name, got, want)
		}
	}
	_, err := w.Presences(w.ctx, w.channel("app"))
	wantCode(t, err, chat.CodeForbidden)
}

// TestGoingOffline: whoever has no session left is not there.
func TestGoingOffline(t *testing.T) {
	t.Parallel()
	signIn := func(t *testing.T, w *world) string {
		t.Helper()
		token, _, err := w.Login(w.ctx, "ann", "ann's password", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	yes, password := true, "another password"
	for name, c := range map[string]struct {
		do   func(t *testing.T, w *world, token string) error
		want chat.PresenceStatus
	}{
		"he signs out": {func(_ *testing.T, w *world, token string) error { return w.Logout(w.ctx, token) }, chat.PresenceOffline},
		"he signs out of one of two places": {func(t *testing.T, w *world, token string) error {
			signIn(t, w)
			return w.Logout(w.ctx, token)
		}, chat.PresenceReady},
		"he signs out where another session has expired": {func(t *testing.T, w *world, _ string) error {
			w.clock.advance(30 * time.Minute)
			token := signIn(t, w)
			w.clock.advance(45 * time.Minute)
			return w.Logout(w.ctx, token)
		}, chat.PresenceOffline},
		"an unknown token signs out": {func(_ *testing.T, w *world, _ string) error { return w.Logout(w.ctx, "unknown") }, chat.PresenceReady},
		"he is barred": {func(_ *testing.T, w *world, _ string) error {
			return w.EditOperator(w.ctx, owner, "ann", chat.OperatorEdit{Disabled: &yes})
		}, chat.PresenceOffline},
		"his password changes": {func(_ *testing.T, w *world, _ string) error {
			return w.EditOperator(w.ctx, owner, "ann", chat.OperatorEdit{Password: &password})
		}, chat.PresenceOffline},
		"his session expires": {func(_ *testing.T, w *world, _ string) error {
			w.clock.advance(time.Hour + time.Second)
			return w.Prune(w.ctx, 24*time.Hour)
		}, chat.PresenceOffline},
		"his session lasts": {func(_ *testing.T, w *world, _ string) error { return w.Prune(w.ctx, 24*time.Hour) }, chat.PresenceReady},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := signIn(t, w)
			w.is(t, "ann", chat.PresenceReady)
			w.is(t, "bob", chat.PresenceReady) // without a session of his own
			if err := c.do(t, w, token); err != nil {
				t.Fatal(err)
			}
			if got := w.at(t, "ann").Status; got != c.want {
				t.Errorf("he is %s, want %s", got, c.want)
			}
		})
	}
}

// TestRemovedOperator: who leaves the setup is OFFLINE, and what he has stays
// counted for when it is taken from him.
func TestRemovedOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	k := w.queued(t)
	k.has("ann")
	ann := w.operator("ann")
	setup := company("acme", "")
	setup.Operators = setup.Operators[1:]
	if _, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	p, err := w.Presence(w.ctx, ann)
	k.must(err)
	if p.Status != chat.PresenceOffline || p.Load != 1 {
		t.Errorf("she is %+v", p)
	}
	k.takes("sue")
	if p, err = w.Presence(w.ctx, ann); err != nil || p.Load != 0 {
		t.Errorf("she is %+v (%v)", p, err)
	}
}

// TestRemovedTask: conversations that nobody can reach count for nobody, until
// their task is back.
func TestRemovedTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	k := w.queued(t)
	other := w.talk(t, "app")
	other.says("hello")
	other.takes("ann")
	load := func(want int) {
		t.Helper()
		if got := w.at(t, "ann").Load; got != want {
			t.Errorf("her load is %d, want %d", got, want)
		}
	}
	load(2)
	whole := company("acme", "")
	less := company("acme", "")
	less.Tasks = less.Tasks[:3]
	whole.Tasks[3].ID = w.task("desk").ID
	for range 2 {
		if _, err := w.Apply(w.ctx, owner, []chat.Setup{less}, chat.ApplyOptions{Prune: true}); err != nil {
			t.Fatal(err)
		}
		load(1)
		w.apply(t, whole)
		load(2)
	}
	k.closes("ann")
	load(1)
}
