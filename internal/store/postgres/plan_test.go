package postgres

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
	"github.com/tolmach/tolmach/internal/store/storetest"
)

// mayWalk are parts of the statements that may walk a table, and why.
var mayWalk = map[string]string{
	"FROM tenants":                          "a few rows",
	"FROM settings":                         "read whole into memory, when they change",
	"FROM ids":                              "a sequence is one row",
	"UPDATE lanes SET claimed = FALSE, due": "not called here",
	"GROUP BY task_id":                      "a report",
	"SELECT DISTINCT tenant_id":             "a few rows: who works here",
}

// uses are the indexes that the statements with these parts must use.
var uses = map[string]string{
	"FROM lanes\n\t\t WHERE endpoint_id = $1 AND (blocked": "lanes_due",
	"e.conversation_id = $1 AND e.seq > $2":                "events_seq",
	"e.client_id = $1 AND e.at >= $2":                      "events_client",
	"e.id > $2 AND e.id <= $3":                             "events_tenant",
	"FROM events WHERE id > $1":                            "events_pkey",
	"DELETE FROM deliveries":                               "deliveries_settled",
	"state = 'queued'":                                     "deliveries_queued",
	"id > $2 AND endpoint_id = $3 ORDER":                   "deliveries_endpoint",
	"id > $2 AND state <> 'delivered' AND state = $3":      "deliveries_state",
	"DELETE FROM idempotency_keys":                         "idempotency_keys_age",
	"JOIN conversations v":                                 "timers_due",
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
}

// TestContract holds the store to the contract of all stores, and explains
// every statement that this makes it run: none may walk a table that grows.
func TestContract(t *testing.T) {
	server := pgtest.Shared(t)
	database, urls, statements := server.Database(t), map[string]string{}, map[string]bool{}
	storetest.Run(t, func(t *testing.T, dir string) (chat.Store, func()) {
		if urls[dir] == "" {
			urls[dir] = server.Schema(t, database)
		}
		s, stop := running(t, options(urls[dir]))
		return s, func() {
			collect(t, s, statements)
			stop()
		}
	})
	if t.Failed() {
		return
	}
	url := server.Schema(t, database)
	s := started(t, url)
	if _, err := s.NewEvents(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	collect(t, s, statements)
	t.Run("Query plans", func(t *testing.T) { checkPlans(t, spy(t, url), statements) })
}

// collect adds the statements that the idle connections have prepared.
func collect(t *testing.T, s *Store, statements map[string]bool) {
	t.Helper()
	for _, c := range s.pool.AcquireAllIdle(context.Background()) {
		rows, err := c.Query(context.Background(), `SELECT statement FROM pg_prepared_statements`)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range found {
			statements[statement] = true
		}
		c.Release()
	}
}

func checkPlans(t *testing.T, c *pgx.Conn, statements map[string]bool) {
	// What the planner would rather do with tables that are empty says nothing:
	// a plan without these means that no index serves.
	_, err := c.Exec(context.Background(), `SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET plan_cache_mode = force_generic_plan`)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	number := 0
	for query := range statements {
		if !strings.Contains("SELECT INSERT UPDATE DELETE WITH", strings.Fields(query)[0]) || strings.Contains(query, "pg_") {
			continue
		}
		number++
		plan := explain(t, c, number, query)
		if walked := walks.FindString(plan); walked != "" && !anyPart(query, mayWalk) {
			t.Errorf("%s\nhas no index for a part:\n%s", query, plan)
		}
		for part, index := range uses {
			if strings.Contains(query, part) {
				found[part] = true
				if !strings.Contains(plan, index) {
					t.Errorf("%s\nmust use %s:\n%s", query, index, plan)
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

var (
	walks      = regexp.MustCompile(`Seq Scan on \w+`)
	parameters = regexp.MustCompile(`\$(\d+)`)
)

// explain returns the plan of a statement whatever its arguments are.
func explain(t *testing.T, c *pgx.Conn, number int, query string) string {
	t.Helper()
	ctx := context.Background()
	if _, err := c.Exec(ctx, fmt.Sprintf(`PREPARE p%d AS %s`, number, query)); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	most := 0
	for _, p := range parameters.FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(p[1])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	call := fmt.Sprintf(`EXPLAIN (COSTS OFF) EXECUTE p%d`, number)
	if most > 0 {
		call += `(` + strings.TrimSuffix(strings.Repeat("NULL, ", most), ", ") + `)`
	}
	rows, err := c.Query(ctx, call, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(steps, "\n")
}

func anyPart(query string, parts map[string]string) bool {
	for part := range parts {
		if strings.Contains(query, part) {
			return true
		}
	}
	return false
}
