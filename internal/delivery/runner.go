package delivery

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	runLength     = 8                // events that a lane may send before it queues up again
	storePatience = 10 * time.Second // for a store that can't take a write now, when the engine ends
)

// runner carries one claimed lane on.
type runner struct {
	engine   *Engine
	endpoint *endpoint
	owed     *atomic.Int32   // outcomes of the endpoint that the store could not take yet
	stop     context.Context // begins no further event when done
	calls    context.Context // interrupts the call when done
	patience context.Context // gives up what the store can't take when done
	carried  int
}

// ending is how a runner left its lane.
type ending struct {
	more    bool        // there may be lanes due now
	retryAt chat.Micros // the lane is due again; 0: unknown
}

// step is what a settled event left behind.
type step struct {
	next    *chat.Lane  // the lane, when it has more to send at once
	retryAt chat.Micros // as in ending
}

// carry sends event after event of the lane while the endpoint is well, up to
// runLength: one long lane leaves room for others. A lane that could not be
// read in time is left to its lease. So is one whose outcome the store refuses,
// or could not take before the engine ended: its event is sent again, never lost.
func (r *runner) carry(lane chat.Lane) ending {
	for {
		if !r.endpoint.fits(lane, r.engine.now()) {
			return ending{retryAt: lane.DueAt}
		}
		w, err := r.read(lane)
		if err != nil {
			r.logFailure("delivery.read_failed", lane, err)
			return ending{}
		}
		if w == nil {
			return ending{more: true}
		}
		r.carried++
		s, err := r.handle(w)
		if err != nil {
			r.logFailure("delivery.settle_failed", lane, err)
			return ending{}
		}
		if s.next == nil || !s.next.Claimed {
			return ending{more: s.next != nil, retryAt: s.retryAt}
		}
		lane = *s.next
	}
}

func (r *runner) handle(w *chat.Work) (step, error) {
	if r.endpoint.Bot != nil {
		return r.ask(w)
	}
	return r.send(w)
}

// until is the end of the renewed claim, or 0 when the runner does not go on.
func (r *runner) until() chat.Micros {
	now := r.engine.now()
	if r.carried >= runLength || r.stop.Err() != nil || !r.endpoint.gate.steady(now) {
		return 0
	}
	return now.Add(r.engine.lease(r.endpoint))
}

// read finds the lane's next event. It is patient as long as the claim leaves
// time for an exchange.
func (r *runner) read(lane chat.Lane) (w *chat.Work, err error) {
	left := lane.DueAt.Sub(r.engine.now()) - r.endpoint.timeout() - leaseMargin
	ctx, cancel := context.WithTimeout(r.patience, left)
	defer cancel()
	err = insist(ctx, func(ctx context.Context) (err error) {
		w, err = r.engine.svc.NextWork(ctx, lane)
		return err
	})
	return w, err
}

// settle records how a try ended and moves the lane.
func (r *runner) settle(st chat.Settlement) (step, error) {
	s := step{retryAt: st.RetryAt}
	err := r.persist(r.calls, func(ctx context.Context) (err error) {
		st.Until = r.until()
		s.next, err = r.engine.svc.Settle(ctx, st)
		return err
	})
	return s, err
}

// resume goes on with a lane whose event was settled by a commit that looked as
// if it had failed. It leaves alone what somebody else has.
func (r *runner) resume(w *chat.Work) (s step, err error) {
	err = r.persist(r.calls, func(ctx context.Context) (err error) {
		s.next, err = r.engine.svc.Resume(ctx, w)
		return err
	})
	return s, err
}

// persist stores an outcome. What was sent must be settled before anything else
// of the lane is sent, so it insists until the engine has ended. While the store
// owes it that, the endpoint's lanes are not claimed: the claim of this one may
// run out, and would be given to another runner.
func (r *runner) persist(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(r.patience, cancel)()
	owed := false
	err := insist(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		if !owed && chat.ErrorCode(err) == chat.CodeUnavailable {
			owed = true
			r.owed.Add(1)
		}
		return err
	})
	if owed && r.owed.Add(-1) == 0 {
		r.engine.Wake([]chat.ID{r.endpoint.ID})
	}
	return err
}

// insist repeats what the store can't take now until ctx ends.
func insist(ctx context.Context, fn func(ctx context.Context) error) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := fn(ctx)
		if chat.ErrorCode(err) != chat.CodeUnavailable {
			return err
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}
