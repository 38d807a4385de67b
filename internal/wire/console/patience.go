package console

import (
	"sync"
	"time"
)

// writePatience is how long one write may take; hurryPatience, when the
// connection is being ended.
const (
	writePatience = 10 * time.Second
	hurryPatience = 300 * time.Millisecond
)

// patience bounds the writes of one connection.
type patience struct {
	mu       sync.Mutex
	hurrying bool
	set      func(deadline time.Time) error
}

// begin is called before each write.
func (p *patience) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hurrying {
		return p.set(time.Now().Add(hurryPatience))
	}
	return p.set(time.Now().Add(writePatience))
}

// hurry makes a write that hangs end soon, and those after it.
func (p *patience) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurrying = true
	_ = p.set(time.Now().Add(hurryPatience)) // it is ending anyway
}
