package crash_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the audit reads the tables by itself, not through the store it audits
	_ "modernc.org/sqlite"             // and so here
)

// audit is what the tables say.
type audit struct {
	stored    int // clients' messages
	answers   int // of the bot
	accepted  int // events that the integration must be told
	delivered int
	parked    int
	pending   int
	lost      int             // acknowledged and not stored
	inverted  int             // stored in another order than sent or asked
	ids       map[string]bool // webhook ids that count as delivered
	problems  []string
}

// auditCopy audits a copy of the database of a dead server, as the kill left
// it. acked is how many messages each chat was promised.
func auditCopy(t *testing.T, data string, acked func(chat string) int) audit {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(data, "tolmach.db"+suffix))
		if os.IsNotExist(err) && suffix != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a := auditFile(t, to, acked)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(to + suffix) // a hundred of them would be much
	}
	return a
}

func auditFile(t *testing.T, file string, acked func(chat string) int) audit {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	a := &auditor{t: t, db: db, question: `json_extract(NULLIF(e.data, ''), '$.question')`}
	var found string
	if err := db.QueryRow(`PRAGMA quick_check(1)`).Scan(&found); err != nil || found != "ok" {
		a.problem("the database is damaged: %s %v", found, err)
	}
	return a.look(acked)
}

type auditor struct {
	t        *testing.T
	db       *sql.DB
	question string // the expression for the question that an event answers
	audit
}

func (a *auditor) look(acked func(chat string) int) audit {
	a.ids = map[string]bool{}
	a.gaps()
	a.messages(acked)
	a.deliveries()
	return a.audit
}

func (a *auditor) problem(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

// number is the only value of a query.
func (a *auditor) number(query string, args ...any) int {
	a.t.Helper()
	var n int
	if err := a.db.QueryRow(query, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// each calls row for every row of a query.
func (a *auditor) each(row func(scan func(...any)), query string, args ...any) {
	a.t.Helper()
	rows, err := a.db.Query(query, args...)
	if err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		row(func(dest ...any) {
			if err := rows.Scan(dest...); err != nil {
				a.t.Fatal(err)
			}
		})
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
}

// gaps demands that there is none in any log.
func (a *auditor) gaps() {
	a.each(func(scan func(...any)) {
		var conversation, seq, first, last, count int64
		scan(&conversation, &seq, &first, &last, &count)
		a.problem("conversation %d says seq %d and has %d events from %d to %d", conversation, seq, count, first, last)
	}, `SELECT c.id, c.seq, min(e.seq), max(e.seq), count(*) FROM conversations c LEFT JOIN events e ON e.conversation_id = c.id
		GROUP BY c.id HAVING count(e.id) <> c.seq OR min(e.seq) <> 1 OR max(e.seq) <> c.seq`)
}

// messages demands of each chat the messages 0, 1, … in order, each once: all
// that were acknowledged and at most the one after, whose caller was left
// without an answer. Each has at most one answer, in the order of the questions.
func (a *auditor) messages(acked func(chat string) int) {
	said, answered := map[string]int{}, map[string]int64{}
	a.each(func(scan func(...any)) {
		var chat, author, content string
		var question int64
		scan(&chat, &author, &content, &question)
		if author == "BOT" {
			a.answers++
			if question <= answered[chat] {
				a.inverted++
				a.problem("%s: the question %d is answered after %d", chat, question, answered[chat])
			}
			answered[chat] = question
			return
		}
		a.stored++
		if want := fmt.Sprintf(`"echo %d"`, said[chat]); !strings.Contains(content, want) {
			a.inverted++
			a.problem("%s: the message after %d others is %s", chat, said[chat], content)
		}
		said[chat]++
	}, `SELECT c.external_id, m.author, m.content, COALESCE(`+a.question+`, 0)
		FROM events e JOIN messages m ON m.id = e.message_id JOIN conversations c ON c.id = e.conversation_id
		WHERE e.kind = 'message.created' ORDER BY e.conversation_id, e.seq`)
	for w := range writers {
		for c := range chats {
			chat := chatName(w, c)
			n := acked(chat)
			a.lost += max(0, n-said[chat])
			if said[chat] < n || said[chat] > n+1 {
				a.problem("%s: %d messages were acknowledged and %d are stored", chat, n, said[chat])
			}
		}
	}
}

// deliveries demands that every event an endpoint must be told is settled
// before its lane's position and waits after it: delivered + parked + pending =
// accepted, in each conversation.
func (a *auditor) deliveries() {
	wanted := map[string]string{"integration": `e.kind = 'message.created'`, "bot": `e.bot_id = $1`}
	for kind, wants := range wanted {
		endpoint := a.number(`SELECT id FROM settings WHERE kind = $1`, kind)
		from := `FROM events e
			LEFT JOIN deliveries d ON d.endpoint_id = $1 AND d.conversation_id = e.conversation_id AND d.seq = e.seq
			LEFT JOIN lanes l ON l.endpoint_id = $1 AND l.conversation_id = e.conversation_id WHERE ` + wants
		settled := `COALESCE(d.state IN ('delivered', 'parked', 'void'), FALSE)`
		behind := `COALESCE(e.seq >= l.next_seq, FALSE)`
		a.each(func(scan func(...any)) {
			var conversation, seq int64
			var state sql.NullString
			var next sql.NullInt64
			scan(&conversation, &seq, &state, &next)
			a.problem("%s: event %d of conversation %d is %q and the lane is at %v", kind, seq, conversation, state.String, next)
		}, `SELECT e.conversation_id, e.seq, d.state, l.next_seq `+from+` AND `+settled+` = `+behind+` LIMIT 5`, endpoint)
		if kind == "bot" {
			continue
		}
		a.accepted = a.number(`SELECT count(*) `+from, endpoint)
		a.pending = a.number(`SELECT count(*) `+from+` AND `+behind, endpoint)
		a.parked = a.number(`SELECT count(*) `+from+` AND d.state = 'parked'`, endpoint)
		a.each(func(scan func(...any)) {
			var id string
			scan(&id)
			a.ids[id] = true
		}, `SELECT webhook_id FROM deliveries WHERE endpoint_id = $1 AND state = 'delivered'`, endpoint)
		if a.delivered = len(a.ids); a.delivered+a.parked+a.pending != a.accepted {
			a.problem("%d delivered + %d parked + %d pending are not %d accepted", a.delivered, a.parked, a.pending, a.accepted)
		}
	}
}
