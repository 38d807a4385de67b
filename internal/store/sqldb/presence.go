package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const presenceColumns = `tenant_id, operator_id, status, reason, since, load, assigned_at`

func scanPresence(row scanner, p *chat.Presence) error {
	return row.Scan(&p.TenantID, &p.OperatorID, &p.Status, &p.Reason, &p.Since, &p.Load, &p.AssignedAt)
}

// Presence implements chat.PresenceReader.
func (r *Reader) Presence(tenant, operator chat.ID) (*chat.Presence, error) {
	return one(r.conn, "presence", scanPresence,
		`SELECT `+presenceColumns+` FROM presence WHERE tenant_id = $1 AND operator_id = $2`+r.lock, tenant, operator)
}

// Presences implements chat.PresenceReader. Where rows are locked they are
// locked in the order of the list.
func (r *Reader) Presences(tenant chat.ID) ([]chat.Presence, error) {
	return many(r.conn, "presences", scanPresence,
		`SELECT `+presenceColumns+` FROM presence WHERE tenant_id = CAST($1 AS BIGINT) ORDER BY operator_id`+r.lock, tenant)
}

// AnybodyReady implements chat.PresenceReader.
func (r *Reader) AnybodyReady(tenant chat.ID) (bool, error) {
	n, err := one(r.conn, "presences", scalar[int64], `SELECT COUNT(*) FROM presence WHERE tenant_id = $1 AND status = 'READY'`, tenant)
	return err == nil && *n > 0, err
}

// Queue implements chat.PresenceReader. It locks nothing: where to look in the
// queue is not yet to take from it.
func (r *Reader) Queue(tenant chat.ID, after chat.QueuePlace, limit int) ([]chat.Conversation, error) {
	return many(r.conn, "queue", scanConversation,
		`SELECT `+conversationColumns+` FROM conversations
		 WHERE tenant_id = CAST($1 AS BIGINT) AND owner_kind = 'queue' AND (owner_since, id) > ($2, $3)
		 ORDER BY owner_since, id LIMIT $4`, tenant, after.Since, after.ConversationID, atMost(limit))
}

// WaitingTenants implements chat.PresenceReader.
func (r *Reader) WaitingTenants() ([]chat.ID, error) {
	return many(r.conn, "tenants", scalar[chat.ID],
		`SELECT DISTINCT tenant_id FROM presence p WHERE status = 'READY' AND EXISTS (
			SELECT 1 FROM conversations c WHERE c.tenant_id = p.tenant_id AND c.owner_kind = 'queue')`)
}

// SavePresence implements chat.PresenceWriter.
func (t *Tx) SavePresence(p *chat.Presence) error {
	_, err := t.exec("presence",
		`INSERT INTO presence (`+presenceColumns+`) VALUES ($1, $2, $3, $4, $5, 0, 0)
		 ON CONFLICT (tenant_id, operator_id) DO UPDATE SET
			status = excluded.status, reason = excluded.reason, since = excluded.since`,
		p.TenantID, p.OperatorID, p.Status, p.Reason, p.Since)
	return err
}

// AddLoad implements chat.PresenceWriter.
func (t *Tx) AddLoad(tenant, operator chat.ID, n int, assigned chat.Micros) error {
	return t.later("presence",
		`INSERT INTO presence (`+presenceColumns+`) VALUES ($1, $2, 'OFFLINE', '', 0, $3, $4)
		 ON CONFLICT (tenant_id, operator_id) DO UPDATE SET load = presence.load + excluded.load,
			assigned_at = CASE WHEN excluded.assigned_at > presence.assigned_at THEN excluded.assigned_at ELSE presence.assigned_at END`,
		tenant, operator, n, assigned)
}
