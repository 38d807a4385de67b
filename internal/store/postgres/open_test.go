package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/migrations"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

func TestOpenRefuses(t *testing.T) {
	known, err := migrations.List(migrations.Words{})
	if err != nil {
		t.Fatal(err)
	}
	server := pgtest.Shared(t)
	database := server.Database(t)
	for name, c := range map[string]struct{ change, says string }{
		"a newer schema":               {fmt.Sprintf(`INSERT INTO schema_migrations VALUES (%d, 'of_tomorrow', 0)`, len(known)+1), "newer version"},
		"a schema of another branch":   {`UPDATE schema_migrations SET name = 'other' WHERE version = 2`, "another branch"},
		"what is in the schema's way":  {`DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)`, "migration 000"},
		"a schema without its counter": {`DROP SEQUENCE ids; DELETE FROM sequences; ALTER TABLE sequences RENAME TO other`, "making the sequence of ids"},
	} {
		t.Run(name, func(t *testing.T) {
			schema := server.Schema(t, database)
			first, err := Open(t.Context(), options(schema))
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			for statement := range strings.SplitSeq(c.change, "; ") {
				server.Exec(t, schema, statement)
			}
			refused(t, schema, c.says)
		})
	}
}

// refused demands that the address is refused with a reason, and without its
// password.
func refused(t *testing.T, address, says string) {
	t.Helper()
	s, err := Open(t.Context(), options(address))
	if err == nil {
		t.Error(s.Close())
		t.Fatal("it was opened")
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("the error is %q, want it to say %q", err, says)
	}
	if u, parsed := url.Parse(address); parsed == nil && u.User != nil {
		if password, set := u.User.Password(); set && strings.Contains(err.Error(), password) {
			t.Error("the error tells the password")
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestOpenKeepsThePassword(t *testing.T) {
	u, err := url.Parse(pgtest.Shared(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong := *u
	wrong.User = url.UserPassword("tolmach", "hunter2")
	refused(t, wrong.String(), "password authentication failed")
	nobody := *u
	nobody.User, nobody.Host = url.UserPassword("tolmach", "hunter2"), "127.0.0.1:1"
	refused(t, nobody.String(), "check --database")
	refused(t, "postgres://tolmach:hunter2@127.0.0.1:port/x", "write it as postgres://")
}

// TestSettingsAreStronger: what the URL asks for does not make commits less
// durable.
func TestSettingsAreStronger(t *testing.T) {
	s := started(t, pgtest.Shared(t).Database(t)+"?synchronous_commit=off&default_transaction_isolation=serializable")
	for name, want := range settings {
		err := s.alone(t.Context(), chat.PriorityNormal, func(x chat.Tx) error {
			got, err := value[string](x.(*tx).conn, `SELECT current_setting($1)`, name)
			if err == nil && got != want {
				err = fmt.Errorf("%s is %s, want %s", name, got, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestCheckFindsWhatIsNotDurable(t *testing.T) {
	server := pgtest.Private(t)
	url := server.Database(t)
	s := started(t, url)
	server.Exec(t, url, `ALTER SYSTEM SET full_page_writes = off`)
	server.Control(t, "reload")
	waitUntil(t, spy(t, url), `SELECT current_setting('full_page_writes') = 'off'`)
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "full_page_writes") {
		t.Errorf("Check: %v, want it to name the setting", err)
	}
}

// TestClockIsTheDatabases: a transaction's now is when it began there, and the
// store's clock is near it.
func TestClockIsTheDatabases(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s, c := started(t, url), spy(t, url)
	before := ask[time.Time](t, c, `SELECT clock_timestamp()`)
	var now chat.Micros
	update(t, s, func(tx chat.Tx) error {
		now = tx.Now()
		if second := tx.Now(); second != now {
			t.Errorf("now moved from %d to %d", now, second)
		}
		return nil
	})
	after := ask[time.Time](t, c, `SELECT clock_timestamp()`)
	if now < chat.MicrosOf(before) || now > chat.MicrosOf(after) {
		t.Errorf("now is %v, want it between %v and %v", now.Time(), before, after)
	}
	if got := s.Now(); got.Before(before.Add(-time.Second)) || got.After(after.Add(time.Minute)) {
		t.Errorf("the store's clock says %v; the database's said %v", got, before)
	}
}

func TestTextThatCanNotBeStored(t *testing.T) {
	s := started(t, pgtest.Shared(t).Database(t))
	for _, text := range []string{"a\x00b", "a\xffb"} {
		err := s.Update(t.Context(), chat.PriorityNormal, addTenant(text))
		if chat.ErrorCode(err) != chat.CodeInvalid || strings.Contains(chat.ErrorMessage(err), text) {
			t.Errorf("%q: %v, want invalid", text, err)
		}
	}
}

// TestSwallowedConflict: a use case that ignores a violated key does not end as
// if it were stored.
func TestSwallowedConflict(t *testing.T) {
	s := started(t, pgtest.Shared(t).Database(t))
	setting := &chat.Setting{ID: 1, TenantID: tenant, Kind: chat.KindTag, Name: "vip"}
	twin := &chat.Setting{ID: 2, TenantID: tenant, Kind: chat.KindTag, Name: "vip"}
	err := s.Update(t.Context(), chat.PriorityNormal, func(tx chat.Tx) error {
		if err := tx.SaveSetting(setting); err != nil {
			return err
		}
		_ = tx.SaveSetting(twin) // the mistake
		return nil
	})
	if chat.ErrorCode(err) != chat.CodeConflict {
		t.Errorf("got %v, want a conflict", err)
	}
}

// TestGate: bulk work and a full queue do not keep others out, and who waits
// leaves when his context ends.
func TestGate(t *testing.T) {
	o := options(pgtest.Shared(t).Database(t))
	o.Writers, o.Queue = 1, 1
	s, stop := running(t, o)
	t.Cleanup(stop)
	for name, update := range map[string]updater{"in a batch": s.Update, "alone": s.alone} {
		t.Run(name, func(t *testing.T) { checkGate(t, s, update) })
	}
}

func checkGate(t *testing.T, s *Store, update updater) {
	nothing := func(chat.Tx) error { return nil }
	busy := holdIn(t, update, nothing)
	ctx, leave := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- update(ctx, chat.PriorityNormal, nothing) }()
	for s.gate.length() == 0 { // until it has come to the gate
		runtime.Gosched()
	}
	if err := update(t.Context(), chat.PriorityNormal, nothing); chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Errorf("behind a full queue: %v, want unavailable", err)
	}
	leave()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v, want his context's error", err)
	}
	if err := s.Update(t.Context(), chat.PriorityBulk, nothing); err != nil {
		t.Errorf("bulk work beside it: %v", err)
	}
	if err := busy.end(nil); err != nil {
		t.Error(err)
	}
}

func TestObserverHearsOfCommits(t *testing.T) {
	var told []Commit
	o := options(pgtest.Shared(t).Database(t))
	o.Observe = func(c Commit) { told = append(told, c) }
	s, stop := running(t, o)
	t.Cleanup(stop)
	update(t, s, addTenant("a"))
	_ = s.Update(t.Context(), chat.PriorityNormal, func(chat.Tx) error { return errors.New("no") })
	if len(told) != 1 || told[0].Err != nil || told[0].Took <= 0 {
		t.Errorf("told %+v, want one commit", told)
	}
}
