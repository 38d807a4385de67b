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
	dropped atomic.Int64
}

// New makes an empty hub. It owns no goroutine and needs no closing.
func New() *Hub {
	return &Hub{topics: map[chat.Topic]map[*subscription]struct{}{}}
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
	return sub
}

// Followed says whether anybody would hear of a conversation.
func (h *Hub) Followed(t chat.Topic) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.topics[t]) > 0 || len(h.topics[chat.Topic{TenantID: t.TenantID}]) > 0
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
	delete(s.hub.topics[s.topic], s)
	if len(s.hub.topics[s.topic]) == 0 {
		delete(s.hub.topics, s.topic)
	}
}
