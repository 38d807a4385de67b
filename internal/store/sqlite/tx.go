package sqlite

import (
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// tx is a use case's transaction that reads from the cache what the cache
// knows, and tells it what it reads and writes. Whatever is not here goes to
// the database.
type tx struct {
	*sqldb.Tx
	guard *guard
	cache *cache
}

// own runs a write whose effect on the cache the caller sees to.
func (t *tx) own(write func() error) error {
	t.guard.owned = true
	defer func() { t.guard.owned = false }()
	return write()
}

// Client implements chat.ClientReader.
func (t *tx) Client(tenant, id chat.ID) (*chat.Client, error) {
	if c := t.cache.clients.row(id); c != nil && c.TenantID == tenant {
		return c, nil
	}
	c, err := t.Tx.Client(tenant, id)
	if err == nil {
		t.cache.clients.keep(id, c)
	}
	return c, err
}

// ClientByExternalID implements chat.ClientReader.
func (t *tx) ClientByExternalID(tenant, scope chat.ID, externalID string) (*chat.Client, error) {
	key := externalKey{tenant, scope, externalID}
	if id, ok := t.cache.externals.get(key); ok {
		return t.Client(tenant, id)
	}
	c, err := t.Tx.ClientByExternalID(tenant, scope, externalID)
	if err == nil {
		t.cache.externals.put(key, c.ID)
		t.cache.clients.keep(c.ID, c)
	}
	return c, err
}

// CreateClient implements chat.ClientWriter.
func (t *tx) CreateClient(c *chat.Client) error {
	err := t.own(func() error { return t.Tx.CreateClient(c) })
	if err == nil {
		t.cache.clients.keep(c.ID, c)
	}
	return err
}

// SaveClient implements chat.ClientWriter.
func (t *tx) SaveClient(c *chat.Client) error {
	err := t.own(func() error { return t.Tx.SaveClient(c) })
	if err == nil {
		t.cache.clients.saved(c.ID, c)
	}
	return err
}

// LinkExternalID implements chat.ClientWriter.
func (t *tx) LinkExternalID(tenant, scope chat.ID, externalID string, client chat.ID) error {
	err := t.own(func() error { return t.Tx.LinkExternalID(tenant, scope, externalID, client) })
	if err == nil {
		t.cache.externals.put(externalKey{tenant, scope, externalID}, client)
	}
	return err
}

// Conversation implements chat.ConversationReader.
func (t *tx) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	if c := t.cache.conversations.row(id); c != nil && c.TenantID == tenant {
		t.Known(c)
		return c, nil
	}
	c, err := t.Tx.Conversation(tenant, id)
	if err == nil {
		t.cache.conversations.keep(id, c)
	}
	return c, err
}

// ConversationByKey implements chat.ConversationReader.
func (t *tx) ConversationByKey(tenant, task, client chat.ID, key string) (*chat.Conversation, error) {
	which := talkKey{client, task, key}
	if id, ok := t.cache.keys.get(which); ok {
		return t.Conversation(tenant, id)
	}
	c, err := t.Tx.ConversationByKey(tenant, task, client, key)
	if err == nil {
		t.cache.keys.put(which, c.ID)
		t.cache.conversations.keep(c.ID, c)
	}
	return c, err
}

// CreateConversation implements chat.ConversationWriter.
func (t *tx) CreateConversation(c *chat.Conversation) error {
	err := t.own(func() error { return t.Tx.CreateConversation(c) })
	if err == nil {
		t.cache.keys.put(talkKey{c.ClientID, c.TaskID, c.Key}, c.ID)
		t.cache.conversations.keep(c.ID, c)
	}
	return err
}

// SaveConversation implements chat.ConversationWriter.
func (t *tx) SaveConversation(c *chat.Conversation) error {
	err := t.own(func() error { return t.Tx.SaveConversation(c) })
	if err == nil {
		t.cache.conversations.saved(c.ID, c)
	}
	return err
}

// Session implements chat.ConversationReader.
func (t *tx) Session(tenant, id chat.ID) (*chat.Session, error) {
	if s := t.cache.sessions.row(id); s != nil && s.TenantID == tenant {
		return s, nil
	}
	s, err := t.Tx.Session(tenant, id)
	if err == nil {
		t.cache.sessions.keep(id, s)
	}
	return s, err
}

// CreateSession implements chat.ConversationWriter.
func (t *tx) CreateSession(s *chat.Session) error {
	err := t.own(func() error { return t.Tx.CreateSession(s) })
	if err == nil {
		t.cache.sessions.keep(s.ID, s)
	}
	return err
}

// SaveSession implements chat.ConversationWriter.
func (t *tx) SaveSession(s *chat.Session) error {
	err := t.own(func() error { return t.Tx.SaveSession(s) })
	if err == nil {
		t.cache.sessions.saved(s.ID, s)
	}
	return err
}

// WakeLane implements chat.LaneStore: a lane that is there is left as it is.
func (t *tx) WakeLane(tenant, endpoint, conversation chat.ID, seq int64) error {
	key := laneKey{endpoint, conversation}
	if _, there := t.cache.lanes.get(key); there {
		return nil
	}
	err := t.Tx.WakeLane(tenant, endpoint, conversation, seq)
	if err == nil {
		t.cache.lanes.put(key, struct{}{})
	}
	return err
}

// DropLane implements chat.LaneStore.
func (t *tx) DropLane(l *chat.Lane) error {
	t.cache.lanes.forget(laneKey{l.EndpointID, l.ConversationID})
	return t.own(func() error { return t.Tx.DropLane(l) })
}

// SetTimer implements chat.TimerStore.
func (t *tx) SetTimer(tm *chat.Timer) error {
	t.cache.idle.forget(timerKey{tm.TenantID, tm.ConversationID, tm.Kind})
	return t.own(func() error { return t.Tx.SetTimer(tm) })
}

// CancelTimers implements chat.TimerStore: of what is not set, nothing is
// cancelled.
func (t *tx) CancelTimers(tenant, conversation chat.ID, kind chat.TimerKind) error {
	key := timerKey{tenant, conversation, kind}
	if _, none := t.cache.idle.get(key); none {
		return nil
	}
	err := t.Tx.CancelTimers(tenant, conversation, kind)
	if err == nil {
		t.cache.idle.put(key, struct{}{})
	}
	return err
}

var _ chat.Tx = (*tx)(nil)
