package engineio

import (
	"testing"
	"time"
)

// Engine.IO 4, "Heartbeat": the server pings, the client answers within the timeout.
func TestPulse4(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	p := newPulse(4, start, 300*time.Millisecond, 200*time.Millisecond)
	p.pong(at(10)) // not asked for
	if p.ping(at(299)) || !p.ping(at(300)) || p.ping(at(301)) {
		t.Fatal("one ping is due, at 300 ms")
	}
	if p.dead(at(499)) || !p.dead(at(500)) {
		t.Fatal("silence ends at 500 ms")
	}
	p.pong(at(400))
	if p.dead(at(899)) || !p.ping(at(700)) || !p.dead(at(900)) {
		t.Fatal("the next ping is due an interval after the pong")
	}
}

// Engine.IO 3, "Timeouts": anything within pingInterval + pingTimeout is a sign of life.
func TestPulse3(t *testing.T) {
	start := time.Unix(1000, 0)
	p := newPulse(3, start, 300*time.Millisecond, 200*time.Millisecond)
	p.heard(start.Add(400 * time.Millisecond))
	if p.ping(start.Add(time.Hour)) || p.dead(start.Add(899*time.Millisecond)) || !p.dead(start.Add(900*time.Millisecond)) {
		t.Fatal("the client pings, and has 500 ms from its last packet")
	}
}

// A pong that comes early must not make the next ping late: due looks again no later than an interval from now.
func TestPulseIsNeverLate(t *testing.T) {
	start := time.Unix(1000, 0)
	p := newPulse(4, start, time.Second, time.Hour)
	if !p.ping(start.Add(time.Second)) {
		t.Fatal("no ping")
	}
	if due := p.due(start.Add(time.Second)); due.After(start.Add(2 * time.Second)) {
		t.Fatalf("due at %v", due)
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(1000, 0)
	for i := range 5 {
		if !b.take(now, 10, 5) {
			t.Fatalf("packet %d of the burst refused", i)
		}
	}
	if b.take(now, 10, 5) || !b.take(now.Add(100*time.Millisecond), 10, 5) {
		t.Fatal("ten a second after the burst")
	}
}
