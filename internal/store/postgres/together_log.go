package postgres

import "github.com/tolmach/tolmach/internal/chat"

// What a batch allows of the log, the lanes and what hangs on them (see
// together).

// Events implements chat.LogReader.
func (t *together) Events(tenant, conversation chat.ID, after int64, limit int) ([]chat.Entry, error) {
	defer t.allow()()
	return t.Tx.Events(tenant, conversation, after, limit)
}

// Event implements chat.LogReader.
func (t *together) Event(tenant, conversation chat.ID, seq int64) (*chat.Entry, error) {
	defer t.allow()()
	return t.Tx.Event(tenant, conversation, seq)
}

// Message implements chat.LogReader.
func (t *together) Message(tenant, id chat.ID) (*chat.Message, error) {
	defer t.allow()()
	return t.Tx.Message(tenant, id)
}

// AppendEvent implements chat.LogWriter.
func (t *together) AppendEvent(e *chat.Event) error {
	if err := t.m.own(conversationThing(e.ConversationID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.AppendEvent(e)
}

// AddMessage implements chat.LogWriter.
func (t *together) AddMessage(m *chat.Message) error {
	defer t.allow()()
	return t.Tx.AddMessage(m)
}

// SetMessageStatus implements chat.LogWriter.
func (t *together) SetMessageStatus(tenant, message chat.ID, status chat.Status) error {
	defer t.allow()()
	return t.Tx.SetMessageStatus(tenant, message, status)
}

// WakeLane implements chat.LaneStore.
func (t *together) WakeLane(tenant, endpoint, conversation chat.ID, seq int64) error {
	if err := t.m.own(laneThing(endpoint, conversation)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.WakeLane(tenant, endpoint, conversation, seq)
}

// Lane implements chat.LaneStore.
func (t *together) Lane(tenant, endpoint, conversation chat.ID) (*chat.Lane, error) {
	if err := t.m.own(laneThing(endpoint, conversation)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Lane(tenant, endpoint, conversation)
}

// SaveLane implements chat.LaneStore.
func (t *together) SaveLane(l *chat.Lane) error {
	if err := t.m.own(laneThing(l.EndpointID, l.ConversationID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveLane(l)
}

// DropLane implements chat.LaneStore.
func (t *together) DropLane(l *chat.Lane) error {
	if err := t.m.own(laneThing(l.EndpointID, l.ConversationID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.DropLane(l)
}

// Delivery implements chat.DeliveryReader.
func (t *together) Delivery(tenant, id chat.ID) (*chat.Delivery, error) {
	if err := t.m.own(deliveryThing(id)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Delivery(tenant, id)
}

// DeliveryOf implements chat.DeliveryReader.
func (t *together) DeliveryOf(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	defer t.allow()()
	return t.ownDelivery(t.Tx.DeliveryOf(tenant, endpoint, conversation, seq))
}

// PreviousDelivery implements chat.DeliveryReader.
func (t *together) PreviousDelivery(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	defer t.allow()()
	return t.ownDelivery(t.Tx.PreviousDelivery(tenant, endpoint, conversation, seq))
}

// NextQueued implements chat.DeliveryReader.
func (t *together) NextQueued(tenant, endpoint, conversation chat.ID) (*chat.Delivery, error) {
	defer t.allow()()
	return t.ownDelivery(t.Tx.NextQueued(tenant, endpoint, conversation))
}

// SaveDelivery implements chat.DeliveryWriter.
func (t *together) SaveDelivery(d *chat.Delivery) error {
	if err := t.m.own(deliveryThing(d.ID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveDelivery(d)
}

// AddAttempt implements chat.DeliveryWriter.
func (t *together) AddAttempt(a *chat.Attempt) error {
	defer t.allow()()
	return t.Tx.AddAttempt(a)
}

// SetTimer implements chat.TimerStore.
func (t *together) SetTimer(tm *chat.Timer) error {
	if err := t.m.own(conversationThing(tm.ConversationID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SetTimer(tm)
}

// CancelTimers implements chat.TimerStore.
func (t *together) CancelTimers(tenant, conversation chat.ID, kind chat.TimerKind) error {
	if err := t.m.own(conversationThing(conversation)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.CancelTimers(tenant, conversation, kind)
}

// Key implements chat.KeyStore.
func (t *together) Key(tenant chat.ID, scope, key string) (*chat.IdempotencyKey, error) {
	if err := t.m.own(keyThing(tenant, scope+"\x00"+key)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Key(tenant, scope, key)
}

// PutKey implements chat.KeyStore.
func (t *together) PutKey(k *chat.IdempotencyKey) error {
	if err := t.m.own(keyThing(k.TenantID, k.Scope+"\x00"+k.Key)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.PutKey(k)
}

// CreateTenant implements chat.SettingWriter.
func (t *together) CreateTenant(tenant *chat.Tenant) error {
	defer t.allow()()
	return t.Tx.CreateTenant(tenant)
}
