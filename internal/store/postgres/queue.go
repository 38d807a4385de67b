package postgres

import (
	"context"
	"slices"
	"sync"
	"time"
)

// job is a use case, or a view, that waits to be in a batch.
type job struct {
	ctx    context.Context // of the caller
	run    func(m *member) error
	since  time.Time     // it waits, from its first time on
	again  bool          // it was in a batch, where others had what it needs: it is let in
	answer chan error    // takes one answer without waiting
	lead   chan struct{} // tells the caller to lead the next batch

	leader bool // the queue's: the caller has been told, and has not begun
}

func newJob(ctx context.Context, run func(m *member) error) *job {
	return &job{ctx: ctx, run: run, since: time.Now(), answer: make(chan error, 1), lead: make(chan struct{}, 1)}
}

// queue is the jobs that wait, the oldest first, and the places for batches.
// There is a leader for every place as long as somebody waits: one of those who
// do. He serves the first, be it with or without his own job.
type queue struct {
	mu   sync.Mutex
	jobs []*job
	free int // places that nobody leads in: not while somebody waits
}

// add says whether there was room.
func (q *queue) add(j *job, room int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case j.again:
		after := slices.IndexFunc(q.jobs, func(other *job) bool { return other.since.After(j.since) })
		if after < 0 {
			after = len(q.jobs)
		}
		q.jobs = slices.Insert(q.jobs, after, j)
	case len(q.jobs) >= room:
		return false
	default:
		q.jobs = append(q.jobs, j)
	}
	if q.free > 0 {
		q.free--
		q.appoint()
	}
	return true
}

// appoint gives a place to the first who waits without one, or keeps it.
func (q *queue) appoint() {
	for _, j := range q.jobs {
		if !j.leader {
			j.leader = true
			j.lead <- struct{}{}
			return
		}
	}
	q.free++
}

// waitPatience is how long one waits to begin. Who sends more than can be done
// is told so while he still listens: what nobody waits for any more would be
// done in vain.
const waitPatience = 3 * time.Second

// take returns the next jobs, at most so many. Those that have waited too long
// are refused.
func (q *queue) take(most int) (taken []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for len(q.jobs) > 0 && len(taken) < most {
		j := q.jobs[0]
		q.jobs[0] = nil
		q.jobs = q.jobs[1:]
		if now.Sub(j.since) > waitPatience {
			j.answer <- tooBusy()
			continue
		}
		taken = append(taken, j)
	}
	return taken
}

// release gives a leader's place to the next one.
func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.appoint()
}

// accept says that j's caller leads now. He releases the place.
func (q *queue) accept(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.leader = false
}

// leave takes a job back; false when it is in a batch.
func (q *queue) leave(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.jobs, j)
	if i < 0 {
		return false
	}
	q.jobs = slices.Delete(q.jobs, i, i+1)
	return true
}

// resign hands on the place of a caller who goes without having led.
func (q *queue) resign(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.leader {
		j.leader = false
		q.appoint()
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs)
}

// afresh is the job as it waits once more.
func (j *job) afresh() *job {
	next := newJob(j.ctx, j.run)
	next.since, next.again = j.since, true
	return next
}

// pass waits until a job that was added has been in a batch, and returns what
// came of it. When its ctx or the line itself ends first, it is taken back
// unless it is in a batch. serve leads a batch and releases the place.
func (q *queue) pass(j *job, ended <-chan struct{}, serve func()) error {
	defer q.resign(j)
	left := j.ctx.Done()
	for {
		select {
		case err := <-j.answer:
			return err
		case <-j.lead:
			q.accept(j)
			serve()
		case <-left:
			if left = nil; q.leave(j) {
				return j.ctx.Err()
			}
		case <-ended:
			if ended = nil; q.leave(j) {
				return stopping()
			}
		}
	}
}
