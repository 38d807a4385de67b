package crash_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// maxInflight is the integration's: what may be in flight at a kill.
const maxInflight = 16

// world is one installation that is killed again and again.
type world struct {
	t        *testing.T
	random   *rand.Rand
	data     string
	setup    string
	cluster  *pgtest.Server // nil on SQLite
	database string         // URL of its database there
	receiver *receiver
	load     *load
	total    totals
}

// totals are what all rounds did.
type totals struct {
	rounds, acked, unknown, inFlight, repeated, backups, lost, inverted int
}

// kinds are the ways to die. Each gets a running load and returns when the
// server is dead; died says what to write in the summary.
func kinds() []kind {
	return []kind{
		{name: "any moment", die: (*world).anyMoment},
		{name: "mid batch", failpoint: "store.mid_batch", most: 400, die: (*world).failpoint},
		{name: "committed, nobody told", failpoint: "store.committed", most: 150, die: (*world).failpoint},
		{name: "told, not woken", failpoint: "delivery.woken", most: 60, die: (*world).failpoint},
		{name: "2xx, not settled", failpoint: "webhook.answered", most: 300, die: (*world).failpoint},
		{name: "backup written, not named", failpoint: "backup.written", most: 1, die: (*world).midBackup},
		{name: "backup under way", die: (*world).midBackup},
		{name: "mid migration", failpoint: "store.script", most: 30, die: (*world).migration},
	}
}

type kind struct {
	name      string
	failpoint string
	most      int // passages
	servers   int // that are killed, 0 for 1
	die       func(w *world, k kind) (died string)
}

// TestCrash is the rounds on SQLite, one of each kind unless more are asked for.
func TestCrash(t *testing.T) {
	w := newCrashWorld(t)
	w.run(cmp.Or(*rounds, len(kinds())), kinds())
}

func newCrashWorld(t *testing.T) *world {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	w := newWorld(t, "")
	w.random = rand.New(rand.NewPCG(*seed, 0))
	w.receiver.flapping = true
	return w
}

// run makes the rounds, kind after kind, and demands that all comes to rest.
func (w *world) run(n int, kinds []kind) {
	for i := range n {
		w.round(i+1, kinds[i%len(kinds)])
		if w.t.Failed() {
			return
		}
	}
	w.finish()
}

// round lets the server run under load, die, and be held to account.
func (w *world) round(number int, k kind) {
	died := k.die(w, k)
	before := w.total
	a := w.audit()
	inFlight := w.receiver.settle(w.t, a.ids)
	w.expire()
	repeated, problems := w.receiver.report()
	unknown := a.stored - w.ackedOfAll()
	w.total.rounds++
	w.total.acked = w.ackedOfAll()
	w.total.unknown += unknown
	w.total.inFlight += inFlight
	w.total.repeated += repeated
	w.total.lost += a.lost
	w.total.inverted += a.inverted
	w.t.Logf("round %d: %s, %s: %d acknowledged (+%d), stored without a word %d; delivered %d + parked %d + pending %d = %d; in flight %d, repeated %d; lost %d, inverted %d",
		number, k.name, died, w.total.acked, w.total.acked-before.acked, unknown, a.delivered, a.parked, a.pending, a.accepted, inFlight, repeated,
		a.lost, a.inverted)
	if most := maxInflight * max(k.servers, 1); inFlight > most {
		w.t.Errorf("%d webhooks were taken and not settled; at most %d are under way at once", inFlight, most)
	}
	for _, p := range append(a.problems, problems...) {
		w.t.Errorf("round %d: %s", number, p)
	}
}

func (w *world) acked(chat string) int {
	var writer, c int
	if _, err := fmt.Sscanf(chat, "w%d-%d", &writer, &c); err != nil {
		w.t.Fatal(err)
	}
	return w.load.next[writer][c]
}

func (w *world) ackedOfAll() int {
	n := 0
	for _, list := range w.load.next {
		for _, next := range list {
			n += next
		}
	}
	return n
}

// anyMoment kills after a random number of acknowledgements.
func (w *world) anyMoment(kind) string {
	p := w.serve("")
	p.mustBeUp(w.t)
	w.load.start(p.url, 20+w.random.Int64N(400))
	w.await(p)
	w.aMoment()
	p.kill()
	w.load.end()
	return "killed"
}

// await waits for the load to have had its acknowledgements.
func (w *world) await(p *process) {
	w.t.Helper()
	select {
	case <-w.load.reached:
	case <-p.dead:
		w.t.Fatalf("the server died by itself:\n%s", p.text())
	case <-time.After(patience):
		w.t.Fatalf("the load is not served: %d acknowledged, %d refused:\n%s", w.load.acked.Load(), w.load.refused.Load(), p.text())
	}
}

// failpoint lets the server die at the n-th passage.
func (w *world) failpoint(k kind) string {
	at := fmt.Sprintf("%s:%d", k.failpoint, 1+w.random.IntN(k.most))
	p := w.serve(at)
	if !p.up(w.t) {
		return at + ", at start" // applying the setup passes it, too
	}
	w.load.start(p.url, 1)
	p.died(w.t)
	w.load.end()
	return at
}

// midBackup kills while a backup is being made. If there is a file under the
// backup's name, it is a good backup of all that was acknowledged before.
func (w *world) midBackup(k kind) string {
	at := ""
	if k.failpoint != "" {
		at = k.failpoint + ":1"
	}
	p := w.serve(at)
	p.mustBeUp(w.t)
	w.load.start(p.url, 20+w.random.Int64N(200))
	w.await(p)
	promised := w.promised()
	file := filepath.Join(filepath.Dir(w.data), "backup.db")
	told := make(chan error, 1)
	go func() {
		_, err := tolmach("backup", "--data", w.data, file)
		told <- err
	}()
	var err error
	switch {
	case at != "":
		p.died(w.t)
		err = <-told
	case w.random.IntN(2) == 0: // let it end: then it must be there and whole
		err = <-told
		p.kill()
	default:
		<-time.After(time.Duration(w.random.IntN(150)) * time.Millisecond)
		p.kill()
		err = <-told
	}
	w.load.end()
	return w.judgeBackup(file, err, promised, at != "")
}

// promised is what is acknowledged now, while the writers go on.
func (w *world) promised() int64 { return w.load.acked.Load() + int64(w.total.acked) }

func (w *world) judgeBackup(file string, told error, promised int64, unnamed bool) string {
	if leftovers, err := filepath.Glob(file + ".partial-*"); err == nil {
		for _, name := range leftovers {
			_ = os.Remove(name) // documented: an interrupted backup may leave one
		}
	}
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if told == nil {
			w.t.Error("the backup command reported success and there is no file")
		}
		return "killed, no backup"
	}
	if unnamed {
		w.t.Error("a backup has its name before it is finished")
	}
	w.total.backups++
	a := auditFile(w.t, file, func(string) int { return 0 })
	if int64(a.stored) < promised {
		w.t.Errorf("the backup has %d messages; %d were acknowledged before it began", a.stored, promised)
	}
	if err := os.Remove(file); err != nil {
		w.t.Fatal(err)
	}
	return "killed, backup whole"
}

// migration kills a new installation while its schema is made; the next start
// finishes it. The installation under test is not touched.
func (w *world) migration(k kind) string {
	dir, err := os.MkdirTemp("", "tc")
	if err != nil {
		w.t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	data, setup := filepath.Join(dir, "data"), writeSetup(w.t, dir, "http://127.0.0.1:9")
	at := fmt.Sprintf("%s:%d", k.failpoint, 1+w.random.IntN(k.most))
	env := w.newInstallation()
	first := serve(w.t, data, setup, at, env...)
	if first.up(w.t) {
		first.kill()
		at += " (not reached)"
	}
	second := serve(w.t, data, setup, "", env...)
	second.mustBeUp(w.t)
	probe := newLoad()
	probe.start(second.url, 1)
	select {
	case <-probe.reached:
	case <-time.After(patience):
		w.t.Fatalf("killed at %s, then not served:\n%s", at, second.text())
	}
	second.kill()
	probe.end()
	return at
}
