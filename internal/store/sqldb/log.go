package sqldb

import "github.com/tolmach/tolmach/internal/chat"

// LogReader and LogWriter. An entry is an event and, beside it, the message it
// is about; the columns of a message that is not there read as zero.
const (
	eventColumns = `id, tenant_id, conversation_id, client_id, session_id, seq, at, kind, message_id, author,
	author_id, flags, bot_id, version, data`

	messageColumns = `id, tenant_id, conversation_id, session_id, seq, at, author, author_id, answer_id, reply_to,
	status, content`

	// messageOrZero are the columns of a message m that may not be there.
	messageOrZero = `COALESCE(m.id, 0), COALESCE(m.tenant_id, 0), COALESCE(m.conversation_id, 0), COALESCE(m.session_id, 0),
	COALESCE(m.seq, 0), COALESCE(m.at, 0), COALESCE(m.author, ''), COALESCE(m.author_id, 0),
	COALESCE(m.answer_id, 0), COALESCE(m.reply_to, 0), COALESCE(m.status, ''), COALESCE(m.content, '')`

	selectEntries = `SELECT e.id, e.tenant_id, e.conversation_id, e.client_id, e.session_id, e.seq, e.at, e.kind,
	e.message_id, e.author, e.author_id, e.flags, e.bot_id, e.version, e.data,
	` + messageOrZero + `
	FROM events e LEFT JOIN messages m ON m.id = e.message_id AND m.tenant_id = e.tenant_id`
)

func scanMessage(row scanner, m *chat.Message) error { return row.Scan(messageFields(m)...) }

func messageFields(m *chat.Message) []any {
	return []any{&m.ID, &m.TenantID, &m.ConversationID, &m.SessionID, &m.Seq, &m.At, &m.Author, &m.AuthorID,
		&m.AnswerID, &m.ReplyTo, &m.Status, jsonColumn{&m.Content}}
}

func scanEntry(row scanner, e *chat.Entry) error {
	m := new(chat.Message)
	fields := append(make([]any, 0, 27), &e.ID, &e.TenantID, &e.ConversationID, &e.ClientID, &e.SessionID, &e.Seq, &e.At,
		&e.Kind, &e.MessageID, &e.Author, &e.AuthorID, &e.Flags, &e.BotID, &e.Version, jsonColumn{&e.Data})
	if err := row.Scan(append(fields, messageFields(m)...)...); err != nil {
		return err
	}
	if m.ID != 0 {
		e.Message = m
	}
	return nil
}

// Events implements chat.LogReader.
func (r *Reader) Events(tenant, conversation chat.ID, after int64, limit int) ([]chat.Entry, error) {
	return r.entries(` WHERE e.conversation_id = $1 AND e.seq > $2 AND e.tenant_id = CAST($3 AS BIGINT) ORDER BY e.seq LIMIT $4`,
		limit, conversation, after, tenant)
}

// Event implements chat.LogReader.
func (r *Reader) Event(tenant, conversation chat.ID, seq int64) (*chat.Entry, error) {
	return one(r.conn, "event", scanEntry,
		selectEntries+` WHERE e.conversation_id = $1 AND e.seq = CAST($2 AS BIGINT) AND e.tenant_id = CAST($3 AS BIGINT)`, conversation, seq, tenant)
}

// EventsOfClient implements chat.LogReader.
func (r *Reader) EventsOfClient(tenant, client, channel chat.ID, from chat.Micros, limit int) ([]chat.Entry, error) {
	return r.entries(` WHERE e.client_id = $1 AND e.at >= $2 AND e.tenant_id = CAST($3 AS BIGINT) AND e.conversation_id IN (
		SELECT id FROM conversations WHERE client_id = $1 AND channel_id = $4) ORDER BY e.at LIMIT $5`,
		limit, client, from, tenant, channel)
}

// Feed implements chat.LogReader. Where writers follow one another, what is
// committed can't be preceded by what is not.
func (r *Reader) Feed(tenant, after chat.ID, limit int) ([]chat.Entry, error) {
	return r.entries(` WHERE e.tenant_id = CAST($1 AS BIGINT) AND e.id > $2 ORDER BY e.id LIMIT $3`, limit, tenant, after)
}

// FeedTo is Feed up to and including the event with the id last: for engines
// whose transactions run side by side and that know how far all have ended.
func (r *Reader) FeedTo(last, tenant, after chat.ID, limit int) ([]chat.Entry, error) {
	return r.entries(` WHERE e.tenant_id = CAST($1 AS BIGINT) AND e.id > $2 AND e.id <= $3 ORDER BY e.id LIMIT $4`,
		limit, tenant, after, last)
}

// FeedEnd implements chat.LogReader.
func (r *Reader) FeedEnd(tenant chat.ID) (chat.ID, error) {
	last, err := one(r.conn, "events", scalar[chat.ID],
		`SELECT COALESCE(MAX(id), 0) FROM events WHERE tenant_id = CAST($1 AS BIGINT)`, tenant)
	return valueOf(last), err
}

// FeedEndTo is to FeedEnd what FeedTo is to Feed.
func (r *Reader) FeedEndTo(last, tenant chat.ID) (chat.ID, error) {
	end, err := one(r.conn, "events", scalar[chat.ID],
		`SELECT COALESCE(MAX(id), 0) FROM events WHERE tenant_id = CAST($1 AS BIGINT) AND id <= $2`, tenant, last)
	return valueOf(end), err
}

// ClientMessagesAfter implements chat.LogReader.
func (r *Reader) ClientMessagesAfter(tenant, conversation chat.ID, after, limit int64) (int64, error) {
	n, err := one(r.conn, "events", scalar[int64],
		`SELECT COUNT(*) FROM (SELECT 1 AS one FROM events WHERE conversation_id = $1 AND seq > $2 AND tenant_id = $3
			AND kind = $4 AND author = $5 LIMIT $6) AS found`,
		conversation, after, tenant, chat.EventMessageCreated, chat.AuthorClient, limit)
	return valueOf(n), err
}

// entries reads at most limit entries; the limit is the last argument.
func (r *Reader) entries(which string, limit int, args ...any) ([]chat.Entry, error) {
	if limit <= 0 {
		return nil, nil
	}
	return many(r.conn, "events", scanEntry, selectEntries+which, append(args, limit)...)
}

// Message implements chat.LogReader.
func (r *Reader) Message(tenant, id chat.ID) (*chat.Message, error) {
	return one(r.conn, "message", scanMessage,
		`SELECT `+messageColumns+` FROM messages WHERE id = $1 AND tenant_id = $2`, id, tenant)
}

// AppendEvent implements chat.LogWriter. CodeConflict when the number is taken.
func (t *Tx) AppendEvent(e *chat.Event) error {
	data, err := toJSON(&e.Data)
	if err != nil {
		return err
	}
	return t.later("event",
		`INSERT INTO events (`+eventColumns+`)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		e.ID, e.TenantID, e.ConversationID, e.ClientID, e.SessionID, e.Seq, e.At, e.Kind, e.MessageID, e.Author,
		e.AuthorID, e.Flags, e.BotID, e.Version, data)
}

// AddMessage implements chat.LogWriter.
func (t *Tx) AddMessage(m *chat.Message) error {
	content, err := toJSON(&m.Content)
	if err != nil {
		return err
	}
	return t.later("message",
		`INSERT INTO messages (`+messageColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		m.ID, m.TenantID, m.ConversationID, m.SessionID, m.Seq, m.At, m.Author, m.AuthorID, m.AnswerID, m.ReplyTo,
		m.Status, content)
}

// SetMessageStatus implements chat.LogWriter.
func (t *Tx) SetMessageStatus(tenant, message chat.ID, status chat.Status) error {
	return t.change("message", `UPDATE messages SET status = $3 WHERE id = $1 AND tenant_id = $2`, message, tenant, status)
}
