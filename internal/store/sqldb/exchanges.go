package sqldb

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

const exchangeColumns = `channel_id, client_id, question_id, tenant_id, conversation_id, question, fingerprint, cid,
	asked_at, sync_until, process, answer, status`

func scanExchange(row scanner, x *chat.Exchange) error {
	return row.Scan(&x.ChannelID, &x.ClientID, &x.QuestionID, &x.TenantID, &x.ConversationID, &x.Question, &x.Fingerprint, &x.CID,
		&x.AskedAt, &x.SyncUntil, &x.Process, &x.Answer, &x.Status)
}

// Exchange implements chat.ExchangeReader.
func (r *Reader) Exchange(tenant, channel, client chat.ID, questionID string) (*chat.Exchange, error) {
	return one(r.conn, "question", scanExchange,
		`SELECT `+exchangeColumns+` FROM exchanges
		 WHERE channel_id = $1 AND client_id = $2 AND question_id = $3 AND tenant_id = $4`+r.lock, channel, client, questionID, tenant)
}

// UnreadExchanges implements chat.ExchangeReader.
func (r *Reader) UnreadExchanges(tenant, channel, client chat.ID) (int, error) {
	n, err := one(r.conn, "unread answers", scalar[int],
		`SELECT COUNT(*) FROM exchanges
		 WHERE channel_id = $1 AND client_id = $2 AND tenant_id = $3 AND status IN ('NOT_SENT', 'SENT', 'DELIVERED')`,
		channel, client, tenant)
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// AddExchange implements chat.ExchangeWriter.
func (t *Tx) AddExchange(x *chat.Exchange) error {
	return t.claim("question",
		`INSERT INTO exchanges (`+exchangeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		 ON CONFLICT DO NOTHING`,
		x.ChannelID, x.ClientID, x.QuestionID, x.TenantID, x.ConversationID, x.Question, x.Fingerprint, x.CID,
		x.AskedAt, x.SyncUntil, x.Process, x.Answer, x.Status)
}

// SaveExchange implements chat.ExchangeWriter.
func (t *Tx) SaveExchange(x *chat.Exchange) error {
	return t.laterChange("question",
		`UPDATE exchanges SET sync_until = $5, process = $6, answer = $7, status = $8
		 WHERE channel_id = $1 AND client_id = $2 AND question_id = $3 AND tenant_id = $4`,
		x.ChannelID, x.ClientID, x.QuestionID, x.TenantID, x.SyncUntil, x.Process, x.Answer, x.Status)
}

const cursorColumns = `channel_id, client_id, cid, tenant_id, since, at, updated_at`

func scanCursor(row scanner, c *chat.PollCursor) error {
	return row.Scan(&c.ChannelID, &c.ClientID, &c.CID, &c.TenantID, &c.Since, &c.At, &c.UpdatedAt)
}

// PollCursor implements chat.ExchangeReader.
func (r *Reader) PollCursor(tenant, channel, client chat.ID, cid string) (*chat.PollCursor, error) {
	return one(r.conn, "cursor", scanCursor,
		`SELECT `+cursorColumns+` FROM poll_cursors WHERE channel_id = $1 AND client_id = $2 AND cid = $3 AND tenant_id = $4`,
		channel, client, cid, tenant)
}

// PollCursors implements chat.ExchangeReader.
func (r *Reader) PollCursors(tenant, channel, client chat.ID, limit int) ([]chat.PollCursor, error) {
	return many(r.conn, "cursors", scanCursor,
		`SELECT `+cursorColumns+` FROM poll_cursors WHERE channel_id = $1 AND client_id = $2 AND tenant_id = CAST($3 AS BIGINT)
		 ORDER BY updated_at DESC, cid LIMIT $4`, channel, client, tenant, max(limit, 0))
}

// SavePollCursor implements chat.ExchangeWriter.
func (t *Tx) SavePollCursor(c *chat.PollCursor) error {
	_, err := t.exec("cursor",
		`INSERT INTO poll_cursors (`+cursorColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		 ON CONFLICT (channel_id, client_id, cid) DO UPDATE SET since = excluded.since, at = excluded.at, updated_at = excluded.updated_at
		 WHERE poll_cursors.tenant_id = excluded.tenant_id`,
		c.ChannelID, c.ClientID, c.CID, c.TenantID, c.Since, c.At, c.UpdatedAt)
	return err
}

// PrunePollCursors implements chat.ExchangeWriter.
func (t *Tx) PrunePollCursors(before chat.Micros, limit int) (int, error) {
	n, err := t.exec("cursors",
		`DELETE FROM poll_cursors WHERE (channel_id, client_id, cid) IN (
			SELECT channel_id, client_id, cid FROM poll_cursors WHERE updated_at < $1 ORDER BY updated_at LIMIT $2)`,
		before, max(limit, 0))
	return int(n), err
}

// ClientState implements chat.ExchangeReader.
func (r *Reader) ClientState(tenant, channel, client chat.ID) (*chat.ClientState, error) {
	scan := func(row scanner, s *chat.ClientState) error {
		var state string
		err := row.Scan(&s.ChannelID, &s.ClientID, &s.TenantID, &state, &s.UpdatedAt)
		s.State = json.RawMessage(state)
		return err
	}
	return one(r.conn, "state", scan,
		`SELECT channel_id, client_id, tenant_id, state, updated_at FROM client_states
		 WHERE channel_id = $1 AND client_id = $2 AND tenant_id = $3`, channel, client, tenant)
}

// SaveClientState implements chat.ExchangeWriter.
func (t *Tx) SaveClientState(s *chat.ClientState) error {
	_, err := t.exec("state",
		`INSERT INTO client_states (channel_id, client_id, tenant_id, state, updated_at) VALUES ($1, $2, $3, $4, $5)
		 ON CONFLICT (channel_id, client_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
		 WHERE client_states.tenant_id = excluded.tenant_id`,
		s.ChannelID, s.ClientID, s.TenantID, string(s.State), s.UpdatedAt)
	return err
}

// ProcessLives implements chat.ExchangeReader.
func (r *Reader) ProcessLives(process string) (bool, error) {
	if r.dialect.Lives == "" {
		return false, nil
	}
	lives, err := one(r.conn, "process", scalar[bool], `SELECT `+r.dialect.Lives, process)
	if err != nil {
		return false, err
	}
	return *lives, nil
}
