package engineio

import (
	"sync"
	"time"
)

const (
	// pause is how long a busy connection gathers messages before the next write.
	pause = 10 * time.Millisecond
	// eager is how many writes in quick succession are made at once before a connection counts as busy.
	eager = 8
)

// pace tells connections that get a message now and then, which are written to at once, from busy ones, for which a write
// of many messages costs as much as a write of one. The connection's lock guards it.
type pace struct {
	last  time.Time // the last start of a writer
	quick uint8     // starts that followed the one before within pause
}

// busy counts the start of a writer and says whether it should be put off.
func (p *pace) busy(now time.Time) bool {
	if now.Sub(p.last) >= pause {
		p.quick = 0
	} else if p.quick < eager {
		p.quick++
	}
	p.last = now
	return p.quick == eager
}

// gathering starts the writers of busy connections together, by one timer for the whole server.
type gathering struct {
	mu   sync.Mutex
	jobs []func()
}

// later runs job, which Run waits for, within pause.
func (s *Server) later(job func()) {
	s.working.Add(1)
	s.gathering.mu.Lock()
	defer s.gathering.mu.Unlock()
	s.gathering.jobs = append(s.gathering.jobs, job)
	if len(s.gathering.jobs) == 1 {
		time.AfterFunc(pause, s.startGathered)
	}
}

func (s *Server) startGathered() {
	s.gathering.mu.Lock()
	jobs := s.gathering.jobs
	s.gathering.jobs = nil
	s.gathering.mu.Unlock()
	for _, job := range jobs {
		go func() {
			defer s.working.Done()
			job()
		}()
	}
}
