package chat_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestLaneModel lets one lane be written to, claimed, settled, replayed,
// blocked, left by a crash and settled by those who lost it, in any order, and
// compares what is to be sent next and what became of every event with a model
// of a few lines (specs/delivery.md; design §4.7).
func TestLaneModel(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]func(*chat.Setup){"goes on": nil, "blocks": {blocked}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, edits...)
			rapid.Check(t, func(rt *rapid.T) {
				l := &modelledLane{talk: w.talk(rt, "shop"), blocks: edits != nil}
				l.say(rt)
				for range rapid.IntRange(1, 25).Draw(rt, "steps") {
					rapid.SampledFrom([]func(*rapid.T){
						l.say, l.claim, l.claim, l.settle, l.settle, l.settleLate, l.replay, l.crash, l.wait,
					}).Draw(rt, "step")(rt)
					l.check(rt)
				}
				l.drain(rt)
			})
		})
	}
}

// modelledLane is a lane and its model: what became of each event, how far the
// lane is, and who has it.
type modelledLane struct {
	*talk
	blocks bool // on_park: block

	seqs    []int64 // of the events, as they were written
	states  []chat.DeliveryState
	next    int  // the first that was never settled
	stopped bool // at the one before next, which is parked
	claimed bool
	due     chat.Micros // while there is something to send
	held    *chat.Work  // by the present claim
	lost    []*chat.Work
}

const modelLease = time.Minute // of talk.work

// head is what must be sent next: the first replay, else the first new one.
func (l *modelledLane) head() (i int, ok bool) {
	if i := slices.Index(l.states, chat.DeliveryQueued); i >= 0 {
		return i, true
	}
	return l.next, l.next < len(l.states) && !l.stopped
}

func (l *modelledLane) now() chat.Micros { return chat.MicrosOf(l.clock.now()) }

func (l *modelledLane) say(*rapid.T) {
	idle := l.idle()
	l.seqs = append(l.seqs, l.says(fmt.Sprint("m", len(l.seqs))).Seq)
	l.states = append(l.states, "")
	if idle {
		l.due = l.now()
	}
}

// idle says that there is no lane.
func (l *modelledLane) idle() bool {
	_, more := l.head()
	return !more && !l.stopped
}

func (l *modelledLane) claim(rt *rapid.T) {
	want, may := l.head()
	may = may && l.due <= l.now()
	before := l.lane("all")
	lane, w := l.work("all")
	switch {
	case !may && lane == nil:
		return
	case may != (lane != nil):
		rt.Fatalf("claimed %+v; the model says %v", lane, may)
	case before.Epoch == lane.Epoch:
		rt.Fatalf("two claims have the epoch %d", lane.Epoch)
	case w == nil || w.Entry.Seq != l.seqs[want] || w.Replay != (l.states[want] == chat.DeliveryQueued):
		rt.Fatalf("to be sent is %+v; the model says event %d, which is %q", w, l.seqs[want], l.states[want])
	}
	l.lose()
	l.held, l.claimed, l.due = w, true, l.now().Add(modelLease)
}

func (l *modelledLane) lose() {
	if l.held != nil {
		l.lost = append(l.lost, l.held)
	}
	l.held = nil
}

// settle ends the try under way in any way.
func (l *modelledLane) settle(rt *rapid.T) {
	if l.held == nil {
		return // nothing is under way
	}
	w, st := l.held, l.outcome(rt, l.held)
	l.held = nil
	lane := l.settles(st)
	l.settled(w, st)
	goesOn := st.Until != 0 && st.State != chat.DeliveryRetrying && l.more()
	if goesOn != (lane != nil && lane.Claimed) {
		rt.Fatalf("settled with %+v and got %+v to go on with", st, lane)
	}
	if goesOn {
		l.takeNext(rt, *lane)
	}
}

func (l *modelledLane) more() bool {
	_, more := l.head()
	return more
}

// takeNext reads the next event under the same claim.
func (l *modelledLane) takeNext(rt *rapid.T, lane chat.Lane) {
	want, _ := l.head()
	w, err := l.NextWork(l.ctx, lane)
	l.must(err)
	if w == nil || w.Entry.Seq != l.seqs[want] {
		rt.Fatalf("under the same claim comes %+v; the model says event %d", w, l.seqs[want])
	}
	l.held = w
}

func (l *modelledLane) outcome(rt *rapid.T, w *chat.Work) chat.Settlement {
	st := chat.Settlement{Work: w, Body: []byte("{}"), Attempt: &chat.Attempt{At: l.now(), Status: 200}}
	st.State = rapid.SampledFrom([]chat.DeliveryState{
		chat.DeliveryDelivered, chat.DeliveryDelivered, chat.DeliveryParked, chat.DeliveryRetrying, chat.DeliveryVoid,
	}).Draw(rt, "outcome")
	if st.State == chat.DeliveryRetrying {
		st.RetryAt, st.Counts = l.now().Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds"))*time.Second), true
	} else if rapid.Bool().Draw(rt, "go on") {
		st.Until = l.now().Add(modelLease)
	}
	return st
}

// settled is the model's side of a settlement that counts.
func (l *modelledLane) settled(w *chat.Work, st chat.Settlement) {
	i := slices.Index(l.seqs, w.Entry.Seq)
	l.claimed, l.due = st.Until != 0, max(st.Until, st.RetryAt)
	if st.State == chat.DeliveryRetrying {
		if !w.Replay {
			l.states[i] = st.State
		}
		return
	}
	l.states[i] = st.State
	if !w.Replay {
		l.next = i + 1
	}
	if l.due == 0 {
		l.due = l.now()
	}
	if st.State == chat.DeliveryParked && l.blocks && i == l.next-1 {
		l.stopped = true
	}
	if !l.more() {
		l.claimed = false
	}
}

// settleLate is somebody who lost his claim and does not know it. It counts
// only while nobody has claimed the lane since.
func (l *modelledLane) settleLate(rt *rapid.T) {
	if len(l.lost) == 0 {
		return // nobody lost a claim
	}
	i := rapid.IntRange(0, len(l.lost)-1).Draw(rt, "work")
	w := l.lost[i]
	l.lost = slices.Delete(l.lost, i, i+1)
	st := l.outcome(rt, w)
	counts := l.mayStillSettle(w)
	lane := l.settles(st)
	if !counts {
		if lane != nil {
			rt.Fatalf("a lost claim got %+v to go on with", lane)
		}
		return
	}
	l.settled(w, st)
	if lane != nil && lane.Claimed {
		l.takeNext(rt, *lane)
	}
}

func (l *modelledLane) mayStillSettle(w *chat.Work) bool {
	lane := l.lane("all")
	i := slices.Index(l.seqs, w.Entry.Seq)
	if lane == nil || lane.Epoch != w.Lane.Epoch || l.held != nil {
		return false
	}
	if w.Replay {
		return l.states[i] == chat.DeliveryQueued
	}
	return i >= l.next && !l.stopped
}

// replay queues any settled event again.
func (l *modelledLane) replay(rt *rapid.T) {
	list, err := l.Deliveries(l.ctx, l.system(), chat.DeliveryFilter{EndpointID: l.endpoint("all").ID, ConversationID: l.id})
	l.must(err)
	if len(list) == 0 {
		return // nothing was ever tried
	}
	d := list[rapid.IntRange(0, len(list)-1).Draw(rt, "delivery")]
	err = l.ReplayDelivery(l.ctx, l.system(), d.ID)
	i := slices.Index(l.seqs, d.Seq)
	if s := l.states[i]; s != chat.DeliveryDelivered && s != chat.DeliveryParked {
		if chat.ErrorCode(err) != chat.CodeConflict {
			rt.Fatalf("the replay of what is %s: %v", s, err)
		}
		return
	}
	l.must(err)
	l.states[i] = chat.DeliveryQueued
	if l.stopped && i == l.next-1 {
		l.stopped = false
	}
	if !l.claimed {
		l.due = l.now()
	}
}

// crash ends the process: its claims are let go at the next start.
func (l *modelledLane) crash(*rapid.T) {
	l.lose()
	l.must(l.ReleaseLanes(l.ctx))
	if l.claimed {
		l.claimed, l.due = false, l.now()
	}
}

func (l *modelledLane) wait(rt *rapid.T) {
	l.clock.advance(time.Duration(rapid.IntRange(1, 70).Draw(rt, "seconds")) * time.Second)
	if l.held != nil && l.due <= l.now() {
		l.lose() // it is too slow
	}
}

// check compares what is stored.
func (l *modelledLane) check(rt *rapid.T) {
	list, err := l.Deliveries(l.ctx, l.system(), chat.DeliveryFilter{EndpointID: l.endpoint("all").ID, ConversationID: l.id})
	l.must(err)
	stored := make([]chat.DeliveryState, len(l.states))
	for _, d := range list {
		stored[slices.Index(l.seqs, d.Seq)] = d.State
	}
	if !slices.Equal(stored, l.states) {
		rt.Fatalf("events are %q; the model says %q", stored, l.states)
	}
	if lane := l.lane("all"); (lane == nil) != l.idle() {
		rt.Fatalf("the lane is %+v; the model says idle: %v", lane, l.idle())
	}
}

// drain lets everything be delivered, and nothing be left.
func (l *modelledLane) drain(rt *rapid.T) {
	l.crash(rt)
	for range 4 * len(l.seqs) {
		if l.stopped {
			d := l.parkedHead()
			l.must(l.ReplayDelivery(l.ctx, l.system(), d))
			l.states[l.next-1], l.stopped = chat.DeliveryQueued, false
		}
		l.clock.advance(2 * time.Minute)
		l.claim(rt)
		if l.held == nil {
			break
		}
		st := chat.Settlement{Work: l.held, State: chat.DeliveryDelivered, Attempt: &chat.Attempt{At: l.now(), Status: 200}}
		l.held = nil
		l.settles(st)
		l.settled(st.Work, st)
	}
	l.check(rt)
	if !l.idle() || slices.Contains(l.states, "") {
		rt.Fatalf("at the end events are %q", l.states)
	}
}

// parkedHead is the delivery that stops the lane.
func (l *modelledLane) parkedHead() (id chat.ID) {
	l.must(l.store.View(l.ctx, func(r chat.Reader) error {
		d, err := r.DeliveryOf(l.tenant, l.endpoint("all").ID, l.id, l.seqs[l.next-1])
		if err == nil {
			id = d.ID
		}
		return err
	}))
	return id
}
