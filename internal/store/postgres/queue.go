package postgres

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// job is a use case, or a view, that waits for its turn in a batch and its
// answer.
type job struct {
	ctx    context.Context // of the caller
	run    func(m *member) error
	began  atomic.Bool // somebody runs it, or its caller has left
	answer chan error  // takes one answer without waiting
}

// begin says whether whoever asks may have the job: one who would run it, or
// the caller, to leave with it.
func (j *job) begin() bool { return j.began.CompareAndSwap(false, true) }

func newJob(ctx context.Context, run func(m *member) error) *job {
	return &job{ctx: ctx, run: run, answer: make(chan error, 1)}
}

// queue is the jobs that wait, in their order.
type queue struct {
	mu   sync.Mutex
	jobs []*job
}

// add says whether there was room.
func (q *queue) add(j *job, room int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) >= room {
		return false
	}
	q.jobs = append(q.jobs, j)
	return true
}

// take returns the next jobs, at most so many.
func (q *queue) take(most int) (taken []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) > 0 && len(taken) < most {
		if j := q.jobs[0]; j.begin() {
			taken = append(taken, j)
		}
		q.jobs[0] = nil
		q.jobs = q.jobs[1:]
	}
	return taken
}

// leave takes a job back, unless somebody runs it.
func (q *queue) leave(j *job) bool {
	if !j.begin() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = slices.DeleteFunc(q.jobs, func(other *job) bool { return other == j })
	return true
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs)
}

// pass waits until the job was in a batch. Whoever waits when a place for the
// next batch is free takes it and serves those who are first, be it with or
// without his own job. It returns what came of the job. When ctx or the line
// itself ends first, the job is taken back unless it has begun.
func (q *queue) pass(j *job, place chan struct{}, ended <-chan struct{}, serve func()) error {
	left := j.ctx.Done()
	for {
		select { // an answer comes before the lead of others
		case err := <-j.answer:
			return err
		default:
		}
		select {
		case err := <-j.answer:
			return err
		case place <- struct{}{}:
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
