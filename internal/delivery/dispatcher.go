package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/failpoint"
)

// dispatcher decides who is served next. Its goroutine owns everything in here
// and never waits for the store or for an endpoint: what takes time runs as a
// job and comes back as a post.
type dispatcher struct {
	engine *Engine
	stored map[chat.ID]chat.EndpointHealth // health at the start
	posts  chan func()                     // what is to be done after a job
	found  chan map[chat.ID]chat.Backlog   // what the keeper saw
	nudge  chan struct{}                   // asks the keeper to look at once
	gone   chan struct{}                   // closed when nobody reads posts any more

	catalog  *chat.Catalog
	lines    map[chat.ID]*line
	queue    []*line // may have something to start, each once
	running  int     // jobs
	inflight int     // runners among them
	busy     int     // lines with a runner

	alarm   *time.Timer
	alarmAt chat.Micros // 0: not set

	stop     context.Context // nothing new from then on
	calls    context.Context // of the calls of the runners
	patience context.Context // of the runners with the store
}

func newDispatcher(e *Engine, stored map[chat.ID]chat.EndpointHealth) *dispatcher {
	return &dispatcher{
		engine: e, stored: stored, lines: map[chat.ID]*line{},
		posts: make(chan func()), found: make(chan map[chat.ID]chat.Backlog),
		nudge: make(chan struct{}, 1), gone: make(chan struct{}),
	}
}

func (d *dispatcher) run(ctx context.Context) error {
	defer close(d.gone)
	calls, interrupt := context.WithCancel(context.WithoutCancel(ctx))
	defer interrupt()
	patience, lose := context.WithCancel(context.WithoutCancel(ctx))
	defer lose()
	d.stop, d.calls, d.patience = ctx, calls, patience
	d.alarm = time.NewTimer(time.Hour)
	defer d.alarm.Stop()
	d.sync()
	for {
		d.schedule()
		select {
		case <-ctx.Done():
			return d.drain(interrupt, lose)
		case <-d.engine.signal:
			d.wake(d.engine.takeWoken())
		case after := <-d.posts:
			d.finish(after)
		case backlogs := <-d.found:
			d.look(backlogs)
		case <-d.alarm.C:
			d.ring()
		}
	}
}

// sync takes over changed settings. A new endpoint may have lanes of an earlier
// process.
func (d *dispatcher) sync() {
	catalog := d.engine.svc.Catalog()
	if catalog == d.catalog {
		return
	}
	d.catalog = catalog
	before := d.lines
	d.lines = map[chat.ID]*line{}
	for _, ep := range d.engine.known.sync(catalog, d.stored, d.engine.options.Random) {
		l := before[ep.ID]
		if l == nil {
			l = &line{due: true}
		}
		l.endpoint = ep
		d.lines[ep.ID] = l
		d.enqueue(l)
	}
}

func (d *dispatcher) wake(ids map[chat.ID]struct{}) {
	failpoint.Here("delivery.woken")
	d.sync()
	now := d.engine.now()
	for id := range ids {
		l := d.lines[id]
		if l == nil {
			continue
		}
		l.due = true
		d.enqueue(l)
		if l.gate.stateAt(now) == Paused {
			d.ask() // it may have been resumed
		}
	}
}

// look takes over what the keeper found in the store.
func (d *dispatcher) look(backlogs map[chat.ID]chat.Backlog) {
	d.sync()
	for id, b := range backlogs {
		if l := d.lines[id]; l != nil && b.Oldest != 0 {
			l.soon(b.Oldest)
			d.enqueue(l)
		}
	}
}

// job runs work beside the dispatcher; what it returns is done by the
// dispatcher afterwards.
func (d *dispatcher) job(work func() (after func())) {
	d.running++
	go func() {
		after := work()
		select {
		case d.posts <- after:
		case <-d.gone:
		}
	}()
}

func (d *dispatcher) finish(after func()) {
	d.running--
	after()
}

// ask nudges the keeper.
func (d *dispatcher) ask() {
	select {
	case d.nudge <- struct{}{}:
	default:
	}
}

// remind sets the alarm no later than at; 0 is no moment.
func (d *dispatcher) remind(at chat.Micros) {
	if at == 0 || d.alarmAt != 0 && d.alarmAt <= at {
		return
	}
	d.alarmAt = at
	d.alarm.Reset(max(at.Sub(d.engine.now()), 0))
}

// ring looks again at whose moment has come.
func (d *dispatcher) ring() {
	now := d.engine.now()
	d.alarmAt = 0
	for _, l := range d.lines {
		at := l.next()
		switch {
		case at == 0:
		case at <= now:
			d.enqueue(l)
		default:
			d.remind(at)
		}
	}
}

// drain lets the jobs under way end: in peace for the grace, interrupted after
// it; what the store can't take then is lost after some more time. Then it lets
// go what was claimed and not begun.
func (d *dispatcher) drain(interrupt, lose func()) error {
	grace := time.AfterFunc(d.engine.options.Grace, interrupt)
	defer grace.Stop()
	patience := time.AfterFunc(d.engine.options.Grace+storePatience, lose)
	defer patience.Stop()
	end := time.NewTimer(d.engine.options.Grace + 2*storePatience)
	defer end.Stop()
	for d.running > 0 {
		select {
		case after := <-d.posts:
			d.finish(after)
		case <-end.C:
			return fmt.Errorf("%d deliveries did not end when they were interrupted; they will be made again", d.running)
		}
	}
	var held []chat.Lane
	for _, l := range d.lines {
		held = append(held, l.ready...)
	}
	if len(held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.stop), storePatience)
	defer cancel()
	return d.engine.svc.ReleaseClaims(ctx, held)
}
