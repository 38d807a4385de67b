package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const conversationColumns = `id, tenant_id, client_id, task_id, channel_id, key, external_id, share_token, created_at,
	seq, flags, vars, session_id, messages, last_at, owner_kind, owner_id, last_message_id,
	buttons_id, unread, owner_since`

const (
	saveSet = `UPDATE conversations SET seq = $3, flags = $4, vars = $5, session_id = $6, messages = $7, last_at = $8,
	owner_id = $9, last_message_id = $10, buttons_id = $11, unread = $12`
	saveWhere = ` WHERE id = $1 AND tenant_id = $2`

	saveConversation         = saveSet + saveWhere
	saveConversationAndOwner = saveSet + `, owner_kind = $13, owner_since = $14` + saveWhere
)

func scanConversation(row scanner, c *chat.Conversation) error {
	return row.Scan(conversationFields(c)...)
}

// conversationFields never leaves Vars nil.
func conversationFields(c *chat.Conversation) []any {
	c.Vars = map[string]any{}
	return []any{&c.ID, &c.TenantID, &c.ClientID, &c.TaskID, &c.ChannelID, &c.Key, &c.ExternalID, &c.ShareToken,
		&c.CreatedAt, &c.Seq, &c.Flags, jsonColumn{&c.Vars}, &c.SessionID, &c.Messages, &c.LastAt,
		&c.Owner.Kind, &c.Owner.ID, &c.LastMessageID, &c.ButtonsID, &c.Unread, &c.OwnerSince}
}

// Conversation implements chat.ConversationReader.
func (r *Reader) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	return one(r.conn, "conversation", scanConversation,
		`SELECT `+conversationColumns+` FROM conversations WHERE id = $1 AND tenant_id = $2`+r.lock, id, tenant)
}

// ConversationByKey implements chat.ConversationReader.
func (r *Reader) ConversationByKey(tenant, task, client chat.ID, key string) (*chat.Conversation, error) {
	return one(r.conn, "conversation", scanConversation,
		`SELECT `+conversationColumns+` FROM conversations
		 WHERE client_id = $1 AND task_id = $2 AND key = $3 AND tenant_id = $4`+r.lock, client, task, key, tenant)
}

// ConversationByShareToken implements chat.ConversationReader. The empty token
// opens nothing.
func (r *Reader) ConversationByShareToken(token string) (*chat.Conversation, error) {
	return one(r.conn, "conversation", scanConversation,
		`SELECT `+conversationColumns+` FROM conversations WHERE share_token = $1 AND share_token <> ''`+r.lock, token)
}

// Usage implements chat.ConversationReader.
func (r *Reader) Usage(tenant chat.ID) ([]chat.TaskUsage, error) {
	return many(r.conn, "usage", func(row scanner, u *chat.TaskUsage) error {
		return row.Scan(&u.TaskID, &u.Conversations, &u.Messages)
	}, `SELECT task_id, COUNT(*), CAST(SUM(messages) AS BIGINT) FROM conversations WHERE tenant_id = $1 GROUP BY task_id ORDER BY task_id`, tenant)
}

// CreateConversation implements chat.ConversationWriter. CodeConflict when the
// client has one on the task under the key.
func (t *Tx) CreateConversation(c *chat.Conversation) error {
	vars, err := mapJSON(c.Vars)
	if err != nil {
		return err
	}
	return t.claim("conversation",
		`INSERT INTO conversations (`+conversationColumns+`)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		 ON CONFLICT DO NOTHING`,
		c.ID, c.TenantID, c.ClientID, c.TaskID, c.ChannelID, c.Key, c.ExternalID, c.ShareToken, c.CreatedAt,
		c.Seq, c.Flags, vars, c.SessionID, c.Messages, c.LastAt, c.Owner.Kind, c.Owner.ID, c.LastMessageID,
		c.ButtonsID, c.Unread, c.OwnerSince)
}

// SaveConversation implements chat.ConversationWriter. Only the kind of the
// owner and the moment it came are in an index, which an UPDATE rewrites for
// every column it names, changed or not: so they are named only when they may
// have changed.
func (t *Tx) SaveConversation(c *chat.Conversation) error {
	vars, err := mapJSON(c.Vars)
	if err != nil {
		return err
	}
	query, args := saveConversation, []any{c.ID, c.TenantID, c.Seq, c.Flags, vars, c.SessionID, c.Messages, c.LastAt,
		c.Owner.ID, c.LastMessageID, c.ButtonsID, c.Unread}
	if stored, known := t.owners[c.ID]; !known || stored != ownership(c) {
		query, args = saveConversationAndOwner, append(args, c.Owner.Kind, c.OwnerSince)
	}
	if err := t.laterChange("conversation", query, args...); err != nil {
		return err
	}
	t.knowOwner(c)
	return nil
}

// Conversation implements chat.ConversationReader. Rows are locked by everybody
// in one order, so the client comes before its conversation.
func (t *Tx) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	if err := t.lockClientOf(tenant, id); err != nil {
		return nil, err
	}
	c, err := t.Reader.Conversation(tenant, id)
	t.knowOwner(c)
	return c, err
}

// ConversationByKey implements chat.ConversationReader.
func (t *Tx) ConversationByKey(tenant, task, client chat.ID, key string) (*chat.Conversation, error) {
	c, err := t.Reader.ConversationByKey(tenant, task, client, key)
	t.knowOwner(c)
	return c, err
}

// lockClientOf locks the client of a conversation, if there is one, where the
// engine locks rows.
func (t *Tx) lockClientOf(tenant, conversation chat.ID) error {
	if t.lock == "" {
		return nil
	}
	_, err := many(t.conn, "client", scalar[chat.ID],
		`SELECT id FROM clients WHERE id = (SELECT client_id FROM conversations WHERE id = $1 AND tenant_id = $2) AND tenant_id = $2`+t.lock,
		conversation, tenant)
	return err
}

func (t *Tx) knowOwner(c *chat.Conversation) {
	if c == nil {
		return
	}
	if t.owners == nil {
		t.owners = map[chat.ID]owned{}
	}
	t.owners[c.ID] = ownership(c)
}

// owned is what indexes know of a conversation's owner.
type owned struct {
	kind  chat.OwnerKind
	since chat.Micros
}

func ownership(c *chat.Conversation) owned { return owned{c.Owner.Kind, c.OwnerSince} }
