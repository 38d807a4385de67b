package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// viewPlaces is how many batches of views there are at once.
const viewPlaces = 2

// lookTogether runs a view in a batch; errAlone when it can't be in one.
func (s *Store) lookTogether(ctx context.Context, fn func(r chat.Reader) error) error {
	j := newJob(ctx, func(m *member) error {
		return fn(&peer{Reader: sqldb.NewReader(m, s.dialect, m.batch.now), m: m})
	})
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.views.add(j, math.MaxInt)
		if err := s.views.pass(j, nil, s.serveViews); !errors.Is(err, errOthers) {
			return err
		}
		j = j.afresh()
	}
}

// serveViews leads the next batch of views.
func (s *Store) serveViews() {
	defer s.views.release()
	jobs := s.views.take(batchSize)
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), workPatience)
	defer cancel()
	pg, now, release, err := s.begin(ctx, reading)
	if err != nil {
		for _, j := range jobs {
			j.answer <- err
		}
		return
	}
	defer release()
	defer s.rollback(context.Background(), pg)
	b := &batch{store: s, ctx: ctx, pg: pg, now: now}
	b.run(jobs)
	if b.lost() {
		b.giveUp()
		return
	}
	b.answer(nil)
}

// peer is what a view sees that shares its state with others: the methods that
// stand here read a few rows by their key. A view that wants more leaves, and
// keeps nobody waiting.
type peer struct {
	*sqldb.Reader
	m *member
}

func (p *peer) allow() (end func()) {
	p.m.allowed = true
	return p.m.forbid
}

// Client implements chat.ClientReader.
func (p *peer) Client(tenant, id chat.ID) (*chat.Client, error) {
	defer p.allow()()
	return p.Reader.Client(tenant, id)
}

// ClientByExternalID implements chat.ClientReader.
func (p *peer) ClientByExternalID(tenant, scope chat.ID, externalID string) (*chat.Client, error) {
	defer p.allow()()
	return p.Reader.ClientByExternalID(tenant, scope, externalID)
}

// Conversation implements chat.ConversationReader.
func (p *peer) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	defer p.allow()()
	return p.Reader.Conversation(tenant, id)
}

// ConversationByKey implements chat.ConversationReader.
func (p *peer) ConversationByKey(tenant, task, client chat.ID, key string) (*chat.Conversation, error) {
	defer p.allow()()
	return p.Reader.ConversationByKey(tenant, task, client, key)
}

// Session implements chat.ConversationReader.
func (p *peer) Session(tenant, id chat.ID) (*chat.Session, error) {
	defer p.allow()()
	return p.Reader.Session(tenant, id)
}

// Events implements chat.LogReader.
func (p *peer) Events(tenant, conversation chat.ID, after int64, limit int) ([]chat.Entry, error) {
	defer p.allow()()
	return p.Reader.Events(tenant, conversation, after, limit)
}

// Event implements chat.LogReader.
func (p *peer) Event(tenant, conversation chat.ID, seq int64) (*chat.Entry, error) {
	defer p.allow()()
	return p.Reader.Event(tenant, conversation, seq)
}

// Message implements chat.LogReader.
func (p *peer) Message(tenant, id chat.ID) (*chat.Message, error) {
	defer p.allow()()
	return p.Reader.Message(tenant, id)
}

// Delivery implements chat.DeliveryReader.
func (p *peer) Delivery(tenant, id chat.ID) (*chat.Delivery, error) {
	defer p.allow()()
	return p.Reader.Delivery(tenant, id)
}

// DeliveryOf implements chat.DeliveryReader.
func (p *peer) DeliveryOf(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	defer p.allow()()
	return p.Reader.DeliveryOf(tenant, endpoint, conversation, seq)
}

// PreviousDelivery implements chat.DeliveryReader.
func (p *peer) PreviousDelivery(tenant, endpoint, conversation chat.ID, seq int64) (*chat.Delivery, error) {
	defer p.allow()()
	return p.Reader.PreviousDelivery(tenant, endpoint, conversation, seq)
}

// NextQueued implements chat.DeliveryReader.
func (p *peer) NextQueued(tenant, endpoint, conversation chat.ID) (*chat.Delivery, error) {
	defer p.allow()()
	return p.Reader.NextQueued(tenant, endpoint, conversation)
}

// SettingsVersion implements chat.SettingReader.
func (p *peer) SettingsVersion() (int64, error) {
	defer p.allow()()
	return p.Reader.SettingsVersion()
}

// NextTimer implements chat.Reader.
func (p *peer) NextTimer() (chat.Micros, error) {
	defer p.allow()()
	return p.Reader.NextTimer()
}

// Exchange implements chat.ExchangeReader.
func (p *peer) Exchange(tenant, channel, client chat.ID, questionID string) (*chat.Exchange, error) {
	defer p.allow()()
	return p.Reader.Exchange(tenant, channel, client, questionID)
}

// PollCursor implements chat.ExchangeReader.
func (p *peer) PollCursor(tenant, channel, client chat.ID, cid string) (*chat.PollCursor, error) {
	defer p.allow()()
	return p.Reader.PollCursor(tenant, channel, client, cid)
}
