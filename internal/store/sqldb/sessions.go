package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const sessionColumns = `id, tenant_id, conversation_id, uuid, opened_at, closed_at, owner_kind, owner_id, version, state,
	ttl, tried, wish, result, rating, comment, livechat, passed_by`

func scanSession(row scanner, s *chat.Session) error {
	return row.Scan(&s.ID, &s.TenantID, &s.ConversationID, &s.UUID, &s.OpenedAt, &s.ClosedAt, &s.Owner.Kind, &s.Owner.ID,
		&s.Version, &s.State, &s.TTL, jsonColumn{&s.Tried}, jsonColumn{&s.Wish}, &s.Result, &s.Rating, &s.Comment,
		&s.Livechat, &s.PassedBy)
}

// Session implements chat.ConversationReader.
func (r *Reader) Session(tenant, id chat.ID) (*chat.Session, error) {
	return one(r.conn, "session", scanSession,
		`SELECT `+sessionColumns+` FROM sessions WHERE id = $1 AND tenant_id = $2`+r.lock, id, tenant)
}

// CreateSession implements chat.ConversationWriter.
func (t *Tx) CreateSession(s *chat.Session) error {
	tried, err := listJSON(s.Tried)
	if err != nil {
		return err
	}
	return t.later("session",
		`INSERT INTO sessions (`+sessionColumns+`)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		s.ID, s.TenantID, s.ConversationID, s.UUID, s.OpenedAt, s.ClosedAt, s.Owner.Kind, s.Owner.ID,
		s.Version, s.State, s.TTL, tried, string(s.Wish), s.Result, s.Rating, s.Comment, s.Livechat, s.PassedBy)
}

// SaveSession implements chat.ConversationWriter.
func (t *Tx) SaveSession(s *chat.Session) error {
	tried, err := listJSON(s.Tried)
	if err != nil {
		return err
	}
	return t.laterChange("session",
		`UPDATE sessions SET closed_at = $3, owner_kind = $4, owner_id = $5, version = $6, state = $7, ttl = $8,
			tried = $9, wish = $10, result = $11, rating = $12, comment = $13, livechat = $14, passed_by = $15
		 WHERE id = $1 AND tenant_id = $2`,
		s.ID, s.TenantID, s.ClosedAt, s.Owner.Kind, s.Owner.ID, s.Version, s.State, s.TTL,
		tried, string(s.Wish), s.Result, s.Rating, s.Comment, s.Livechat, s.PassedBy)
}
