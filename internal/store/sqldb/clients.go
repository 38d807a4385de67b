package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const clientColumns = `id, tenant_id, created_at, last_at, profile, metadata, segmentation`

func scanClient(row scanner, c *chat.Client) error { return row.Scan(clientFields(c)...) }

// clientFields never leaves a map nil, so that who reads a client may add to it.
func clientFields(c *chat.Client) []any {
	c.Profile, c.Metadata, c.Segmentation = map[string]string{}, map[string]any{}, map[string]string{}
	return []any{&c.ID, &c.TenantID, &c.CreatedAt, &c.LastAt,
		jsonColumn{&c.Profile}, jsonColumn{&c.Metadata}, jsonColumn{&c.Segmentation}}
}

// Client implements chat.ClientReader.
func (r *Reader) Client(tenant, id chat.ID) (*chat.Client, error) {
	return one(r.conn, "client", scanClient,
		`SELECT `+clientColumns+` FROM clients WHERE id = $1 AND tenant_id = $2`+r.lock, id, tenant)
}

// ClientByExternalID implements chat.ClientReader.
func (r *Reader) ClientByExternalID(tenant, scope chat.ID, externalID string) (*chat.Client, error) {
	return one(r.conn, "client", scanClient,
		`SELECT `+clientColumns+` FROM clients WHERE tenant_id = $1 AND id = (
			SELECT client_id FROM external_ids WHERE tenant_id = $1 AND scope = $2 AND external_id = $3)`+r.lock,
		tenant, scope, externalID)
}

// ExternalIDs implements chat.ClientReader.
func (r *Reader) ExternalIDs(tenant, client chat.ID) ([]chat.ExternalID, error) {
	scan := func(row scanner, e *chat.ExternalID) error { return row.Scan(&e.Scope, &e.ExternalID) }
	return many(r.conn, "external ids", scan,
		`SELECT scope, external_id FROM external_ids WHERE client_id = $1 AND tenant_id = CAST($2 AS BIGINT) ORDER BY scope, external_id`,
		client, tenant)
}

// CreateClient implements chat.ClientWriter.
func (t *Tx) CreateClient(c *chat.Client) error {
	profile, metadata, segmentation, err := clientJSON(c)
	if err != nil {
		return err
	}
	return t.later("client",
		`INSERT INTO clients (`+clientColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.ID, c.TenantID, c.CreatedAt, c.LastAt, profile, metadata, segmentation)
}

// SaveClient implements chat.ClientWriter.
func (t *Tx) SaveClient(c *chat.Client) error {
	profile, metadata, segmentation, err := clientJSON(c)
	if err != nil {
		return err
	}
	return t.laterChange("client",
		`UPDATE clients SET last_at = $3, profile = $4, metadata = $5, segmentation = $6
		 WHERE id = $1 AND tenant_id = $2`,
		c.ID, c.TenantID, c.LastAt, profile, metadata, segmentation)
}

// LinkExternalID implements chat.ClientWriter.
func (t *Tx) LinkExternalID(tenant, scope chat.ID, externalID string, client chat.ID) error {
	n, err := t.exec("external id",
		`INSERT INTO external_ids (tenant_id, scope, external_id, client_id) VALUES ($1, $2, $3, $4)
		 ON CONFLICT (tenant_id, scope, external_id) DO UPDATE SET client_id = excluded.client_id
		 WHERE external_ids.client_id = excluded.client_id`,
		tenant, scope, externalID, client)
	if err == nil && n == 0 {
		t.taken = true
		return chat.Errorf(chat.CodeConflict, "this external id names another client")
	}
	return err
}

func clientJSON(c *chat.Client) (profile, metadata, segmentation string, err error) {
	if profile, err = mapJSON(c.Profile); err != nil {
		return "", "", "", err
	}
	if metadata, err = mapJSON(c.Metadata); err != nil {
		return "", "", "", err
	}
	segmentation, err = mapJSON(c.Segmentation)
	return profile, metadata, segmentation, err
}
