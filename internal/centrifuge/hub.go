package centrifuge

import (
	"hash/maphash"
	"sync"
)

// hub knows who is subscribed to what. Locks are taken in the order shard,
// channel, connection.
type hub struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu       sync.Mutex
	channels map[string]*channel
}

// channel exists while somebody is subscribed. Its lock also puts what happens
// in it into one order for all subscribers.
type channel struct {
	name string
	refs int // subscriptions added or about to be; guarded by the shard

	mu   sync.Mutex
	subs []*subscription // each knows its index
}

func newHub() *hub {
	h := &hub{seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*channel)
	}
	return h
}

func (h *hub) shard(name string) *shard {
	return &h.shards[maphash.String(h.seed, name)%uint64(len(h.shards))]
}

// add puts the subscription into its channel: publications reach it from now on.
func (h *hub) add(name string, sub *subscription) {
	s := h.shard(name)
	s.mu.Lock()
	ch := s.channels[name]
	if ch == nil {
		ch = &channel{name: name}
		s.channels[name] = ch
	}
	ch.refs++
	s.mu.Unlock()

	ch.mu.Lock()
	defer ch.mu.Unlock()
	sub.channel = ch
	sub.index = len(ch.subs)
	ch.subs = append(ch.subs, sub)
}

// remove undoes add.
func (h *hub) remove(sub *subscription) {
	ch := sub.channel
	ch.mu.Lock()
	last := len(ch.subs) - 1
	ch.subs[sub.index] = ch.subs[last]
	ch.subs[sub.index].index = sub.index
	ch.subs[last] = nil
	ch.subs = ch.subs[:last]
	ch.mu.Unlock()

	s := h.shard(ch.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch.refs--; ch.refs == 0 {
		delete(s.channels, ch.name)
	}
}

func (h *hub) find(name string) *channel {
	s := h.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[name]
}

// each calls visit for every subscription of a channel. It must not add or
// remove any.
func (h *hub) each(name string, visit func(*subscription)) {
	ch := h.find(name)
	if ch == nil {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, sub := range ch.subs {
		visit(sub)
	}
}
