package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const timerColumns = `tenant_id, conversation_id, kind, key, due_at, session_id, version, data`

func scanTimer(row scanner, tm *chat.Timer) error {
	return row.Scan(&tm.TenantID, &tm.ConversationID, &tm.Kind, &tm.Key, &tm.DueAt, &tm.SessionID, &tm.Version, &tm.Data)
}

// SetTimer implements chat.TimerStore.
func (t *Tx) SetTimer(tm *chat.Timer) error {
	return t.laterChange("conversation",
		`INSERT INTO timers (`+timerColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		 ON CONFLICT (conversation_id, kind, key) DO UPDATE SET due_at = excluded.due_at,
			session_id = excluded.session_id, version = excluded.version, data = excluded.data
		 WHERE timers.tenant_id = excluded.tenant_id`,
		tm.TenantID, tm.ConversationID, tm.Kind, tm.Key, tm.DueAt, tm.SessionID, tm.Version, tm.Data)
}

// CancelTimers implements chat.TimerStore. It is no error when none is set.
func (t *Tx) CancelTimers(tenant, conversation chat.ID, kind chat.TimerKind) error {
	return t.later("timers",
		`DELETE FROM timers WHERE conversation_id = $1 AND kind = $2 AND tenant_id = $3`, conversation, kind, tenant)
}

// TakeTimer implements chat.TimerStore for the engine that writes one after
// the other; where others may be taking timers too, see TakeTimerBy.
func (t *Tx) TakeTimer() (*chat.Timer, error) {
	return one(t.conn, "due timer", scanTimer,
		`DELETE FROM timers WHERE (conversation_id, kind, key) IN (
			SELECT conversation_id, kind, key FROM timers WHERE due_at <= $1 ORDER BY due_at LIMIT 1)
		 RETURNING `+timerColumns, t.now)
}

// TakeTimerBy is TakeTimer where which timer to take is the engine's choice:
// query selects the conversation_id, kind and key of at most one, due at $1.
func (t *Tx) TakeTimerBy(query string) (*chat.Timer, error) {
	// The choice is made once: a plan may run a plain subquery again, and then
	// it would choose and remove another one.
	return one(t.conn, "due timer", scanTimer,
		`WITH due AS MATERIALIZED (`+query+`)
		 DELETE FROM timers WHERE (conversation_id, kind, key) IN (SELECT conversation_id, kind, key FROM due)
		 RETURNING `+timerColumns, t.now)
}

// NextTimer implements chat.Reader.
func (r *Reader) NextTimer() (chat.Micros, error) {
	due, err := one(r.conn, "timers", scalar[chat.Micros], `SELECT COALESCE(MIN(due_at), 0) FROM timers`)
	if err != nil {
		return 0, err
	}
	return *due, nil
}
