package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// Options are what an engine needs; zero fields have defaults.
type Options struct {
	Sender    Sender
	Formats   map[string]Format       // by the format of an integration
	Bots      map[chat.BotKind]Turner // the kinds of bots that run here
	Log       *slog.Logger            // nil: none
	Observe   Observer                //
	Now       func() time.Time        // the clock of the store; default time.Now
	Random    func() float64          // in [0, 1), for the jitter; default math/rand
	Workers   int                     // runners at once, of all endpoints; default 512
	Lease     time.Duration           // of a claim, longer than any exchange; default 60 s
	Sweep     time.Duration           // between looks for lanes that others woke; default 500 ms
	Grace     time.Duration           // for calls under way when Run is to end; default 5 s
	Horizon   time.Duration           // older events are parked unsent; default 72 h
	Retention time.Duration           // of settled deliveries; default 30 days
}

// Observer is told what happens, for metrics. Nil functions are left out; the
// others return at once.
type Observer struct {
	// Attempt is told of every call and turn: to which endpoint (tenant/name),
	// what came of it (a Class, or "answered" and "failed" of a bot), and how
	// long it took.
	Attempt func(endpoint, outcome string, took time.Duration)
	// Begin is told that a call or a turn begins. It returns the context that
	// the call, or the turn with the commit of its answer, runs under, and what
	// is told of the end: the outcome as above, and the status of the answer, 0
	// for none.
	Begin func(ctx context.Context, endpoint string, w *chat.Work) (context.Context, func(outcome string, status int))
}

// Engine delivers. It is the chat.Waker and the chat.BotDirectory of the
// service that it works with.
type Engine struct {
	options Options
	svc     *chat.Service
	known   registry

	mu     sync.Mutex
	woken  map[chat.ID]struct{}
	signal chan struct{}
}

// New makes an engine. It does nothing before Run.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	o.Workers = cmp.Or(o.Workers, 512)
	o.Lease = cmp.Or(o.Lease, time.Minute)
	o.Sweep = cmp.Or(o.Sweep, 500*time.Millisecond)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	o.Horizon = cmp.Or(o.Horizon, 72*time.Hour)
	o.Retention = cmp.Or(o.Retention, 30*24*time.Hour)
	return &Engine{options: o, woken: map[chat.ID]struct{}{}, signal: make(chan struct{}, 1)}
}

// Use gives the engine its service, once, before Run. The service is made with
// the engine, so the engine comes first.
func (e *Engine) Use(svc *chat.Service) { e.svc = svc }

// Run delivers until ctx ends. It then starts nothing new, gives calls under
// way the grace, interrupts the rest, settles them all and returns nil. The
// service must work until Run has returned. It runs once.
func (e *Engine) Run(ctx context.Context) error {
	stored, err := e.storedHealth(ctx)
	if ctx.Err() != nil {
		return nil // it never began
	}
	if err != nil {
		return err
	}
	d := newDispatcher(e, stored)
	k := &keeper{engine: e, found: d.found, nudge: d.nudge}
	var side sync.WaitGroup
	side.Go(func() { k.run(ctx) })
	side.Go(func() { e.prune(ctx) })
	err = d.run(ctx)
	side.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storePatience)
	defer cancel()
	return errors.Join(err, e.saveHealth(last, e.known.list(), true))
}

// storedHealth reads what an earlier process knew of the endpoints.
func (e *Engine) storedHealth(ctx context.Context) (map[chat.ID]chat.EndpointHealth, error) {
	list, err := e.svc.Health(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[chat.ID]chat.EndpointHealth, len(list))
	for _, h := range list {
		known[h.EndpointID] = h
	}
	return known, nil
}

// Wake implements chat.Waker.
func (e *Engine) Wake(ids []chat.ID) {
	e.mu.Lock()
	for _, id := range ids {
		e.woken[id] = struct{}{}
	}
	e.mu.Unlock()
	select {
	case e.signal <- struct{}{}:
	default:
	}
}

// takeWoken returns who was woken since the last call.
func (e *Engine) takeWoken() map[chat.ID]struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	woken := e.woken
	e.woken = map[chat.ID]struct{}{}
	return woken
}

// Available implements chat.BotDirectory: the bot's kind runs here and its
// breaker is closed.
func (e *Engine) Available(bot *chat.Bot) bool {
	if _, ok := e.options.Bots[bot.Kind]; !ok {
		return false
	}
	known := e.known.endpoint(bot.ID)
	return known == nil || known.breaker.available(e.now())
}

func (e *Engine) now() chat.Micros { return chat.MicrosOf(e.options.Now()) }
