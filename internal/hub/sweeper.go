package hub

import (
	"context"
	"sync"

	"github.com/tolmach/tolmach/internal/chat"
)

// Log is what a Sweeper reads of a database that several nodes write.
type Log interface {
	// Horizon returns the greatest id such that no event up to it will appear
	// any more.
	Horizon(ctx context.Context) (chat.ID, error)
	// NewEvents returns the events of all tenants with ID > after that can be
	// seen now, rising by ID, at most limit. Only ID, TenantID, ConversationID
	// and Seq are filled in.
	NewEvents(ctx context.Context, after chat.ID, limit int) ([]chat.Event, error)
	// View is that of chat.Store.
	View(ctx context.Context, fn func(r chat.Reader) error) error
}

// sweepPage is how many events a sweep looks at before it publishes.
const sweepPage = 1000

// Sweeper is a chat.Bus for one of several nodes: it publishes what this node
// commits, at once, and at every Sweep what the others have committed since the
// last one. What one sweep costs grows with what was said, not with how many
// follow.
type Sweeper struct {
	hub *Hub
	log Log
	at  chat.ID // everything up to this id was published; Sweep's own

	mu            sync.Mutex
	told, earlier map[chat.ID]int64 // the last seq published, by conversation: since the last sweep, and before
}

// NewSweeper makes a bus over the hub of this node. Its first Sweep only finds
// the end of the log.
func NewSweeper(h *Hub, log Log) *Sweeper {
	return &Sweeper{hub: h, log: log, at: -1, told: map[chat.ID]int64{}, earlier: map[chat.ID]int64{}}
}

// Publish implements chat.Bus.
func (s *Sweeper) Publish(n chat.Notice) {
	if len(n.Entries) > 0 {
		s.tell(n.ConversationID, n.Entries[len(n.Entries)-1].Seq)
	}
	s.hub.Publish(n)
}

// Subscribe implements chat.Bus.
func (s *Sweeper) Subscribe(t chat.Topic) chat.Subscription { return s.hub.Subscribe(t) }

// Sweep publishes what other nodes have committed and somebody here follows.
// One goroutine at a time calls it. After an error the next one makes up for it.
func (s *Sweeper) Sweep(ctx context.Context) error {
	// The horizon first: what is below it by now is seen by what is read next.
	// What is above it may be seen too; it is published already, and looked at
	// again until the horizon has passed it.
	horizon, err := s.log.Horizon(ctx)
	if err != nil {
		return err
	}
	if s.at < 0 {
		s.at = horizon
		return nil
	}
	for after := s.at; ; {
		events, err := s.log.NewEvents(ctx, after, sweepPage)
		if err != nil {
			return err
		}
		if err := s.publish(ctx, s.unknown(events)); err != nil {
			return err
		}
		if len(events) < sweepPage {
			break
		}
		after = events[len(events)-1].ID
	}
	s.at = horizon
	s.mu.Lock()
	s.told, s.earlier = map[chat.ID]int64{}, s.told
	s.mu.Unlock()
	return nil
}

// span is what is new in one conversation: after < seq <= last.
type span struct {
	tenant, conversation chat.ID
	after, last          int64
}

// unknown finds what nobody here was told of and somebody wants to know.
func (s *Sweeper) unknown(events []chat.Event) map[chat.ID]*span {
	spans := map[chat.ID]*span{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		e := &events[i]
		known := max(s.told[e.ConversationID], s.earlier[e.ConversationID])
		switch sp := spans[e.ConversationID]; {
		case e.Seq <= known:
			s.told[e.ConversationID] = known // it may be seen again: not forgotten yet
		case sp != nil:
			sp.after, sp.last = min(sp.after, e.Seq-1), max(sp.last, e.Seq)
		default:
			if s.hub.MayFollow(e.TenantID, e.ConversationID) {
				spans[e.ConversationID] = &span{e.TenantID, e.ConversationID, e.Seq - 1, e.Seq}
			}
		}
	}
	return spans
}

// publish reads the spans and publishes them.
func (s *Sweeper) publish(ctx context.Context, spans map[chat.ID]*span) error {
	if len(spans) == 0 {
		return nil
	}
	var notices []chat.Notice
	err := s.log.View(ctx, func(r chat.Reader) error {
		notices = nil
		for _, sp := range spans {
			n, err := s.read(r, sp)
			if err != nil {
				return err
			}
			if len(n.Entries) > 0 {
				notices = append(notices, n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, n := range notices {
		s.Publish(n)
	}
	return nil
}

// read makes the notice of a span; one without entries when nobody follows.
func (s *Sweeper) read(r chat.Reader, sp *span) (chat.Notice, error) {
	conv, err := r.Conversation(sp.tenant, sp.conversation)
	if err != nil {
		return chat.Notice{}, err
	}
	n := chat.Notice{TenantID: sp.tenant, ConversationID: sp.conversation, ChannelID: conv.ChannelID, ExternalID: conv.ExternalID}
	if s.hub.Followed(&n) {
		n.Entries, err = r.Events(sp.tenant, sp.conversation, sp.after, int(sp.last-sp.after))
	}
	return n, err
}

// tell remembers what was published.
func (s *Sweeper) tell(conversation chat.ID, seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[conversation] = max(s.told[conversation], seq)
}
