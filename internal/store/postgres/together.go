package postgres

import (
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// together is what a use case sees that shares its transaction with others. The
// methods of chat.Tx that stand here, those that the traffic of messages needs,
// may be used beside others; a use case that wants more parts from them
// (member.part).
//
// In a transaction of their own use cases keep apart by the rows that they
// lock. Here the same rows, and keys that are about to be written, are owned:
// what a member reads to change, and whether it is there, is its alone until
// all of them are committed.
type together struct {
	*sqldb.Tx
	m *member
}

// thing is what a member can own: a row of a table, by its key.
type thing struct {
	table string
	a, b  chat.ID
	key   string
}

func clientThing(id chat.ID) thing       { return thing{table: "clients", a: id} }
func conversationThing(id chat.ID) thing { return thing{table: "conversations", a: id} }
func sessionThing(id chat.ID) thing      { return thing{table: "sessions", a: id} }
func deliveryThing(id chat.ID) thing     { return thing{table: "deliveries", a: id} }
func laneThing(e, c chat.ID) thing       { return thing{table: "lanes", a: e, b: c} }
func presenceThing(tenant chat.ID) thing { return thing{table: "presence", a: tenant} }
func keyThing(t chat.ID, s string) thing { return thing{table: "idempotency_keys", a: t, key: s} }
func externalThing(t, scope chat.ID, id string) thing {
	return thing{table: "external_ids", a: t, b: scope, key: id}
}

// allow lets the statements of one method into the batch; the function that it
// returns ends that.
func (t *together) allow() (end func()) {
	t.m.allowed = true
	return t.m.forbid
}

func (m *member) forbid() { m.allowed = false }

// ownClient owns what was read.
func (t *together) ownClient(c *chat.Client, err error) (*chat.Client, error) {
	if err != nil {
		return nil, err
	}
	return c, t.m.ownRead(clientThing(c.ID))
}

// ownConversation owns what was read, and its client, which is locked before.
func (t *together) ownConversation(c *chat.Conversation, err error) (*chat.Conversation, error) {
	if err == nil {
		err = t.m.ownRead(clientThing(c.ClientID))
	}
	if err == nil {
		err = t.m.ownRead(conversationThing(c.ID))
	}
	return c, err
}

func (t *together) ownDelivery(d *chat.Delivery, err error) (*chat.Delivery, error) {
	if err != nil {
		return nil, err
	}
	return d, t.m.ownRead(deliveryThing(d.ID))
}

// Client implements chat.ClientReader.
func (t *together) Client(tenant, id chat.ID) (*chat.Client, error) {
	defer t.allow()()
	return t.ownClient(t.Tx.Client(tenant, id))
}

// ClientByExternalID implements chat.ClientReader.
func (t *together) ClientByExternalID(tenant, scope chat.ID, externalID string) (*chat.Client, error) {
	if err := t.m.own(externalThing(tenant, scope, externalID)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.ownClient(t.Tx.ClientByExternalID(tenant, scope, externalID))
}

// CreateClient implements chat.ClientWriter.
func (t *together) CreateClient(c *chat.Client) error {
	defer t.allow()()
	return t.Tx.CreateClient(c)
}

// SaveClient implements chat.ClientWriter.
func (t *together) SaveClient(c *chat.Client) error {
	if err := t.m.own(clientThing(c.ID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveClient(c)
}

// LinkExternalID implements chat.ClientWriter.
func (t *together) LinkExternalID(tenant, scope chat.ID, externalID string, client chat.ID) error {
	if err := t.m.own(externalThing(tenant, scope, externalID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.LinkExternalID(tenant, scope, externalID, client)
}

// Conversation implements chat.ConversationReader.
func (t *together) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	if err := t.m.own(conversationThing(id)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.ownConversation(t.Tx.Conversation(tenant, id))
}

// ConversationByKey implements chat.ConversationReader.
func (t *together) ConversationByKey(tenant, task, client chat.ID, key string) (*chat.Conversation, error) {
	if err := t.m.own(clientThing(client)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.ownConversation(t.Tx.ConversationByKey(tenant, task, client, key))
}

// CreateConversation implements chat.ConversationWriter.
func (t *together) CreateConversation(c *chat.Conversation) error {
	if err := t.m.own(clientThing(c.ClientID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.CreateConversation(c)
}

// SaveConversation implements chat.ConversationWriter.
func (t *together) SaveConversation(c *chat.Conversation) error {
	if err := t.m.own(conversationThing(c.ID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveConversation(c)
}

// Session implements chat.ConversationReader.
func (t *together) Session(tenant, id chat.ID) (*chat.Session, error) {
	if err := t.m.own(sessionThing(id)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Session(tenant, id)
}

// CreateSession implements chat.ConversationWriter.
func (t *together) CreateSession(s *chat.Session) error {
	defer t.allow()()
	return t.Tx.CreateSession(s)
}

// SaveSession implements chat.ConversationWriter.
func (t *together) SaveSession(s *chat.Session) error {
	if err := t.m.own(sessionThing(s.ID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveSession(s)
}
