package console

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	tickEvery    = 500 * time.Millisecond // how often ended sessions are looked for
	beatTicks    = 50                     // between signs of life: 25 s
	silentTicks  = 120                    // without a sign of life from the other end: 60 s
	maxPerCaller = 32                     // open connections of one session or API key
)

// watchers are the open connections of this process.
type watchers struct {
	mu      sync.Mutex
	all     map[*watcher]struct{}
	closed  bool
	drained sync.WaitGroup
	tick    atomic.Int64
}

var (
	errStopping = chat.Errorf(chat.CodeUnavailable, "the server is stopping; connect again")
	errTooMany  = chat.Errorf(chat.CodeThrottled, "there are 32 open connections of this session already; close some")
)

func (ws *watchers) join(v *watcher) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return errStopping
	}
	same := 0
	for other := range ws.all {
		if other.token == v.token && other.actor.Kind == v.actor.Kind && other.actor.ID == v.actor.ID {
			same++
		}
	}
	if same >= maxPerCaller {
		return errTooMany
	}
	if ws.all == nil {
		ws.all = map[*watcher]struct{}{}
	}
	ws.all[v] = struct{}{}
	ws.drained.Add(1)
	v.beaten = ws.tick.Load()
	v.heard.Store(v.beaten)
	return nil
}

func (ws *watchers) leave(v *watcher) {
	ws.mu.Lock()
	delete(ws.all, v)
	ws.mu.Unlock()
	ws.drained.Done()
}

// list returns those that match.
func (ws *watchers) list(match func(*watcher) bool) (list []*watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for v := range ws.all {
		if match(v) {
			list = append(list, v)
		}
	}
	return list
}

// end closes the connections of a session.
func (ws *watchers) end(token string) {
	for _, v := range ws.list(func(v *watcher) bool { return token != "" && v.token == token }) {
		v.stop(errSignedOut)
	}
}

// Run looks after the open connections until ctx ends: it closes those whose
// session has ended, on whichever node, keeps the rest alive, and tells of
// operators who come and go. When it returns, all are closed.
func (a *API) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	board := newBoard(a)
	deaf := false
	for {
		select {
		case <-ctx.Done():
			a.watchers.close()
			return nil
		case <-ticker.C:
		}
		a.watchers.tick.Add(1)
		a.beat()
		err := a.endSessions(ctx)
		if err == nil {
			err = board.look(ctx)
		}
		if err != nil && !deaf && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "console.unchecked", "error", err)
		}
		deaf = err != nil
	}
}

// close ends all connections and waits for them.
func (ws *watchers) close() {
	ws.mu.Lock()
	ws.closed = true
	ws.mu.Unlock()
	for _, v := range ws.list(func(*watcher) bool { return true }) {
		v.stop(errRestart)
	}
	ws.drained.Wait()
}

// beat asks for signs of life, and ends connections that have given none.
func (a *API) beat() {
	tick := a.watchers.tick.Load()
	for _, v := range a.watchers.list(func(*watcher) bool { return true }) {
		if tick-v.heard.Load() > silentTicks {
			v.stop(errGone)
			continue
		}
		if tick-v.beaten >= beatTicks {
			v.beaten = tick
			v.beatDue.Store(true)
			v.signal()
		}
	}
}

// endSessions closes the connections of those who may not be here any more, or
// not as who they came.
func (a *API) endSessions(ctx context.Context) error {
	var tokens []string
	catalog := a.Service.Catalog()
	for _, v := range a.watchers.list(func(*watcher) bool { return true }) {
		if v.token != "" {
			tokens = append(tokens, v.token)
		}
		v.recheck(catalog)
	}
	if len(tokens) == 0 {
		return nil
	}
	slices.Sort(tokens)
	ended, err := a.Service.EndedLogins(ctx, slices.Compact(tokens))
	for _, token := range ended {
		a.watchers.end(token)
	}
	return err
}

// recheck compares who came with the settings of now.
func (v *watcher) recheck(catalog *chat.Catalog) {
	switch v.actor.Kind {
	case chat.ActorOperator:
		o := catalog.Operator(v.actor.TenantID, v.actor.ID)
		switch {
		case o == nil || o.Disabled:
			v.stop(errSignedOut)
		case o.Role != v.actor.Role:
			v.stop(errChanged)
		}
	case chat.ActorAPIKey:
		k := catalog.APIKey(v.actor.ID)
		if k == nil || k.TenantID != v.actor.TenantID || !slices.Contains(k.Scopes, chat.ScopeConversationsRead) {
			v.stop(errSignedOut)
		}
	}
}
