package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestCacheModel: random use cases in random batches, some of which fail in
// every way there is, see and store the same with the cache, whatever its
// size, as without it.
func TestCacheModel(t *testing.T) {
	cached, plain := newModel(t), newModel(t)
	rapid.Check(t, func(rt *rapid.T) {
		room := rapid.SampledFrom([]int{rowRoom, 1000, 300}).Draw(rt, "room")
		cached.begin(newCache(room, room))
		plain.begin(newCache(0, 0))
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			cases := rapid.SliceOfN(rapid.Custom(drawCase), 1, 6).Draw(rt, "batch")
			cases = append(cases, look)
			foreign := rapid.IntRange(0, 9).Draw(rt, "somebody else writes") == 0
			got, want := cached.batch(cases, foreign), plain.batch(cases, foreign)
			if !slices.Equal(got, want) {
				rt.Fatalf("with the cache:\n%s\nwithout:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		if got, want := cached.rows(), plain.rows(); got != want {
			rt.Fatalf("stored with the cache:\n%s\nwithout:\n%s", got, want)
		}
	})
}

// step is one call of a use case; it says what it saw.
type step struct {
	name string
	do   func(tx chat.Tx) string
}

func (s step) String() string { return s.name }

// useCase is its steps and how it ends.
type useCase struct {
	steps []step
	end   string
}

var ends = []string{"well", "well", "well", "well", "refused", "panics", "aborted", "spoils the commit"}

// look ends every batch: it reads all there is.
var look = useCase{[]step{{"look", func(tx chat.Tx) string {
	var all []string
	for _, name := range []string{"Client", "ClientByExternalID", "Conversation", "ConversationByKey", "Session", "Lane"} {
		for n := range chat.ID(12) {
			d := drawn{tenant: 1 + n/6, id: 1 + n%3, other: 1 + n%2, text: []string{"", "a", "б<"}[n%3]}
			all = append(all, modelSteps[name](tx, d))
		}
	}
	return strings.Join(all, "\n\t\t")
}}}, "well"}

func drawCase(rt *rapid.T) useCase {
	return useCase{rapid.SliceOfN(rapid.Custom(drawStep), 1, 6).Draw(rt, "steps"), rapid.SampledFrom(ends).Draw(rt, "end")}
}

// drawn are the arguments of a step: few, so that steps meet.
type drawn struct {
	tenant, id, other chat.ID
	text              string
	n                 int64
}

var modelSteps = map[string]func(tx chat.Tx, d drawn) string{
	"Client":             func(tx chat.Tx, d drawn) string { return seen(tx.Client(d.tenant, d.id)) },
	"ClientByExternalID": func(tx chat.Tx, d drawn) string { return seen(tx.ClientByExternalID(d.tenant, 1, d.text)) },
	"CreateClient": func(tx chat.Tx, d drawn) string {
		return outcome(tx.CreateClient(&chat.Client{ID: d.id, TenantID: d.tenant, CreatedAt: 5, Metadata: map[string]any{"n": d.n}}))
	},
	"SaveClient": func(tx chat.Tx, d drawn) string {
		c, err := tx.Client(d.tenant, d.id)
		if err != nil {
			return outcome(err)
		}
		c.LastAt, c.Profile["name"], c.Metadata[d.text] = chat.Micros(d.n), d.text, map[string]any{"deep": []any{d.n}}
		return outcome(tx.SaveClient(c))
	},
	"spoil a copy": func(tx chat.Tx, d drawn) string {
		c, err := tx.Client(d.tenant, d.id)
		if err == nil {
			c.Profile["name"], c.Metadata["n"], c.LastAt = "spoiled", "spoiled", -1
		}
		return outcome(err)
	},
	"SaveClient blindly": func(tx chat.Tx, d drawn) string {
		return outcome(tx.SaveClient(&chat.Client{ID: d.id, TenantID: d.tenant, LastAt: chat.Micros(d.n)}))
	},
	"LinkExternalID":    func(tx chat.Tx, d drawn) string { return outcome(tx.LinkExternalID(d.tenant, 1, d.text, d.id)) },
	"Conversation":      func(tx chat.Tx, d drawn) string { return seen(tx.Conversation(d.tenant, d.id)) },
	"ConversationByKey": func(tx chat.Tx, d drawn) string { return seen(tx.ConversationByKey(d.tenant, 1, d.other, d.text)) },
	"CreateConversation": func(tx chat.Tx, d drawn) string {
		return outcome(tx.CreateConversation(&chat.Conversation{
			ID: d.id, TenantID: d.tenant, ClientID: d.other, TaskID: 1, Key: d.text, Seq: d.n, Vars: map[string]any{"n": d.n},
		}))
	},
	"SaveConversation": func(tx chat.Tx, d drawn) string {
		c, err := tx.Conversation(d.tenant, d.id)
		if err != nil {
			return outcome(err)
		}
		c.Seq, c.Owner, c.OwnerSince = c.Seq+1, chat.Owner{Kind: chat.OwnerQueue, ID: d.other}, chat.Micros(d.n)
		c.Vars[d.text] = d.n
		return outcome(tx.SaveConversation(c))
	},
	"SaveConversation blindly": func(tx chat.Tx, d drawn) string {
		return outcome(tx.SaveConversation(&chat.Conversation{ID: d.id, TenantID: d.tenant, Key: "new", Seq: d.n}))
	},
	"Session": func(tx chat.Tx, d drawn) string { return seen(tx.Session(d.tenant, d.id)) },
	"CreateSession": func(tx chat.Tx, d drawn) string {
		return outcome(tx.CreateSession(&chat.Session{ID: d.id, TenantID: d.tenant, UUID: d.text, Tried: []chat.ID{}}))
	},
	"SaveSession": func(tx chat.Tx, d drawn) string {
		s, err := tx.Session(d.tenant, d.id)
		if err != nil {
			return outcome(err)
		}
		s.Version, s.Tried, s.Wish = s.Version+1, append(s.Tried, d.other), []byte(`{"queue":1}`)
		return outcome(tx.SaveSession(s))
	},
	"WakeLane": func(tx chat.Tx, d drawn) string { return outcome(tx.WakeLane(d.tenant, d.other, d.id, d.n)) },
	"Lane":     func(tx chat.Tx, d drawn) string { return seen(tx.Lane(d.tenant, d.other, d.id)) },
	"DropLane": func(tx chat.Tx, d drawn) string {
		l, err := tx.Lane(d.tenant, d.other, d.id)
		if err != nil {
			return outcome(err)
		}
		l.Epoch += d.n % 2 // somebody else's
		return outcome(tx.DropLane(l))
	},
	"AddReplays": func(tx chat.Tx, d drawn) string { return outcome(tx.AddReplays(d.tenant, d.other, d.id, d.n, 1)) },
	"ClaimLanes": func(tx chat.Tx, d drawn) string {
		lanes, err := tx.ClaimLanes(d.tenant, d.other, 2, chat.Micros(d.n))
		return fmt.Sprint(lanes, outcome(err))
	},
	"SetTimer": func(tx chat.Tx, d drawn) string {
		return outcome(tx.SetTimer(&chat.Timer{TenantID: d.tenant, ConversationID: d.id, Kind: kindOf(d), Key: d.text, DueAt: chat.Micros(d.n)}))
	},
	"CancelTimers": func(tx chat.Tx, d drawn) string { return outcome(tx.CancelTimers(d.tenant, d.id, kindOf(d))) },
	"TakeTimer":    func(tx chat.Tx, _ drawn) string { return seen(tx.TakeTimer()) },
}

func kindOf(d drawn) chat.TimerKind {
	return []chat.TimerKind{chat.TimerLate, chat.TimerReminder}[d.other%2]
}

func drawStep(rt *rapid.T) step {
	names := make([]string, 0, len(modelSteps))
	for name := range modelSteps {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(rt, "step")
	d := drawn{
		tenant: chat.ID(rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(rt, "tenant")), id: chat.ID(rapid.IntRange(1, 3).Draw(rt, "id")),
		other: chat.ID(rapid.IntRange(1, 2).Draw(rt, "other")), text: rapid.SampledFrom([]string{"", "a", "б<"}).Draw(rt, "text"),
		n: rapid.Int64Range(0, 9).Draw(rt, "n"),
	}
	return step{fmt.Sprintf("%s %+v", name, d), func(tx chat.Tx) string { return modelSteps[name](tx, d) }}
}

func seen[T any](row *T, err error) string {
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprintf("%#v", *row)
}

func outcome(err error) string { return fmt.Sprint(chat.ErrorCode(err), err) }

// model is a store whose batches are made by hand.
type model struct {
	t     *testing.T
	store *Store
	other *conn
}

func newModel(t *testing.T) *model {
	o := testOptions(t.TempDir())
	o.Now = func() time.Time { return time.UnixMicro(4) }
	s := opened(t, o)
	other, err := connectWith("file:"+o.Path, writerPragmas)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	return &model{t, s, other}
}

var modelTables = []string{"clients", "external_ids", "conversations", "sessions", "lanes", "timers"}

// begin empties the store.
func (m *model) begin(c *cache) {
	m.store.writer.cache = c
	for _, table := range modelTables {
		if err := m.other.Script(`DELETE FROM ` + table); err != nil {
			m.t.Fatal(err)
		}
	}
}

// batch runs the use cases together and says what they saw and were told.
func (m *model) batch(cases []useCase, foreign bool) []string {
	if foreign {
		err := m.other.Script(`UPDATE clients SET last_at = last_at + 1; UPDATE conversations SET seq = seq + 1;
			DELETE FROM lanes WHERE endpoint_id = 1; UPDATE sessions SET version = version + 1`)
		if err != nil {
			m.t.Fatal(err)
		}
	}
	log := make([]string, len(cases))
	var jobs []*job
	b := &batch{writer: m.store.writer, began: time.Now()}
	for i, c := range cases {
		j := &job{ctx: context.Background(), answer: make(chan error, 1), fn: func(tx chat.Tx) error {
			log[i] = c.end + ":"
			for _, s := range c.steps {
				log[i] += "\n\t" + s.name + " → " + s.do(tx)
			}
			return m.end(c.end)
		}}
		jobs = append(jobs, j)
		if !b.over {
			b.run(j)
		}
	}
	b.finish()
	for _, j := range b.orphans {
		alone := &batch{writer: m.store.writer, began: time.Now()}
		alone.run(j)
		alone.finish()
	}
	for i, j := range jobs {
		select {
		case err := <-j.answer:
			log[i] += "\n\t" + fmt.Sprint(chat.ErrorCode(err))
		default: // it came after the end of the transaction
		}
	}
	return log
}

func (m *model) end(how string) error {
	c := m.store.writer.conn
	switch how {
	case "refused":
		return chat.Errorf(chat.CodeClosed, "no")
	case "panics":
		panic("a bug")
	case "aborted": // the engine gives the transaction up when something fails
		return errors.Join(c.Script(`ROLLBACK`), chat.Errorf(chat.CodeUnavailable, "full"))
	case "spoils the commit":
		return c.Script(`CREATE TABLE IF NOT EXISTS debt (id INTEGER PRIMARY KEY, of INTEGER
			REFERENCES debt (id) DEFERRABLE INITIALLY DEFERRED); INSERT OR IGNORE INTO debt VALUES (1, 2)`)
	}
	return nil
}

// rows is all that the model's steps may have changed.
func (m *model) rows() string {
	var all strings.Builder
	for _, table := range modelTables {
		rows, err := m.other.Query(`SELECT * FROM ` + table)
		if err != nil {
			m.t.Fatal(err)
		}
		for rows.Next() {
			fmt.Fprintf(&all, "%s %v\n", table, rows.(interface{ all() []any }).all())
		}
		if err := rows.Err(); err != nil {
			m.t.Error(err)
		}
		rows.Close()
	}
	return all.String()
}

func (r *rows) all() []any {
	var values []any
	for _, v := range r.values {
		values = append(values, v)
	}
	return values
}
