package auth

import (
	"container/list"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// Limits of failed logins within a window. Keys is how many logins and
// addresses are remembered at once; beyond it the oldest are forgotten.
type Limits struct {
	PerLogin   int
	PerAddress int
	Window     time.Duration
	Keys       int
}

// Throttle counts failed logins, per login and per address, in memory. It is
// safe for concurrent use.
type Throttle struct {
	limits Limits
	now    func() time.Time

	mu    sync.Mutex
	kept  map[throttleKey]*list.Element
	order *list.List // of *window, the oldest first: all are equally long
}

// throttleKey is a login or an address; an IPv6 address counts with its /64,
// which one household or machine has to itself.
type throttleKey struct {
	login  string
	prefix netip.Prefix
}

// window counts the tries of one key since its first one.
type window struct {
	key   throttleKey
	start time.Time
	tries int
}

// NewThrottle makes a Throttle that has seen nothing yet.
func NewThrottle(limits Limits, now func() time.Time) *Throttle {
	limits.Keys = max(limits.Keys, 2)
	return &Throttle{limits: limits, now: now, kept: map[throttleKey]*list.Element{}, order: list.New()}
}

// Throttled is the cause of a CodeThrottled error.
type Throttled struct {
	After time.Duration // until the next try is let through
}

// Error says how long to wait.
func (t *Throttled) Error() string { return fmt.Sprintf("throttled for %v", t.After) }

// RetryAfter is how long to wait.
func (t *Throttled) RetryAfter() time.Duration { return t.After }

// Try counts a try of the login from the address as failed, before the password
// is looked at, so that parallel tries count too. The caller calls succeeded if
// it was not. Errors: CodeThrottled with a *Throttled when either has used up
// its tries; such a try counts no further.
func (t *Throttle) Try(addr netip.Addr, login string) (succeeded func(), err error) {
	byLogin := throttleKey{login: clip(strings.ToLower(login), 256)}
	byAddress := throttleKey{prefix: household(addr)}
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	wait := max(t.wait(byLogin, t.limits.PerLogin, now), t.wait(byAddress, t.limits.PerAddress, now))
	if wait > 0 {
		return nil, &chat.Error{
			Code: chat.CodeThrottled, Err: &Throttled{After: wait},
			Message: fmt.Sprintf("too many failed logins; try again in %v", wait.Round(time.Second)),
		}
	}
	counted := []*window{t.count(byLogin, now), t.count(byAddress, now)}
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, w := range counted {
			w.tries--
		}
	}), nil
}

// wait is how long a key that has used up its tries must wait, else 0.
func (t *Throttle) wait(key throttleKey, limit int, now time.Time) time.Duration {
	if e, ok := t.kept[key]; ok {
		if w := e.Value.(*window); w.tries >= limit {
			return w.start.Add(t.limits.Window).Sub(now)
		}
	}
	return 0
}

func (t *Throttle) count(key throttleKey, now time.Time) *window {
	e, ok := t.kept[key]
	if !ok {
		e = t.order.PushBack(&window{key: key, start: now})
		t.kept[key] = e
	}
	w := e.Value.(*window)
	w.tries++
	return w
}

// forget drops windows that are over, and the oldest ones while there are too
// many.
func (t *Throttle) forget(now time.Time) {
	for e := t.order.Front(); e != nil; e = t.order.Front() {
		w := e.Value.(*window)
		if len(t.kept) <= t.limits.Keys-2 && now.Before(w.start.Add(t.limits.Window)) {
			return
		}
		t.order.Remove(e)
		delete(t.kept, w.key)
	}
}

func household(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all: they count as one
	}
	return prefix
}

func clip(text string, most int) string { return text[:min(len(text), most)] }

// Len is how many logins and addresses are remembered.
func (t *Throttle) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.kept)
}
