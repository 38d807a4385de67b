package engineio

import "time"

// bucket allows a steady rate of packets with bursts above it. Its owner locks.
type bucket struct {
	tokens float64
	last   time.Time
}

// take spends one token; false means there is none. A fresh bucket is full.
func (b *bucket) take(now time.Time, rate, burst int) bool {
	if b.last.IsZero() {
		b.tokens = float64(burst)
	} else {
		b.tokens = min(float64(burst), b.tokens+now.Sub(b.last).Seconds()*float64(rate))
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
