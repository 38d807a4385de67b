package chat

import "sync"

// everyTenant rings for all of them.
const everyTenant = ID(0)

// bell tells one listener for which tenants there may be something to do. Rings
// that nobody has heard yet are one.
type bell struct {
	rung    chan struct{} // full while there is something to hear
	mu      sync.Mutex
	tenants map[ID]struct{}
}

func newBell() *bell { return &bell{rung: make(chan struct{}, 1), tenants: map[ID]struct{}{}} }

// ring never waits.
func (b *bell) ring(tenant ID) {
	b.mu.Lock()
	b.tenants[tenant] = struct{}{}
	b.mu.Unlock()
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// heard returns and forgets for whom it rang.
func (b *bell) heard() map[ID]struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	tenants := b.tenants
	b.tenants = map[ID]struct{}{}
	return tenants
}
