package wiretest

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds how long a test waits for what must happen. No test is passed
// by waiting.
const patience = 60 * time.Second

// Transcript is what one client was shown. It is safe for concurrent use.
type Transcript struct {
	mu      sync.Mutex
	lines   []string
	known   map[string]bool
	changed chan struct{} // closed and replaced when a line is added
}

// NewTranscript is an empty one.
func NewTranscript() *Transcript {
	return &Transcript{known: map[string]bool{}, changed: make(chan struct{})}
}

// Add appends a line, unless one with the id is there.
func (t *Transcript) Add(id, line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known[id] {
		return
	}
	t.known[id] = true
	t.lines = append(t.lines, line)
	close(t.changed)
	t.changed = make(chan struct{})
}

// Wait returns all lines as soon as there are n of them.
func (t *Transcript) Wait(tb testing.TB, n int) []string {
	tb.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		t.mu.Lock()
		lines, changed := t.lines[:len(t.lines):len(t.lines)], t.changed
		t.mu.Unlock()
		if len(lines) >= n {
			return lines
		}
		select {
		case <-changed:
		case <-late.C:
			tb.Fatalf("%d of %d lines were shown:\n%s", len(lines), n, strings.Join(lines, "\n"))
		}
	}
}
