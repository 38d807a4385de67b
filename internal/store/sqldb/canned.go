package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const cannedColumns = `id, tenant_id, operator_id, shortcut, text, created_at, updated_at`

func scanCanned(row scanner, c *chat.CannedReply) error {
	return row.Scan(&c.ID, &c.TenantID, &c.OperatorID, &c.Shortcut, &c.Text, &c.CreatedAt, &c.UpdatedAt)
}

// CannedReplies implements chat.CannedReader.
func (r *Reader) CannedReplies(tenant chat.ID) ([]chat.CannedReply, error) {
	return many(r.conn, "canned replies", scanCanned,
		`SELECT `+cannedColumns+` FROM canned_replies WHERE tenant_id = CAST($1 AS BIGINT) ORDER BY id`, tenant)
}

// CannedReply implements chat.CannedReader.
func (r *Reader) CannedReply(tenant, id chat.ID) (*chat.CannedReply, error) {
	return one(r.conn, "canned reply", scanCanned,
		`SELECT `+cannedColumns+` FROM canned_replies WHERE id = $1 AND tenant_id = $2`+r.lock, id, tenant)
}

// AddCannedReply implements chat.CannedWriter.
func (t *Tx) AddCannedReply(c *chat.CannedReply) error {
	return t.claim("canned reply",
		`INSERT INTO canned_replies (`+cannedColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.ID, c.TenantID, c.OperatorID, c.Shortcut, c.Text, c.CreatedAt, c.UpdatedAt)
}

// SaveCannedReply implements chat.CannedWriter.
func (t *Tx) SaveCannedReply(c *chat.CannedReply) error {
	return t.change("canned reply",
		`UPDATE canned_replies SET operator_id = $3, shortcut = $4, text = $5, updated_at = $6 WHERE id = $1 AND tenant_id = $2`,
		c.ID, c.TenantID, c.OperatorID, c.Shortcut, c.Text, c.UpdatedAt)
}

// DeleteCannedReply implements chat.CannedWriter.
func (t *Tx) DeleteCannedReply(tenant, id chat.ID) error {
	return t.change("canned reply", `DELETE FROM canned_replies WHERE id = $1 AND tenant_id = $2`, id, tenant)
}

// DeleteCannedRepliesOf implements chat.CannedWriter.
func (t *Tx) DeleteCannedRepliesOf(tenant, operator chat.ID) error {
	_, err := t.exec("canned replies", `DELETE FROM canned_replies WHERE tenant_id = $1 AND operator_id = $2`, tenant, operator)
	return err
}
