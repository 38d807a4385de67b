package hub_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/hub/hubtest"
)

// fakeLog is a log of two nodes in memory. Events up to the horizon are final.
type fakeLog struct {
	chat.Reader // only Events and Conversation are called
	events      []chat.Event
	horizon     chat.ID
	err         error
	reads       int
}

func (l *fakeLog) Horizon(context.Context) (chat.ID, error) { return l.horizon, l.err }

func (l *fakeLog) NewEvents(_ context.Context, after chat.ID, limit int) (list []chat.Event, err error) {
	for _, e := range l.events {
		if e.ID > after && len(list) < limit {
			list = append(list, e)
		}
	}
	return list, l.err
}

func (l *fakeLog) View(_ context.Context, fn func(r chat.Reader) error) error {
	l.reads++
	return fn(l)
}

func (l *fakeLog) Events(tenant, conversation chat.ID, after int64, limit int) (list []chat.Entry, err error) {
	for _, e := range l.events {
		if e.TenantID == tenant && e.ConversationID == conversation && e.Seq > after && len(list) < limit {
			list = append(list, chat.Entry{Event: e})
		}
	}
	return list, nil
}

// Conversation is one of client "anna" on channel 5.
func (l *fakeLog) Conversation(tenant, id chat.ID) (*chat.Conversation, error) {
	return &chat.Conversation{ID: id, TenantID: tenant, ChannelID: 5, ExternalID: "anna"}, nil
}

// commit adds the next event of a conversation; the ids may have gaps.
func (l *fakeLog) commit(id, conversation chat.ID) chat.Notice {
	seq := int64(1)
	for _, e := range l.events {
		if e.ConversationID == conversation {
			seq++
		}
	}
	e := chat.Event{ID: id, TenantID: 1, ConversationID: conversation, Seq: seq}
	at, _ := slices.BinarySearchFunc(l.events, id, func(e chat.Event, id chat.ID) int { return int(e.ID - id) })
	l.events = slices.Insert(l.events, at, e)
	return chat.Notice{TenantID: 1, ConversationID: conversation, Entries: []chat.Entry{{Event: e}}}
}

// heard takes the seqs that a subscription has been told of.
func heard(sub chat.Subscription) (seqs []int64) {
	for len(sub.C()) > 0 {
		for _, e := range (<-sub.C()).Entries {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

func TestSweeperIsABus(t *testing.T) {
	hubtest.Run(t, func(*testing.T) chat.Bus { return hub.NewSweeper(hub.New(), &fakeLog{}) })
}

// sweeping is a sweeper that has found the end of a log with two old events.
func sweeping(t *testing.T) (s *hub.Sweeper, l *fakeLog, sweep func()) {
	l = &fakeLog{horizon: 20}
	l.commit(10, 7)
	l.commit(20, 7)
	s = hub.NewSweeper(hub.New(), l)
	sweep = func() {
		t.Helper()
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	return s, l, sweep
}

func expect(t *testing.T, sub chat.Subscription, want ...int64) {
	t.Helper()
	if got := heard(sub); !slices.Equal(got, want) {
		t.Errorf("heard of %v, want %v", got, want)
	}
}

func TestSweepTellsOfOtherNodes(t *testing.T) {
	s, l, sweep := sweeping(t)
	sub := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 7})
	all := s.Subscribe(chat.Topic{TenantID: 1})
	other := s.Subscribe(chat.Topic{TenantID: 2})
	hers := s.Subscribe(chat.Topic{TenantID: 1, ChannelID: 5, ExternalID: "anna"})
	his := s.Subscribe(chat.Topic{TenantID: 1, ChannelID: 5, ExternalID: "boris"})
	sweep()
	expect(t, sub) // nothing of before
	l.commit(30, 7)
	l.commit(31, 8)
	l.commit(32, 7)
	l.horizon = 32
	sweep()
	expect(t, sub, 3, 4)
	if got := heard(all); len(got) != 3 {
		t.Errorf("who follows the tenant heard of %v, want three", got)
	}
	expect(t, other)
	if got := heard(hers); len(got) != 3 {
		t.Errorf("who follows the client heard of %v, want three", got)
	}
	expect(t, his)
	sweep()
	expect(t, sub)
}

// TestSweepReadsForFollowersOnly: conversations that nobody follows here cost
// no reading.
func TestSweepReadsForFollowersOnly(t *testing.T) {
	s, l, sweep := sweeping(t)
	sub := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 9})
	l.commit(30, 7)
	l.horizon = 30
	sweep()
	expect(t, sub)
	if l.reads != 0 {
		t.Errorf("the log was read %d times for nobody", l.reads)
	}
}

// TestSweepLeavesOutItsOwn: what this node has published is not told again,
// even while the horizon stands still below it.
func TestSweepLeavesOutItsOwn(t *testing.T) {
	s, l, sweep := sweeping(t)
	sub := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 7})
	s.Publish(l.commit(30, 7))
	expect(t, sub, 3)
	for range 4 {
		sweep()
	}
	expect(t, sub)
	l.commit(40, 7) // of another node
	for range 4 {
		sweep()
	}
	expect(t, sub, 4)
}

// TestSweepFindsWhatAppearsLate: an event with an id below others that were
// seen before it is told of when it appears.
func TestSweepFindsWhatAppearsLate(t *testing.T) {
	s, l, sweep := sweeping(t)
	late := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 8})
	l.commit(40, 7)
	for range 4 { // a transaction with the id 30 is under way
		sweep()
	}
	l.commit(30, 8)
	l.horizon = 40
	sweep()
	expect(t, late, 1)
}

// TestSweepMakesUpForAFailure: what a failed sweep left out the next one tells.
func TestSweepMakesUpForAFailure(t *testing.T) {
	s, l, sweep := sweeping(t)
	sub := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 7})
	l.commit(30, 7)
	l.horizon, l.err = 30, errors.New("no database")
	if err := s.Sweep(t.Context()); err == nil {
		t.Fatal("the sweep did not fail")
	}
	l.err = nil
	sweep()
	expect(t, sub, 3)
}

// TestSweepOfMany: more than one page is told of in one sweep.
func TestSweepOfMany(t *testing.T) {
	s, l, sweep := sweeping(t)
	const many = 2500
	for i := range chat.ID(many) {
		l.commit(30+i, 100+i)
	}
	last := s.Subscribe(chat.Topic{TenantID: 1, ConversationID: 100 + many - 1})
	l.horizon = 30 + many - 1
	sweep()
	expect(t, last, 1)
}
