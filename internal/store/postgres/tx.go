package postgres

import (
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// tx is the use case's view of a transaction where this engine does it another
// way than the common text.
type tx struct {
	*sqldb.Tx
	conn *conn
}

func newTx(c *conn, d *sqldb.Dialect, now chat.Micros) *tx {
	return &tx{Tx: sqldb.NewTx(c, d, now, &ids{conn: c}), conn: c}
}

// Feed implements chat.LogReader. Each statement sees what is committed when it
// begins, so the horizon is found just before.
func (t *tx) Feed(tenant, after chat.ID, limit int) ([]chat.Entry, error) {
	last, err := horizon(t.conn.ctx, t.conn.pg)
	if err != nil {
		return nil, t.conn.watch(err)
	}
	return t.FeedTo(last, tenant, after, limit)
}

// Tables whose missing rows must be locked too: who finds none is about to
// write the first. They are small and hardly ever written.
const (
	lockHealth  = `LOCK TABLE endpoint_health IN SHARE ROW EXCLUSIVE MODE`
	lockSecrets = `LOCK TABLE secrets IN SHARE ROW EXCLUSIVE MODE` //nolint:gosec // a table's name
)

// EndpointHealth implements chat.DeliveryReader.
func (t *tx) EndpointHealth() ([]chat.EndpointHealth, error) {
	if _, err := t.conn.Exec(lockHealth); err != nil {
		return nil, err
	}
	return t.Tx.EndpointHealth()
}

// Secret implements chat.SettingReader.
func (t *tx) Secret(name string) ([]byte, error) {
	if _, err := t.conn.Exec(lockSecrets); err != nil {
		return nil, err
	}
	return t.Tx.Secret(name)
}

// Which timer to take: the longest due one that nobody else takes and whose
// conversation nobody works on. All three rows are taken without waiting: to
// wait for the conversation with the timer in hand would be the wrong order.
const (
	dueTimer = `SELECT t.conversation_id, t.kind, t.key FROM timers t
		JOIN conversations v ON v.id = t.conversation_id
		JOIN clients c ON c.id = v.client_id
		WHERE t.due_at <= $1 ORDER BY t.due_at LIMIT 1 FOR UPDATE SKIP LOCKED`
	orphanedTimer = `SELECT t.conversation_id, t.kind, t.key FROM timers t
		WHERE t.due_at <= $1 AND NOT EXISTS (
			SELECT FROM conversations v JOIN clients c ON c.id = v.client_id WHERE v.id = t.conversation_id)
		ORDER BY t.due_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED`
)

// TakeTimer implements chat.TimerStore.
func (t *tx) TakeTimer() (*chat.Timer, error) {
	timer, err := t.TakeTimerBy(dueTimer)
	if chat.ErrorCode(err) != chat.CodeNotFound {
		return timer, err
	}
	return t.TakeTimerBy(orphanedTimer)
}
