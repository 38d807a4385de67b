package crash_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// TestPostgreSQLStops crashes PostgreSQL under load and starts it again: no
// false acknowledgement, /readyz says what is wrong, and the server goes on by
// itself. As it does not die nothing is sent twice.
func TestPostgreSQLStops(t *testing.T) {
	w := newWorld(t, "")
	w.on(pgtest.Private(t))
	p := w.serve("")
	p.mustBeUp(t)
	w.load.start(p.url, 100)
	w.await(p)
	w.cluster.Control(t, "stop", "-m", "immediate")
	w.away(p)
	w.cluster.Control(t, "start")
	w.back(p)
}

// TestPostgreSQLFailsOver kills the primary of two PostgreSQL servers under
// load, whose addresses the server has both, and promotes the standby.
func TestPostgreSQLFailsOver(t *testing.T) {
	primary, standby := pgtest.Pair(t)
	w := newWorld(t, "")
	w.on(primary)
	audited := standby.Named(t, w.database)
	w.database = either(t, w.database, standby)
	p := w.serve("")
	p.mustBeUp(t)
	w.load.start(p.url, 100)
	w.await(p)
	primary.Kill(t)
	w.away(p)
	standby.Control(t, "promote")
	w.database = audited
	w.back(p)
}

// either is the address of a database on two servers, whichever takes writes.
func either(t *testing.T, database string, other *pgtest.Server) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.Host += "," + other.Host(t)
	u.RawQuery = "target_session_attrs=read-write"
	return u.String()
}

// away demands what has to be while there is no database.
func (w *world) away(p *process) {
	w.t.Helper()
	w.wantReady(p, 503, "database")
	if r := harness.Call(w.t, "GET", p.url+"/healthz", nil); r.Status != 200 {
		w.t.Errorf("a database that is away is no reason to restart, but /healthz answers %d", r.Status)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for since := w.load.refused.Load(); w.load.refused.Load() == since; {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatal("nobody is refused")
		}
	}
}

// back demands that all goes on when there is one again, and that nothing of
// what was promised before, meanwhile or since is missing, or came twice.
func (w *world) back(p *process) {
	w.t.Helper()
	w.wantReady(p, 200, "ready")
	w.awaitMore(p, 100)
	refused := w.load.refused.Load()
	w.load.end()
	signIn(w.t, p.url).drained()
	p.stop(w.t)
	if !strings.Contains(p.text(), "store.reconnected") {
		w.t.Errorf("the log does not tell that the database is back:\n%s", p.text())
	}
	a := w.account()
	if a.pending != 0 {
		w.t.Errorf("%d deliveries are left", a.pending)
	}
	w.t.Logf("%d acknowledged and %d stored, %d delivered + %d parked = %d; %d calls were refused",
		w.ackedOfAll(), a.stored, a.delivered, a.parked, a.accepted, refused)
}
