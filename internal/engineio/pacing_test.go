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

func TestPauseGrowsWithTheCrowd(t *testing.T) {
	for last, want := range map[int]time.Duration{0: pause, 1_000: 20 * time.Millisecond, 1_000_000: maxPause} {
		w := writers{last: last}
		if got := w.delay(); got != want {
			t.Errorf("%d put off: %v, want %v", last, got, want)
		}
	}
}

// Beyond the crowd writers are put off, and all of them run.
func TestPutOffWritersRun(t *testing.T) {
	var s Server
	s.writers.active.Store(crowd)
	ran := make(chan int, 10)
	for i := range 10 {
		s.startWriter(func() { ran <- i }, false)
	}
	if len(ran) != 0 {
		t.Error("a writer was not put off")
	}
	s.working.Wait()
	if len(ran) != 10 || s.writers.active.Load() != crowd {
		t.Errorf("%d ran, %d are counted", len(ran), s.writers.active.Load())
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
