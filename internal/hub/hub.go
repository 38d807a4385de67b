// Package hub is the live fan-out inside one process: chat.Bus over maps and
// buffered channels. It may drop and never blocks; the log decides.
package hub

import (
	"sync"
	"sync/atomic"

	"github.com/tolmach/tolmach/internal/chat"
)

// buffer is how many notices a subscriber may lag behind before it misses
// some. A follower that missed one reads the log.
const buffer = 64

// Hub implements chat.Bus. The zero value is not usable; call New.
type Hub struct {
	mu      sync.RWMutex
	topics  map[chat.Topic]map[*subscription]struct{}
	named   map[chat.ID]int // by tenant: subscriptions that name a client, not a conversation
	dropped atomic.Int64
}

// New makes an empty hub. It owns no goroutine and needs no closing.
func New() *Hub {
	return &Hub{topics: map[chat.Topic]map[*subscription]struct{}{}, named: map[chat.ID]int{}}
}

// Publish hands the notice to every subscription of its topics.
func (h *Hub) Publish(n chat.Notice) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, topic := range n.Topics() {
		for sub := range h.topics[topic] {
			select {
			case sub.c <- n:
			default:
				h.dropped.Add(1)
			}
		}
	}
}

// Subscribe opens a subscription; the caller closes it.
func (h *Hub) Subscribe(t chat.Topic) chat.Subscription {
	sub := &subscription{hub: h, topic: t, c: make(chan chat.Notice, buffer)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics[t] == nil {
		h.topics[t] = map[*subscription]struct{}{}
	}
	h.topics[t][sub] = struct{}{}
	if t.ChannelID != 0 {
		h.named[t.TenantID]++
	}
	return sub
}

// Followed says whether anybody would hear of the notice.
func (h *Hub) Followed(n *chat.Notice) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, topic := range n.Topics() {
		if len(h.topics[topic]) > 0 {
			return true
		}
	}
	return false
}

// MayFollow says whether anybody may want to hear of a conversation whose client
// is not known.
func (h *Hub) MayFollow(tenant, conversation chat.ID) bool {
	h.mu.RLock()
	named := h.named[tenant]
	h.mu.RUnlock()
	return named > 0 || h.Followed(&chat.Notice{TenantID: tenant, ConversationID: conversation})
}

// Dropped counts the notices that slow subscribers missed.
func (h *Hub) Dropped() int64 { return h.dropped.Load() }

// Subscribers counts the open subscriptions.
func (h *Hub) Subscribers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, subs := range h.topics {
		n += len(subs)
	}
	return n
}

type subscription struct {
	hub   *Hub
	topic chat.Topic
	c     chan chat.Notice
}

// C delivers the notices.
func (s *subscription) C() <-chan chat.Notice { return s.c }

// Close ends the subscription; closing twice is harmless.
func (s *subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if _, open := s.hub.topics[s.topic][s]; !open {
		return
	}
	delete(s.hub.topics[s.topic], s)
	if s.topic.ChannelID != 0 {
		if s.hub.named[s.topic.TenantID]--; s.hub.named[s.topic.TenantID] == 0 {
			delete(s.hub.named, s.topic.TenantID)
		}
	}
	if len(s.hub.topics[s.topic]) == 0 {
		delete(s.hub.topics, s.topic)
	}
}
