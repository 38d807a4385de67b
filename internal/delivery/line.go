package delivery

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	leaseMargin = 5 * time.Second // kept between the longest exchange and the end of a claim
	claimPause  = time.Second     // after a claim that the store refused
	maxKnownDue = 1024            // moments that a line remembers
)

// line is what the dispatcher keeps for one endpoint.
type line struct {
	*endpoint
	ready    []chat.Lane  // claimed, to be carried on
	inflight int          // runners
	owed     atomic.Int32 // of them, those whose outcome the store could not take yet
	due      bool         // lanes may be due
	claiming bool
	queued   bool
	dueAt    []chat.Micros // when lanes are known to be due again, rising
	again    chat.Micros   // when the gate opens; 0: something else opens it
}

// soon notes that a lane is due at the moment; 0 is none. What is beyond the
// bound is found by the keeper in its time.
func (l *line) soon(at chat.Micros) {
	i, known := slices.BinarySearch(l.dueAt, at)
	if at == 0 || known {
		return
	}
	l.dueAt = slices.Insert(l.dueAt, i, at)
	l.dueAt = l.dueAt[:min(len(l.dueAt), maxKnownDue)]
}

// pass notes which moments have passed.
func (l *line) pass(now chat.Micros) {
	past, known := slices.BinarySearch(l.dueAt, now)
	if known {
		past++
	}
	l.due = l.due || past > 0
	l.dueAt = slices.Delete(l.dueAt, 0, past)
}

// next is the next moment at which the line has to be looked at, 0 for none.
func (l *line) next() chat.Micros {
	if len(l.dueAt) > 0 && (l.again == 0 || l.dueAt[0] < l.again) {
		return l.dueAt[0]
	}
	return l.again
}

// take returns a ready lane whose claim lasts long enough for an exchange.
// Others are left to run out and be claimed again.
func (l *line) take(now chat.Micros) (chat.Lane, bool) {
	for len(l.ready) > 0 {
		lane := l.ready[0]
		l.ready = l.ready[1:]
		if l.fits(lane, now) {
			return lane, true
		}
		l.soon(lane.DueAt)
	}
	return chat.Lane{}, false
}

func (d *dispatcher) enqueue(l *line) {
	if !l.queued {
		l.queued = true
		d.queue = append(d.queue, l)
	}
}

// schedule starts what can be started: one runner a line in turn, as long as
// there are workers.
func (d *dispatcher) schedule() {
	now := d.engine.now()
	for passed := 0; passed < len(d.queue) && d.inflight < d.engine.options.Workers; {
		l := d.queue[0]
		d.queue = d.queue[1:]
		l.queued = false
		switch d.serve(l, now) {
		case started:
			d.enqueue(l)
			passed = 0
		case crowded:
			d.enqueue(l)
			passed++
		case idle:
			d.remind(l.next())
		}
	}
}

// service is what could be done for a line.
type service int

const (
	idle    service = iota // nothing now; something will enqueue it
	started                // a runner: there may be more to start
	crowded                // others come first
)

// serve claims ahead and starts one runner, if it may.
func (d *dispatcher) serve(l *line, now chat.Micros) service {
	if d.lines[l.ID] != l {
		return idle // gone from the settings
	}
	l.pass(now)
	var room int
	room, l.again = l.gate.room(now, l.inflight)
	d.claim(l, room, now)
	if room <= 0 || len(l.ready) == 0 {
		return idle
	}
	if d.crowded(l) {
		return crowded
	}
	lane, ok := l.take(now)
	if !ok {
		return idle
	}
	d.start(l, lane, now)
	return started
}

// crowded says whether the line has its share of the workers while few are
// left. A share is counted for one more endpoint than is busy: slow ones never
// take the last workers from one that has nothing under way.
func (d *dispatcher) crowded(l *line) bool {
	workers := d.engine.options.Workers
	return workers-d.inflight <= workers/4 && l.inflight >= max(1, workers/(d.busy+1))
}

// claim takes due lanes: what may start now, and while all is well as much
// again ahead, so that claims come in batches. A store that owes an outcome has
// other things to do (runner.persist).
func (d *dispatcher) claim(l *line, room int, now chat.Micros) {
	ahead := 0
	if l.gate.steady(now) {
		ahead = room + l.inflight
	}
	limit := room + ahead - len(l.ready)
	if !l.due || l.claiming || l.owed.Load() > 0 || limit <= 0 || len(l.ready) > ahead/2 {
		return
	}
	l.due, l.claiming = false, true
	endpoint, lease := l.Endpoint, d.engine.lease(l.endpoint)
	d.job(func() func() {
		ctx, cancel := context.WithTimeout(d.calls, storePatience)
		defer cancel()
		lanes, err := d.engine.svc.ClaimLanes(ctx, endpoint, limit, lease)
		err = d.resolve(err)
		return func() { d.claimed(l, lanes, len(lanes) == limit, err) }
	})
}

// resolve lets go what a claim may have taken although it failed, before
// anything else is claimed: nobody would touch it until the lease ends.
func (d *dispatcher) resolve(err error) error {
	var doubt *chat.ClaimDoubt
	if !errors.As(err, &doubt) {
		return err
	}
	return errors.Join(err, insist(d.patience, func(ctx context.Context) error {
		return d.engine.svc.ReleaseClaims(ctx, doubt.Lanes)
	}))
}

// claimed takes over the lanes; more says that there may be others due.
func (d *dispatcher) claimed(l *line, lanes []chat.Lane, more bool, err error) {
	l.claiming = false
	l.due = l.due || more
	l.ready = append(l.ready, lanes...)
	if err != nil {
		d.engine.options.Log.Error("delivery.claim_failed", "endpoint", l.label, "error", err)
		l.soon(d.engine.now().Add(claimPause))
	}
	d.enqueue(l)
}

// lease is how long the lanes of an endpoint are claimed for: longer than two
// exchanges, since a lane may wait for another one's.
func (e *Engine) lease(ep *endpoint) time.Duration {
	return max(e.options.Lease, 2*ep.timeout()+3*leaseMargin)
}

// start lets a runner carry the lane on.
func (d *dispatcher) start(l *line, lane chat.Lane, now chat.Micros) {
	if l.inflight == 0 {
		d.busy++
	}
	l.inflight++
	d.inflight++
	l.gate.start(now, lane.ConversationID)
	r := &runner{engine: d.engine, endpoint: l.endpoint, owed: &l.owed, stop: d.stop, calls: d.calls, patience: d.patience}
	d.job(func() func() {
		end := r.carry(lane)
		return func() { d.ended(l, lane, end) }
	})
}

func (d *dispatcher) ended(l *line, lane chat.Lane, end ending) {
	l.inflight--
	d.inflight--
	if l.inflight == 0 {
		d.busy--
	}
	l.gate.finish(lane.ConversationID)
	l.due = l.due || end.more
	l.soon(end.retryAt)
	d.enqueue(l)
	if l.health != nil {
		if _, changed := l.health.unsaved(d.engine.now(), l.endpoint); changed {
			d.ask()
		}
	}
}
