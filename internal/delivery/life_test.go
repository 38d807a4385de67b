package delivery_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// life is what one lane is put through: messages at moments, and what the
// receiver answers to one call after the other (200 when it has run out).
type life struct {
	Says    []time.Duration // since the one before
	Replies []int
}

func drawLife(t *rapid.T) life {
	return life{
		Says: rapid.SliceOfN(rapid.Map(rapid.SampledFrom([]int{0, 0, 1, 4, 40, 700, 5000}),
			func(s int) time.Duration { return time.Duration(s)*time.Second + 500*time.Millisecond }), 1, 8).Draw(t, "says"),
		Replies: rapid.SliceOfN(rapid.SampledFrom([]int{200, 200, 400, 404, 500, 503}), 0, 40).Draw(t, "replies"),
	}
}

// try is one call, as far as the model knows it.
type try struct {
	At     time.Duration
	Text   string
	Status int
}

// model is specs/delivery.md for one lane that is the only one of its
// endpoint, in a few lines.
type model struct {
	replies []int
	tries   []try

	eventFailures, endpointFailures int
	suspect                         bool
	failing                         time.Duration // since when; -1: not failing
}

// next plays one try and returns how long the lane waits and whether its head
// is done with.
func (m *model) next(at time.Duration, text string) (wait time.Duration, done bool) {
	status := 200
	if len(m.replies) > 0 {
		status, m.replies = m.replies[0], m.replies[1:]
	}
	m.tries = append(m.tries, try{at, text, status})
	if status == 200 {
		m.eventFailures, m.endpointFailures, m.suspect, m.failing = 0, 0, false, -1
		return 0, true
	}
	if m.failing < 0 {
		m.failing = at
	}
	if status < 500 || m.eventFailures > 0 && !m.suspect {
		steps := []int{1, 5, 30, 120, 600}
		if m.eventFailures == len(steps) {
			m.eventFailures = 0
			return 0, true
		}
		m.eventFailures++
		return time.Duration(steps[m.eventFailures-1]) * time.Second, false
	}
	m.suspect = true
	m.endpointFailures++
	steps := []int{1, 2, 5, 15, 30, 60}
	wait = time.Duration(steps[min(m.endpointFailures, len(steps))-1]) * time.Second
	if at-m.failing >= time.Hour {
		wait = 5 * time.Minute
	}
	return wait, false
}

// predict lists the tries of a life.
func predict(l life) []try {
	m := &model{replies: l.Replies, failing: -1}
	var free, said time.Duration
	for i, gap := range l.Says {
		said += gap
		at := max(free, said)
		for done := false; !done; {
			var wait time.Duration
			wait, done = m.next(at, fmt.Sprintf("m%d", i))
			at += wait
		}
		free = at
	}
	return m.tries
}

func TestOneLaneLivesAsTheModelSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := drawLife(rt)
		want := predict(l)
		var got []try
		bubble(t, nil, func(w *world) { got = w.live(l, want[len(want)-1].At) })
		if !slices.Equal(got, want) {
			rt.Fatalf("the lane of %+v was tried\n%v, the model says\n%v", l, got, want)
		}
	})
}

// live puts a lane through a life and returns the tries, up to a moment after
// the last that is expected.
func (w *world) live(l life, last time.Duration) []try {
	var mu sync.Mutex
	replies, statuses := l.Replies, []int{}
	w.receiver.answers(func(sent) int {
		mu.Lock()
		defer mu.Unlock()
		status := 200
		if len(replies) > 0 {
			status, replies = replies[0], replies[1:]
		}
		statuses = append(statuses, status)
		return status
	})
	for i, gap := range l.Says {
		w.pass(gap)
		w.say("shop", "ann", fmt.Sprintf("m%d", i))
	}
	w.pass(max(last-time.Since(w.start), 0) + 20*time.Minute)
	var tries []try
	for i, s := range w.receiver.seen(nil) {
		tries = append(tries, try{s.At.Sub(w.start), s.Text, statuses[i]})
	}
	return tries
}
