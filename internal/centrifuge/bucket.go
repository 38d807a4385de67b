package centrifuge

import "time"

// bucket bounds how often something may happen: a token each, refilled with
// time. Its owner's lock guards it.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) fill(now time.Time, burst int) {
	b.tokens, b.at = float64(burst), now
}

// take reports whether there was a token left.
func (b *bucket) take(now time.Time, rate, burst int) bool {
	b.tokens = min(float64(burst), b.tokens+now.Sub(b.at).Seconds()*float64(rate))
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
