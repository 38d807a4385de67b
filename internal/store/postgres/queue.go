package postgres

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tolmach/tolmach/internal/chat"
)

// job is a use case that waits for its turn in a batch and its answer.
type job struct {
	ctx    context.Context // of the caller
	fn     func(tx chat.Tx) error
	began  atomic.Bool // somebody runs it, or its caller has left
	answer chan error  // takes one answer without waiting
}

// begin says whether whoever asks may have the job: one who would run it, or
// the caller, to leave with it.
func (j *job) begin() bool { return j.began.CompareAndSwap(false, true) }

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
