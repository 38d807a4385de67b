package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const keyColumns = `tenant_id, scope, key, fingerprint, conversation_id, message_id, created_at`

func scanKey(row scanner, k *chat.IdempotencyKey) error {
	return row.Scan(&k.TenantID, &k.Scope, &k.Key, &k.Fingerprint, &k.ConversationID, &k.MessageID, &k.CreatedAt)
}

// Key implements chat.KeyStore.
func (t *Tx) Key(tenant chat.ID, scope, key string) (*chat.IdempotencyKey, error) {
	return one(t.conn, "idempotency key", scanKey,
		`SELECT `+keyColumns+` FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 AND key = $3`, tenant, scope, key)
}

// PutKey implements chat.KeyStore. CodeConflict when the key is taken.
func (t *Tx) PutKey(k *chat.IdempotencyKey) error {
	return t.claim("idempotency key",
		`INSERT INTO idempotency_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		k.TenantID, k.Scope, k.Key, k.Fingerprint, k.ConversationID, k.MessageID, k.CreatedAt)
}

// PruneKeys implements chat.KeyStore.
func (t *Tx) PruneKeys(before chat.Micros, limit int) (int, error) {
	n, err := t.exec("idempotency keys",
		`DELETE FROM idempotency_keys WHERE (tenant_id, scope, key) IN (
			SELECT tenant_id, scope, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
		before, max(limit, 0))
	return int(n), err
}
