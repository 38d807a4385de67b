package engineio

import "sync"

// sessions are the connections on the books, by id.
type sessions struct {
	mu      sync.RWMutex
	byID    map[string]*Conn
	limit   int
	closed  bool
	working *sync.WaitGroup // counts every connection on the books
}

// add books a connection in, unless the house is full or closing.
func (s *sessions) add(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.byID) >= s.limit {
		return false
	}
	s.byID[c.id] = c
	s.working.Add(1)
	return true
}

func (s *sessions) find(id string) *Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[id]
}

func (s *sessions) count() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byID)
}

func (s *sessions) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[c.id] == c {
		delete(s.byID, c.id)
		s.working.Done()
	}
}

// close lets nobody in any more and returns who is there.
func (s *sessions) close() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	all := make([]*Conn, 0, len(s.byID))
	for _, c := range s.byID {
		all = append(all, c)
	}
	return all
}
