package sqldb

import "github.com/tolmach/tolmach/internal/chat"

// EndpointHealth implements chat.DeliveryReader, by rising id of the endpoint.
func (r *Reader) EndpointHealth() ([]chat.EndpointHealth, error) {
	scan := func(row scanner, h *chat.EndpointHealth) error {
		return row.Scan(&h.EndpointID, &h.TenantID, &h.Paused, &h.Reason, &h.FailingSince, &h.LastOK)
	}
	return many(r.conn, "health of endpoints", scan,
		`SELECT endpoint_id, tenant_id, paused, reason, failing_since, last_ok FROM endpoint_health ORDER BY endpoint_id`)
}

// SaveEndpointHealth implements chat.DeliveryWriter.
func (t *Tx) SaveEndpointHealth(h *chat.EndpointHealth) error {
	return t.change("endpoint",
		`INSERT INTO endpoint_health (endpoint_id, tenant_id, paused, reason, failing_since, last_ok)
		 VALUES ($1, $2, $3, $4, $5, $6)
		 ON CONFLICT (endpoint_id) DO UPDATE SET paused = excluded.paused, reason = excluded.reason,
			failing_since = excluded.failing_since, last_ok = excluded.last_ok
		 WHERE endpoint_health.tenant_id = excluded.tenant_id`,
		h.EndpointID, h.TenantID, h.Paused, h.Reason, h.FailingSince, h.LastOK)
}
