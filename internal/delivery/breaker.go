package delivery

import (
	"slices"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	openAfter = 5                // conversations that a bot failed in a row
	openFor   = 30 * time.Second // at first; doubled by each failed trial
	openMost  = 10 * time.Minute
)

// breaker keeps clients from waiting for a bot that fails them all. While it
// is open nobody asks the bot: routing passes it by, and what was asked already
// goes on along its route. Then one question at a time tries the bot again.
type breaker struct {
	mu     sync.Mutex
	failed []chat.ID // conversations that failed since the last success
	span   time.Duration
	until  chat.Micros // open until then; 0: closed
	paused bool
}

// asks says whether the bot may be asked now.
func (b *breaker) asks(now chat.Micros) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state(now) != Ill
}

// available says whether routing may choose the bot.
func (b *breaker) available(now chat.Micros) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.state(now)
	return state == Healthy || state == Suspect
}

// judge counts how a turn ended.
func (b *breaker) judge(now chat.Micros, conversation chat.ID, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failed, b.span, b.until = nil, 0, 0
		return
	}
	switch b.state(now) {
	case Ill:
		return // it was asked before the breaker opened
	case Suspect:
		b.span = min(2*b.span, openMost)
	default:
		if !slices.Contains(b.failed, conversation) {
			b.failed = append(b.failed, conversation)
		}
		if len(b.failed) < openAfter {
			return
		}
		b.span = openFor
	}
	b.until = now.Add(b.span)
}

// state needs the lock.
func (b *breaker) state(now chat.Micros) State {
	switch {
	case b.paused:
		return Paused
	case b.until == 0:
		return Healthy
	case now < b.until:
		return Ill
	default:
		return Suspect
	}
}

func (b *breaker) room(now chat.Micros, inflight int) (n int, again chat.Micros) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.state(now) {
	case Paused:
		return 0, 0
	case Suspect:
		return max(1-inflight, 0), 0
	default:
		return max(botInflight-inflight, 0), 0
	}
}

func (b *breaker) start(chat.Micros, chat.ID) {}

func (b *breaker) finish(chat.ID) {}

func (b *breaker) steady(now chat.Micros) bool { return b.stateAt(now) == Healthy }

func (b *breaker) stateAt(now chat.Micros) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state(now)
}

func (b *breaker) adopt(stored chat.EndpointHealth) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paused = stored.Paused
}
