package sqlite

import (
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/storetest"
)

// mayWalk are parts of the statements that may walk a table or sort, and why.
var mayWalk = map[string]string{
	"FROM tenants":                          "a few rows",
	"FROM settings":                         "read whole into memory, when they change",
	"FROM endpoint_health":                  "one row an endpoint, at start",
	"FROM schema_migrations":                "a few rows, at start",
	"UPDATE lanes SET claimed = FALSE, due": "at start",
	"sqlite_version":                        "no table",
	"GROUP BY task_id":                      "a report",
	"SELECT DISTINCT tenant_id":             "a few rows: who works here",
	") AS found":                            "counts what a search has found",
	"+tenant_id":                            "sorts one conversation's deliveries",
}

// uses are the indexes that the statements with these parts must use.
var uses = map[string]string{
	"FROM lanes\n\t\t WHERE endpoint_id = $1 AND (blocked": "lanes_due",
	"e.conversation_id = $1 AND e.seq > $2":                "events_seq",
	"e.client_id = $1 AND e.at >= $2":                      "events_client",
	"e.tenant_id = CAST($1 AS BIGINT) AND e.id > $2":       "events_tenant",
	"DELETE FROM deliveries":                               "deliveries_settled",
	"state = 'queued'":                                     "deliveries_queued",
	"AND id > $2 AND conversation_id = $3":                 "deliveries_event",
	"id > $2 AND endpoint_id = $3 ORDER":                   "deliveries_endpoint",
	"id > $2 AND state <> 'delivered' AND state = $3":      "deliveries_state",
	"DELETE FROM idempotency_keys":                         "idempotency_keys_age",
	"DELETE FROM timers WHERE (":                           "timers_due",
	"MIN(due_at)":                                          "timers_due",
	"c.owner_kind = $3 AND cl":                             "conversations_owner",
	"c.id > $2 AND c.external_id = $3":                     "conversations_external_id",
	"c.id > $2 AND c.task_id = $3":                         "conversations_task",
	"c.id > $2 AND c.channel_id = $3 AND cl":               "conversations_channel",
	"FROM external_ids WHERE client_id":                    "external_ids_client",
	"MAX(id)":                                              "events_tenant",
	"share_token = $1":                                     "conversations_share_token",
	"DELETE FROM logins WHERE expires_at":                  "logins_expiry",
	"DELETE FROM logins WHERE operator_id":                 "logins_operator",
	"FROM logins WHERE operator_id":                        "logins_operator",
	"AND (owner_since, id) >":                              "conversations_queue",
	"SELECT DISTINCT tenant_id":                            "conversations_queue",
}

// TestContract holds the store to the contract of all stores, and explains
// every statement that this makes it run: none may walk a table, or sort what
// an index could have sorted.
func TestContract(t *testing.T) {
	statements := map[string]bool{}
	storetest.Run(t, func(t *testing.T, dir string) (chat.Store, func()) { return recorded(t, dir, statements) })
	if !t.Failed() {
		t.Run("Query plans", func(t *testing.T) { checkPlans(t, statements) })
	}
}

func checkPlans(t *testing.T, statements map[string]bool) {
	s := opened(t, testOptions(t.TempDir()))
	found := map[string]bool{}
	for query := range statements {
		if !strings.Contains("SELECT INSERT UPDATE DELETE", strings.Fields(query)[0]) {
			continue
		}
		steps := plan(t, s.writer.conn, query)
		if walks(steps) && !anyPart(query, mayWalk) {
			t.Errorf("%s\nwalks or sorts:\n%s", query, steps)
		}
		if replanned(query) {
			t.Errorf("%s\nwould be planned anew when a tenant's id becomes 1 or ceases to be; CAST it", query)
		}
		for part, index := range uses {
			if strings.Contains(query, part) {
				found[part] = true
				if !strings.Contains(steps, index) {
					t.Errorf("%s\nmust use %s:\n%s", query, index, steps)
				}
			}
		}
	}
	for part := range uses {
		if !found[part] {
			t.Errorf("no statement has the part %q", part)
		}
	}
}

func walks(steps string) bool {
	steps = strings.ReplaceAll(steps, "SCAN CONSTANT ROW", "")
	return strings.Contains(steps, "SCAN ") || strings.Contains(steps, "TEMP B-TREE")
}

// replanned says that a statement which joins or sorts compares the tenant
// with a bare parameter.
func replanned(query string) bool {
	return (strings.Contains(query, "ORDER BY") || strings.Contains(query, "JOIN")) &&
		!strings.Contains(query, "GROUP BY") && strings.Contains(query, "tenant_id = $") &&
		!strings.HasPrefix(query, "SELECT\n") // two subselects, of which one sorts
}

func anyPart(query string, parts map[string]string) bool {
	for part := range parts {
		if strings.Contains(query, part) {
			return true
		}
	}
	return false
}

// plan is the steps of a statement, one a line.
func plan(t *testing.T, c *conn, query string) string {
	t.Helper()
	rows, err := c.Query("EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "$"))...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var steps strings.Builder
	for rows.Next() {
		var id, parent, unused int64
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps.WriteString(detail + "\n")
	}
	return steps.String()
}
