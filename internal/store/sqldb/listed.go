package sqldb

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// A listed conversation comes with its client and its last message in one row.
// The order of a CROSS JOIN is SQLite's order of the loops: the conversations
// first, as they are listed.
var selectListed = `SELECT ` + of("c", conversationColumns) + `, ` + of("cl", clientColumns) + `,
	` + messageOrZero + `
	FROM conversations c CROSS JOIN clients cl LEFT JOIN messages m ON m.id = c.last_message_id AND m.tenant_id = c.tenant_id`

const clientOfListed = `cl.id = c.client_id AND cl.tenant_id = c.tenant_id`

// of names the table of every column in a list.
func of(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, name := range names {
		names[i] = table + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}

func scanListedConversation(row scanner, l *chat.Listed) error {
	m := new(chat.Message)
	l.Client = new(chat.Client)
	fields := append(conversationFields(&l.Conversation), clientFields(l.Client)...)
	if err := row.Scan(append(fields, messageFields(m)...)...); err != nil {
		return err
	}
	if m.ID != 0 {
		l.LastMessage = m
	}
	return nil
}

// Conversations implements chat.ConversationReader. The open ones are few, and
// an index has them by the kind of their owner: one reading a kind.
func (r *Reader) Conversations(tenant chat.ID, f chat.ConversationFilter) ([]chat.Listed, error) {
	if f.Session != chat.SessionOpen || f.Owner.Kind != chat.OwnerNone {
		return r.conversations(tenant, f)
	}
	var open []chat.Listed
	for _, f.Owner.Kind = range []chat.OwnerKind{chat.OwnerBot, chat.OwnerQueue, chat.OwnerOperator} {
		list, err := r.conversations(tenant, f)
		if err != nil {
			return nil, err
		}
		open = append(open, list...)
	}
	slices.SortFunc(open, func(a, b chat.Listed) int { return cmp.Compare(a.ID, b.ID) })
	return open[:min(int64(len(open)), atMost(f.Limit))], nil
}

func (r *Reader) conversations(tenant chat.ID, f chat.ConversationFilter) ([]chat.Listed, error) {
	w := newWhere(`c.tenant_id = CAST($1 AS BIGINT) AND c.id > $2`, tenant, f.After)
	if f.Owner.Kind != chat.OwnerNone {
		w.and(`c.owner_kind <> '' AND c.owner_kind =`, f.Owner.Kind)
	}
	if f.Session == chat.SessionClosed {
		w.also(`c.owner_kind = ''`)
	}
	if f.Owner.ID != 0 {
		w.and(`c.owner_id =`, f.Owner.ID)
	}
	if f.ExternalID != "" {
		w.and(`c.external_id =`, f.ExternalID)
	}
	if f.TaskID != 0 {
		w.and(`c.task_id =`, f.TaskID)
	}
	if f.ChannelID != 0 {
		w.and(`c.channel_id =`, f.ChannelID)
	}
	w.also(clientOfListed)
	query, args := w.pageBy("c.id", selectListed, f.Limit)
	return many(r.conn, "conversations", scanListedConversation, query, args...)
}

// ConversationsOf implements chat.ConversationReader.
func (r *Reader) ConversationsOf(tenant, client chat.ID, limit int) ([]chat.Listed, error) {
	return many(r.conn, "conversations", scanListedConversation,
		selectListed+` WHERE c.client_id = $1 AND c.tenant_id = CAST($2 AS BIGINT) AND `+clientOfListed+` ORDER BY c.id DESC LIMIT $3`,
		client, tenant, atMost(limit))
}
