package postgres

import "github.com/tolmach/tolmach/internal/chat"

// What a batch allows of questions and answers, which are a client's own, and
// of who takes conversations (see together).

// Exchange implements chat.ExchangeReader.
func (t *together) Exchange(tenant, channel, client chat.ID, questionID string) (*chat.Exchange, error) {
	if err := t.m.own(clientThing(client)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Exchange(tenant, channel, client, questionID)
}

// UnreadExchanges implements chat.ExchangeReader.
func (t *together) UnreadExchanges(tenant, channel, client chat.ID) (int, error) {
	if err := t.m.own(clientThing(client)); err != nil {
		return 0, err
	}
	defer t.allow()()
	return t.Tx.UnreadExchanges(tenant, channel, client)
}

// AddExchange implements chat.ExchangeWriter.
func (t *together) AddExchange(x *chat.Exchange) error {
	if err := t.m.own(clientThing(x.ClientID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.AddExchange(x)
}

// SaveExchange implements chat.ExchangeWriter.
func (t *together) SaveExchange(x *chat.Exchange) error {
	if err := t.m.own(clientThing(x.ClientID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SaveExchange(x)
}

// PollCursor implements chat.ExchangeReader.
func (t *together) PollCursor(tenant, channel, client chat.ID, cid string) (*chat.PollCursor, error) {
	if err := t.m.own(clientThing(client)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.PollCursor(tenant, channel, client, cid)
}

// SavePollCursor implements chat.ExchangeWriter.
func (t *together) SavePollCursor(c *chat.PollCursor) error {
	if err := t.m.own(clientThing(c.ClientID)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.SavePollCursor(c)
}

// Presences implements chat.PresenceReader.
func (t *together) Presences(tenant chat.ID) ([]chat.Presence, error) {
	if err := t.m.own(presenceThing(tenant)); err != nil {
		return nil, err
	}
	defer t.allow()()
	return t.Tx.Presences(tenant)
}

// AddLoad implements chat.PresenceWriter.
func (t *together) AddLoad(tenant, operator chat.ID, n int, assigned chat.Micros) error {
	if err := t.m.own(presenceThing(tenant)); err != nil {
		return err
	}
	defer t.allow()()
	return t.Tx.AddLoad(tenant, operator, n, assigned)
}
