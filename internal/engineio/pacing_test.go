package engineio

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	for i := range eager {
		if p.busy(now.Add(time.Duration(i) * time.Millisecond)) {
			t.Fatalf("write %d of a short burst was put off", i)
		}
	}
	if !p.busy(now.Add(eager * time.Millisecond)) {
		t.Error("a busy connection is written to at once")
	}
	if p.busy(now.Add(eager*time.Millisecond + pause)) {
		t.Error("after a pause a connection is not busy")
	}
}

// A busy connection still gets everything, in order.
func TestBusyConnectionKeepsOrder(t *testing.T) {
	h := open(t, Config{})
	p := h.websocket("4")
	for round := range 100 {
		want := string(rune('a' + round%26))
		if err := p.c.Send(Text([]byte(want))); err != nil {
			t.Fatal(err)
		}
		if got := p.read(); got != "4"+want {
			t.Fatalf("round %d: %q", round, got)
		}
	}
}
