package crash_test

import (
	"database/sql"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// postgresKinds are the ways to die with a PostgreSQL, and the ways of that.
func postgresKinds() []kind {
	return []kind{
		{name: "one of two servers", servers: 2, die: (*world).oneOfTwo},
		{name: "database restarted", die: (*world).databaseRestarted},
		{name: "2xx, not settled", failpoint: "webhook.answered", most: 300, die: (*world).failpoint},
		{name: "any moment", die: (*world).anyMoment},
		{name: "database process killed", die: (*world).backendKilled},
		{name: "committed, nobody told", failpoint: "store.committed", most: 150, die: (*world).failpoint},
		{name: "told, not woken", failpoint: "delivery.woken", most: 60, die: (*world).failpoint},
		{name: "mid batch", failpoint: "store.mid_batch", most: 400, die: (*world).failpoint},
		{name: "mid migration", failpoint: "store.script", most: 10, die: (*world).migration},
	}
}

// TestCrashPostgreSQL is the rounds on PostgreSQL.
func TestCrashPostgreSQL(t *testing.T) {
	w := newCrashWorld(t)
	w.on(pgtest.Private(t))
	n := *pgRounds
	if n == 0 {
		n = 3
	}
	w.run(n, postgresKinds())
}

// on puts the installation on a PostgreSQL server.
func (w *world) on(cluster *pgtest.Server) {
	w.cluster, w.database = cluster, cluster.Database(w.t)
}

// env says where the server's database is.
func (w *world) env() []string {
	if w.cluster == nil {
		return nil
	}
	return []string{"TOLMACH_DATABASE=" + w.database, "TOLMACH_DELIVERY_LEASE=1s"} // it makes the least of it
}

// newInstallation is env for one more, that is empty.
func (w *world) newInstallation() []string {
	if w.cluster == nil {
		return nil
	}
	return []string{"TOLMACH_DATABASE=" + w.cluster.Database(w.t)}
}

// beside starts a second server of the installation.
func (w *world) beside() *process {
	return serve(w.t, filepath.Join(filepath.Dir(w.data), "data2"), w.setup, "", w.env()...)
}

// expire ends the claims of servers that are all dead, as the time until their
// leases end would: on PostgreSQL nobody may touch what they had under way for
// three quarters of a minute. The last round of many waits for that indeed.
func (w *world) expire() {
	if w.cluster == nil || *pgRounds > 0 && w.total.rounds+1 == *pgRounds {
		return
	}
	w.cluster.Exec(w.t, w.database, `UPDATE lanes SET due_at = due_at - 600000000 WHERE claimed`)
}

// oneOfTwo kills one of two servers that share the work, and the other one
// after it has gone on for a while.
func (w *world) oneOfTwo(kind) string {
	first, second := w.serve(""), w.beside()
	first.mustBeUp(w.t)
	second.mustBeUp(w.t)
	w.load.spread([]string{first.url, second.url}, 40+w.random.Int64N(400))
	w.await(first)
	w.aMoment()
	first.kill()
	w.awaitMore(second, 50+w.random.Int64N(200))
	second.kill()
	w.load.end()
	return "both killed, one after the other"
}

// databaseRestarted crashes PostgreSQL under the load, and the server after it
// has gone on by itself.
func (w *world) databaseRestarted(kind) string {
	return w.troubled(func() { w.cluster.Control(w.t, "restart", "-m", "immediate") })
}

// backendKilled is kill -9 of the process that serves one connection: PostgreSQL
// then ends all the others and recovers.
func (w *world) backendKilled(kind) string {
	return w.troubled(func() {
		if err := syscall.Kill(w.backend(), syscall.SIGKILL); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *world) troubled(trouble func()) string {
	p := w.serve("")
	p.mustBeUp(w.t)
	w.load.start(p.url, 20+w.random.Int64N(400))
	w.await(p)
	w.aMoment()
	trouble()
	w.awaitMore(p, 50+w.random.Int64N(100))
	p.kill()
	w.load.end()
	return "gone on by itself, killed"
}

// backend is a process of PostgreSQL that serves the server.
func (w *world) backend() (pid int) {
	db := openDatabase(w.t, w.database)
	defer db.Close()
	const any = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`
	if err := db.QueryRow(any).Scan(&pid); err != nil {
		w.t.Fatal(err)
	}
	return pid
}

// aMoment ends anywhere between two answers.
func (w *world) aMoment() { <-time.After(time.Duration(w.random.IntN(3000)) * time.Microsecond) }

// awaitMore waits for so many more acknowledgements.
func (w *world) awaitMore(p *process, more int64) {
	w.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for until := w.load.acked.Load() + more; w.load.acked.Load() < until; {
		select {
		case <-tick.C:
		case <-p.dead:
			w.t.Fatalf("the server died by itself:\n%s", p.text())
		case <-deadline:
			w.t.Fatalf("the load is not served any more: %d acknowledged, %d refused:\n%s", w.load.acked.Load(), w.load.refused.Load(), p.text())
		}
	}
}

func openDatabase(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// auditDatabase audits a PostgreSQL database whose servers are dead, once it
// has noticed that: what they had under way is committed or not by then.
func auditDatabase(t *testing.T, url string, acked func(chat string) int) audit {
	t.Helper()
	db := openDatabase(t, url)
	defer db.Close()
	a := &auditor{t: t, db: db, question: `CAST(NULLIF(e.data, '')::json->>'question' AS BIGINT)`}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for a.number(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`) > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("PostgreSQL still serves a dead server")
		}
	}
	return a.look(acked)
}
