package delivery

import (
	"context"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	runLength     = 8                // events that a lane may send before it queues up again
	storePatience = 10 * time.Second // for a store that can't take a write now
)

// runner carries one claimed lane on.
type runner struct {
	engine   *Engine
	endpoint *endpoint
	stop     context.Context // begins no further event when done
	calls    context.Context // interrupts the call when done
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
	held    bool        // under the same claim
	retryAt chat.Micros // as in ending
}

// carry sends event after event of the lane while the endpoint is well, up to
// runLength: one long lane leaves room for others. A lane that could not be
// read or settled is left to its lease: its event is sent again, never lost.
func (r *runner) carry(lane chat.Lane) ending {
	for {
		var w *chat.Work
		err := r.persist(r.calls, func(ctx context.Context) (err error) {
			w, err = r.engine.svc.NextWork(ctx, lane)
			return err
		})
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
		if s.next == nil || !s.held {
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

// settle records how a try ended and moves the lane.
func (r *runner) settle(st chat.Settlement) (step, error) {
	st.Until = r.until()
	s := step{held: st.Until != 0, retryAt: st.RetryAt}
	err := r.persist(r.calls, func(ctx context.Context) (err error) {
		s.next, err = r.engine.svc.Settle(ctx, st)
		return err
	})
	return s, err
}

// persist repeats what the store can't take now. It goes on when the engine is
// to end: what was sent must be settled.
func (r *runner) persist(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storePatience)
	defer cancel()
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
