package delivery

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestBreaker(t *testing.T) {
	b := &breaker{}
	fail := func(at time.Duration, conversation int) { b.judge(moment(at), chat.ID(conversation), false) }
	want := func(at time.Duration, state State, room int) {
		t.Helper()
		if got := b.stateAt(moment(at)); got != state {
			t.Errorf("at %v the bot is %s, want %s", at, got, state)
		}
		if n, _ := b.room(moment(at), 0); n != room {
			t.Errorf("at %v there is room for %d, want %d", at, n, room)
		}
		if got := b.available(moment(at)); got != (state == Healthy || state == Suspect) {
			t.Errorf("at %v available is %v", at, got)
		}
	}
	for i := range 20 {
		fail(0, i%(openAfter-1)) // the same few conversations
	}
	want(0, Healthy, botInflight)
	b.judge(moment(0), 1, true)
	fail(0, 9)
	want(0, Healthy, botInflight)
	for i := range openAfter {
		fail(0, i)
	}
	want(0, Ill, botInflight) // what was asked passes on, unasked
	fail(time.Second, 77)
	want(openFor-1000, Ill, botInflight)
	want(openFor, Suspect, 1)
	fail(openFor, 1)
	want(openFor+2*openFor-1000, Ill, botInflight)
	want(openFor+2*openFor, Suspect, 1)
	b.judge(moment(3*openFor), 1, true)
	want(3*openFor, Healthy, botInflight)
	if b.adopt(chat.EndpointHealth{Paused: true}); b.stateAt(moment(0)) != Paused {
		t.Errorf("a paused bot is %s", b.stateAt(moment(0)))
	}
	if b.adopt(chat.EndpointHealth{}); b.stateAt(moment(3*openFor)) != Healthy {
		t.Errorf("a resumption was not taken over")
	}
}

func TestTheBreakerOpensForTenMinutesAtMost(t *testing.T) {
	b := &breaker{}
	for i := range openAfter {
		b.judge(moment(0), chat.ID(i), false)
	}
	for range 20 {
		at := b.until
		b.judge(at, 1, false)
		if got := b.until.Sub(at); got > openMost {
			t.Fatalf("open for %v", got)
		}
	}
	if b.span != openMost {
		t.Errorf("in the end it opens for %v", b.span)
	}
}
