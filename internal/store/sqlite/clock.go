package sqlite

import (
	"sync/atomic"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// clock is a wall clock that never goes back, whatever is done to the machine's.
type clock struct {
	now  func() time.Time
	last atomic.Int64
}

func (c *clock) micros() chat.Micros {
	for {
		now, last := c.now().UnixMicro(), c.last.Load()
		if now <= last {
			return chat.Micros(last)
		}
		if c.last.CompareAndSwap(last, now) {
			return chat.Micros(now)
		}
	}
}
