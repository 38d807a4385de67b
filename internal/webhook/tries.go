package webhook

// triesKept bounds how many ids a tryCounter remembers.
const triesKept = 4096

// tryCounter counts how often each webhook-id has come. It forgets the ids that came first.
type tryCounter struct {
	counts map[string]int
	order  []string // a ring of the ids in counts
	oldest int
}

func newTryCounter() *tryCounter { return &tryCounter{counts: make(map[string]int)} }

// next returns which try of id this is, from 1. Calls without an id are all first tries.
func (c *tryCounter) next(id string) int {
	if id == "" {
		return 1
	}
	if c.counts[id] == 0 {
		c.remember(id)
	}
	c.counts[id]++
	return c.counts[id]
}

func (c *tryCounter) remember(id string) {
	if len(c.order) < triesKept {
		c.order = append(c.order, id)
		return
	}
	delete(c.counts, c.order[c.oldest])
	c.order[c.oldest] = id
	c.oldest = (c.oldest + 1) % triesKept
}
