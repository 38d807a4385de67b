package sqldb

import (
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
)

// The body comes last, so that lists can leave it out and need not read it.
const (
	deliveryColumns = `id, tenant_id, endpoint_id, conversation_id, seq, event_at, webhook_id, state, attempts,
	last_status, last_error, created_at, updated_at`

	selectDelivery = `SELECT ` + deliveryColumns + `, body FROM deliveries`
)

func deliveryFields(d *chat.Delivery) []any {
	return []any{&d.ID, &d.TenantID, &d.EndpointID, &d.ConversationID, &d.Seq, &d.EventAt, &d.WebhookID, &d.State,
		&d.Attempts, &d.LastStatus, &d.LastError, &d.CreatedAt, &d.UpdatedAt}
}

func scanListed(row scanner, d *chat.Delivery) error { return row.Scan(deliveryFields(d)...) }

func scanDelivery(row scanner, d *chat.Delivery) error {
	return row.Scan(append(deliveryFields(d), &d.Body)...)
}

// Delivery implements chat.DeliveryReader.
func (r *Reader) Delivery(tenant, id chat.ID) (*chat.Delivery, error) {
	return one(r.conn, "delivery", scanDelivery, selectDelivery+` WHERE id = $1 AND tenant_id = $2`+r.lock, id, tenant)
}

// DeliveryOf implements chat.DeliveryReader.
func (r *Reader) DeliveryOf(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	return one(r.conn, "delivery", scanDelivery,
		selectDelivery+` WHERE conversation_id = $1 AND endpoint_id = $2 AND seq = $3 AND tenant_id = $4`+r.lock,
		conversation, endpoint, seq, tenant)
}

// PreviousDelivery implements chat.DeliveryReader.
func (r *Reader) PreviousDelivery(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	return one(r.conn, "delivery", scanDelivery,
		selectDelivery+` WHERE conversation_id = $1 AND endpoint_id = $2 AND seq < $3 AND tenant_id = CAST($4 AS BIGINT)
		 ORDER BY seq DESC LIMIT 1`+r.lock, conversation, endpoint, seq, tenant)
}

// NextQueued implements chat.DeliveryReader.
func (r *Reader) NextQueued(tenant, endpoint, conversation chat.ID) (*chat.Delivery, error) {
	return one(r.conn, "queued delivery", scanDelivery,
		selectDelivery+` WHERE conversation_id = $1 AND endpoint_id = $2 AND state = 'queued' AND tenant_id = CAST($3 AS BIGINT)
		 ORDER BY seq LIMIT 1`+r.lock, conversation, endpoint, tenant)
}

// Deliveries implements chat.DeliveryReader.
func (r *Reader) Deliveries(tenant chat.ID, f chat.DeliveryFilter) ([]chat.Delivery, error) {
	first := `tenant_id = CAST($1 AS BIGINT) AND id > $2`
	if f.ConversationID != 0 {
		// A conversation's few deliveries are sorted sooner than a tenant's
		// many are walked in order; the plus keeps the index of the latter out.
		first = `+tenant_id = CAST($1 AS BIGINT) AND id > $2`
	}
	w := newWhere(first, tenant, f.After)
	if f.EndpointID != 0 {
		w.and(`endpoint_id =`, f.EndpointID)
	}
	if f.ConversationID != 0 {
		w.and(`conversation_id =`, f.ConversationID)
	}
	switch f.State {
	case "":
	case chat.DeliveryDelivered:
		w.and(`state =`, f.State)
	default: // the first half names the index of the rarer states
		w.and(`state <> 'delivered' AND state =`, f.State)
	}
	if f.FromSeq != 0 {
		w.and(`seq >=`, f.FromSeq)
	}
	if f.ToSeq != 0 {
		w.and(`seq <=`, f.ToSeq)
	}
	if f.From != 0 {
		w.and(`event_at >=`, f.From)
	}
	if f.To != 0 {
		w.and(`event_at <=`, f.To)
	}
	query, args := w.page(`SELECT `+deliveryColumns+` FROM deliveries`, f.Limit)
	return many(r.conn, "deliveries", scanListed, query, args...)
}

// SaveDelivery implements chat.DeliveryWriter. What a delivery is of (event,
// endpoint, creation) never changes, so replacing leaves it. CodeConflict when
// the event has another delivery at the endpoint.
func (t *Tx) SaveDelivery(d *chat.Delivery) error {
	return t.laterChange("delivery",
		`INSERT INTO deliveries (`+deliveryColumns+`, body)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		 ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
			last_status = excluded.last_status, last_error = excluded.last_error, updated_at = excluded.updated_at,
			body = excluded.body, webhook_id = excluded.webhook_id, event_at = excluded.event_at
		 WHERE deliveries.tenant_id = excluded.tenant_id`,
		d.ID, d.TenantID, d.EndpointID, d.ConversationID, d.Seq, d.EventAt, d.WebhookID, d.State, d.Attempts,
		d.LastStatus, d.LastError, d.CreatedAt, d.UpdatedAt, d.Body)
}

// PruneDeliveries implements chat.DeliveryWriter.
func (t *Tx) PruneDeliveries(before chat.Micros, limit int) (int, error) {
	gone, err := many(t.conn, "old deliveries", scalar[chat.ID],
		`DELETE FROM deliveries WHERE id IN (
			SELECT id FROM deliveries d WHERE state IN ('delivered', 'parked', 'void') AND updated_at < $1
			AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.endpoint_id = d.endpoint_id
				AND l.conversation_id = d.conversation_id AND l.blocked AND l.next_seq = d.seq)
			ORDER BY updated_at LIMIT $2)
		 RETURNING id`, before, max(limit, 0))
	if err != nil {
		return 0, err
	}
	for _, id := range gone {
		if _, err := t.exec("attempts", `DELETE FROM attempts WHERE delivery_id = $1`, id); err != nil {
			return 0, fmt.Errorf("pruning delivery %d: %w", id, err)
		}
	}
	return len(gone), nil
}

// Attempts implements chat.DeliveryReader, in the order of their numbers.
func (r *Reader) Attempts(tenant, delivery chat.ID) ([]chat.Attempt, error) {
	scan := func(row scanner, a *chat.Attempt) error {
		return row.Scan(&a.DeliveryID, &a.TenantID, &a.Number, &a.At, &a.Status, &a.Error, &a.TookMicros)
	}
	return many(r.conn, "attempts", scan,
		`SELECT delivery_id, tenant_id, number, at, status, error, took_micros FROM attempts
		 WHERE delivery_id = $1 AND tenant_id = CAST($2 AS BIGINT) ORDER BY number`, delivery, tenant)
}

// AddAttempt implements chat.DeliveryWriter. CodeConflict when the number is
// taken.
func (t *Tx) AddAttempt(a *chat.Attempt) error {
	return t.claim("attempt",
		`INSERT INTO attempts (delivery_id, tenant_id, number, at, status, error, took_micros)
		 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		a.DeliveryID, a.TenantID, a.Number, a.At, a.Status, a.Error, a.TookMicros)
}
