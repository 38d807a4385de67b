package chat_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestReplacedSecretSignsForADay: while receivers move to the new secret, both
// sign (specs/delivery.md).
func TestReplacedSecretSignsForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	setup := company("acme", "")
	apply := func(secret string) {
		t.Helper()
		setup.Integrations[0].Secret = secret
		w.apply(t, setup)
	}
	signing := func(want ...string) {
		t.Helper()
		now := chat.MicrosOf(w.clock.now())
		if got := w.endpoint("all").Integration.SigningSecrets(now); !slices.Equal(got, want) {
			t.Errorf("%q sign, want %q", got, want)
		}
	}
	signing()
	apply("one")
	signing("one")
	apply("two")
	signing("two", "one")
	w.clock.advance(23 * time.Hour)
	if a := find(t, w.apply(t, setup), chat.KindIntegration, "all"); a.Change != chat.ChangeUnchanged {
		t.Errorf("applied again it was %s", a.Change)
	}
	signing("two", "one") // and applying again gives it no new day
	w.clock.advance(time.Hour)
	signing("two")
	if a := find(t, w.apply(t, setup), chat.KindIntegration, "all"); a.Change != chat.ChangeUnchanged {
		t.Errorf("applied after the day it was %s", a.Change)
	}
	apply("three")
	apply("four")
	signing("four", "three")
	setup.Integrations[0].URL = "http://127.0.0.1:1/elsewhere"
	apply("four")
	signing("four", "three")
	apply("")
	signing("four")
	w.clock.advance(24 * time.Hour)
	signing()
}

// TestInstallationSecrets are made once, at their first use, and differ by name.
func TestInstallationSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, err := w.Secret(w.ctx, "one")
	if err != nil || len(one) != 32 {
		t.Fatalf("a secret of %d bytes, %v", len(one), err)
	}
	again, err := w.Secret(w.ctx, "one")
	if err != nil || !bytes.Equal(one, again) {
		t.Errorf("the second time it was another one (%v)", err)
	}
	if other, err := w.Secret(w.ctx, "two"); err != nil || bytes.Equal(one, other) {
		t.Errorf("another name has the same secret (%v)", err)
	}
}

// TestLogins end by logging out and by time.
func TestLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, ann, err := w.Login(w.ctx, "ann", "ann's password", time.Hour)
	if err != nil || ann.Login != "ann" || len(token) != 48 {
		t.Fatalf("the token %q of %+v, %v", token, ann, err)
	}
	other, _, err := w.Login(w.ctx, "ann", "ann's password", time.Minute)
	if err != nil || other == token {
		t.Fatalf("the second token is %q, %v", other, err)
	}
	for _, tt := range [][2]string{{"ann", "wrong"}, {"ann", ""}, {"bob", ""}, {"bob", "hash of "}, {"nobody", "ann's password"}, {"", ""}} {
		_, _, err := w.Login(w.ctx, tt[0], tt[1], time.Hour)
		wantCode(t, err, chat.CodeUnauthorized)
		if chat.ErrorMessage(err) != "wrong login or password" {
			t.Errorf("%q: %v", tt, err)
		}
	}
	for _, token := range []string{"", "0", chat.HashToken(token)} {
		_, err := w.OperatorByToken(w.ctx, token)
		wantCode(t, err, chat.CodeUnauthorized)
	}
	if o, err := w.OperatorByToken(w.ctx, token); err != nil || o.ID != ann.ID {
		t.Errorf("the token is %+v's, %v", o, err)
	}
	w.clock.advance(time.Minute)
	_, err = w.OperatorByToken(w.ctx, other)
	wantCode(t, err, chat.CodeUnauthorized)
	for range 2 { // an unknown one is no error
		if err := w.Logout(w.ctx, token); err != nil {
			t.Error(err)
		}
	}
	_, err = w.OperatorByToken(w.ctx, token)
	wantCode(t, err, chat.CodeUnauthorized)
}
