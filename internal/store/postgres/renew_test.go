package postgres

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// TestRenew: a database that went back to a dump has what was in the dump, under
// another epoch, and gives out no id that came after the dump.
func TestRenew(t *testing.T) {
	server := pgtest.Shared(t)
	url, copied := server.Database(t), server.Database(t)
	s, stop := running(t, options(url))
	conversation := newTalk(t, s)
	update(t, s, sayIn(conversation))
	dump := t.TempDir() + "/dump"
	command(t, "pg_dump", "--format=custom", "--file="+dump, url)
	var after chat.ID
	update(t, s, func(tx chat.Tx) (err error) { after, err = say(tx, conversation); return err })

	if err := Renew(t.Context(), options(url)); err == nil || !strings.Contains(err.Error(), "stop every one") {
		t.Errorf("with a store that is open: %v", err)
	}
	epoch := s.Epoch()
	stop()
	if err := Renew(t.Context(), options(copied)); err == nil || !strings.Contains(err.Error(), "not a database of tolmach") {
		t.Errorf("an empty database: %v", err)
	}

	command(t, "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+copied, dump)
	if err := Renew(t.Context(), options(copied)); err != nil {
		t.Fatal(err)
	}
	s = started(t, copied)
	if s.Epoch() == epoch {
		t.Error("the epoch is that of before")
	}
	if got := feed(t, s, 0); len(got) != 1 {
		t.Fatalf("%d events, want the one of the dump", len(got))
	}
	update(t, s, func(tx chat.Tx) error {
		id, err := say(tx, conversation)
		if id <= after {
			t.Errorf("id %d was given out before: %d was", id, after)
		}
		return err
	})
	if err := s.View(t.Context(), func(r chat.Reader) error {
		conv, err := r.Conversation(tenant, conversation)
		if err == nil && conv.Seq != 2 {
			t.Errorf("seq %d, want 2", conv.Seq)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
