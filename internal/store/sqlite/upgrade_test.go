package sqlite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// release makes TestUpgrade write down the database of a release, before its
// first migration that is not in it is added:
//
//	go test ./internal/store/sqlite -run TestUpgrade -release 0.1.0
var release = flag.String("release", "", "write testdata/released/<release>.sql from this version")

// TestUpgrade opens the database of every release as a text of SQL, and finds
// in it what was there, and work goes on. What was released is never written
// anew: its portrait is what it must still look like.
func TestUpgrade(t *testing.T) {
	if *release != "" {
		writeRelease(t, filepath.Join("testdata", "released", *release))
	}
	dumps, err := filepath.Glob("testdata/released/*.sql")
	if err != nil || len(dumps) == 0 {
		t.Fatalf("there are no databases of releases: %v", err)
	}
	for _, dump := range dumps {
		t.Run(strings.TrimSuffix(filepath.Base(dump), ".sql"), func(t *testing.T) {
			o := testOptions(t.TempDir())
			o.Now = clockAt(upgradedAt)
			load(t, o, dump)
			want, err := os.ReadFile(strings.TrimSuffix(dump, ".sql") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			s, stop := running(t, o)
			defer stop()
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if got := portrait(t, s); got != string(want) {
				t.Errorf("upgraded it is\n%s\nbefore it was\n%s", got, want)
			}
			goOn(t, s)
		})
	}
}

var (
	writtenAt  = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	upgradedAt = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
)

func clockAt(moment time.Time) func() time.Time { return func() time.Time { return moment } }

// load makes a database of a dump.
func load(t *testing.T, o Options, dump string) {
	t.Helper()
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	script(t, o, string(text))
}

// script runs SQL on a database that nobody has opened.
func script(t *testing.T, o Options, text string) {
	t.Helper()
	dsn, err := dataSource(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connectWith(dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Script(text); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// goOn writes to a conversation of the old database and delivers what waited.
func goOn(t *testing.T, s *Store) {
	t.Helper()
	svc := core(t, s)
	tenant := svc.Catalog().TenantByName("local").ID
	task := svc.Catalog().Tasks(tenant)[0].ID
	before := said(t, s)
	if err := say(svc, tenant, task, 0, before[0]-1); err != nil { // its key is still known
		t.Fatal(err)
	}
	if err := say(svc, tenant, task, 0, before[0]); err != nil {
		t.Fatal(err)
	}
	if after := said(t, s); after[0] != before[0]+1 {
		t.Errorf("there were %d messages and there are %d; one was new and one was not", before[0], after[0])
	}
	if delivered := deliverAll(t, svc, chat.DeliveryDelivered); delivered < 2 {
		t.Errorf("%d events that waited were delivered", delivered)
	}
}

// writeRelease makes the database of this version: a little of everything.
func writeRelease(t *testing.T, name string) {
	t.Helper()
	o := testOptions(t.TempDir())
	o.Now = clockAt(writtenAt)
	s, stop := running(t, o)
	defer stop()
	svc := core(t, s)
	tenant, task := setUp(t, svc)
	for caller := range 3 {
		for n := range 2 {
			if err := say(svc, tenant, task, caller, n); err != nil {
				t.Fatal(err)
			}
		}
		// The first caller's lane ends settled, the second's parked, the third's waits for a retry.
		deliverAll(t, svc, []chat.DeliveryState{chat.DeliveryDelivered, chat.DeliveryParked, chat.DeliveryRetrying}[caller])
	}
	if err := svc.AddTarget(t.Context(), deaf{}.actor(tenant), task, "@anna"); err != nil {
		t.Fatal(err)
	}
	for suffix, text := range map[string]string{".sql": dump(t, s.writer.conn), ".txt": portrait(t, s)} {
		if err := os.WriteFile(name+suffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// deliverAll settles what is due of every endpoint, and counts.
func deliverAll(t *testing.T, svc *chat.Service, state chat.DeliveryState) (settled int) {
	t.Helper()
	for _, e := range svc.Catalog().Endpoints() {
		if e.Kind == chat.EndpointChannel {
			continue
		}
		lanes, err := svc.ClaimLanes(t.Context(), e, 100, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range lanes {
			for next := &lane; next != nil; settled++ {
				w, err := svc.NextWork(t.Context(), *next)
				if err != nil || w == nil {
					t.Fatalf("the head of a lane: %v, %v", w, err)
				}
				next, err = svc.Settle(t.Context(), settlement(w, state))
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return settled
}

func settlement(w *chat.Work, state chat.DeliveryState) chat.Settlement {
	at := chat.MicrosOf(writtenAt)
	return chat.Settlement{
		Work: w, State: state, Body: []byte(`{"text":"…"}`), Until: at.Add(1000 * time.Hour * 24), RetryAt: at.Add(time.Hour), Counts: true,
		Attempt: &chat.Attempt{At: at, Status: 200, TookMicros: 5},
	}
}

// dump writes a database down as SQL.
func dump(t *testing.T, c *conn) string {
	t.Helper()
	var b strings.Builder
	for _, sql := range column(t, c, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name`) {
		b.WriteString(sql + ";\n")
	}
	for _, table := range column(t, c, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`) {
		quoted := column(t, c, `SELECT 'quote("' || name || '")' FROM pragma_table_info('`+table+`') ORDER BY cid`)
		for _, row := range column(t, c, `SELECT `+strings.Join(quoted, ` || ', ' || `)+` FROM `+table+` ORDER BY 1`) {
			fmt.Fprintf(&b, "INSERT INTO %s VALUES (%s);\n", table, row)
		}
	}
	return b.String()
}

func column(t *testing.T, c *conn, query string) (values []string) {
	t.Helper()
	rows, err := c.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// portrait is what a database holds, in words that no later version changes.
func portrait(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	err := s.View(t.Context(), func(r chat.Reader) error {
		tenants, err := r.Tenants()
		if err != nil {
			return err
		}
		settings, err := r.Settings()
		if err != nil {
			return err
		}
		for _, setting := range settings {
			fmt.Fprintf(&b, "%s %d %q\n", setting.Kind, setting.ID, setting.Name)
		}
		for _, tenant := range tenants {
			fmt.Fprintf(&b, "tenant %d %q\n", tenant.ID, tenant.Name)
			if err := portraitOf(&b, r, tenant.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func portraitOf(b *strings.Builder, r chat.Reader, tenant chat.ID) error {
	list, err := r.Conversations(tenant, chat.ConversationFilter{Limit: 100})
	if err != nil {
		return err
	}
	for _, c := range list {
		fmt.Fprintf(b, "conversation %d %q, owner %s\n", c.ID, c.ExternalID, c.Owner.Kind)
		entries, err := r.Events(tenant, c.ID, 0, 100)
		if err != nil {
			return err
		}
		for _, e := range entries {
			fmt.Fprintf(b, "  %d at %d: %s", e.Seq, e.At, e.Kind)
			if e.Message != nil {
				fmt.Fprintf(b, " %s %q", e.Message.Author, e.Message.Content.Text)
			}
			b.WriteByte('\n')
		}
	}
	deliveries, err := r.Deliveries(tenant, chat.DeliveryFilter{Limit: 100})
	if err != nil {
		return err
	}
	for _, short := range deliveries {
		d, err := r.Delivery(tenant, short.ID)
		if err != nil {
			return err
		}
		tries, err := r.Attempts(tenant, d.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "delivery of %d/%d to %d: %s, %s, %d tries, body %q\n",
			d.ConversationID, d.Seq, d.EndpointID, d.WebhookID, d.State, len(tries), d.Body)
	}
	return nil
}

// TestUpgradeCountsPeople: who had conversations before loads were counted has
// them counted, and the old queue has an order.
func TestUpgradeCountsPeople(t *testing.T) {
	dumps, err := filepath.Glob("testdata/released/*.sql")
	if err != nil || len(dumps) == 0 {
		t.Fatalf("there are no databases of releases: %v", err)
	}
	o := testOptions(t.TempDir())
	load(t, o, dumps[0])
	script(t, o, `
		UPDATE conversations SET owner_kind = 'queue', owner_id = 0, last_at = id;
		UPDATE conversations SET owner_kind = 'operator', owner_id = 7 WHERE id IN (SELECT id FROM conversations ORDER BY id DESC LIMIT 2);`)
	s, stop := running(t, o)
	defer stop()
	tenant := core(t, s).Catalog().TenantByName("local").ID
	err = s.View(t.Context(), func(r chat.Reader) error {
		p, err := r.Presence(tenant, 7)
		if err != nil {
			return err
		}
		if p.Load != 2 || p.Status != chat.PresenceOffline {
			t.Errorf("he is %+v", p)
		}
		queue, err := r.Queue(tenant, chat.QueuePlace{}, 0)
		for _, c := range queue {
			if c.OwnerSince != chat.Micros(c.ID) {
				t.Errorf("%d waits since %d", c.ID, c.OwnerSince)
			}
		}
		if len(queue) == 0 {
			t.Error("nobody waits")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
