package engineio

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pause is how long a busy connection gathers messages before the next write.
	pause = 10 * time.Millisecond
	// eager is how many writes in quick succession are made at once before a connection counts as busy.
	eager = 4
	// crowd is how many writers may be at work before every further one is put off: then the machine is busy with writes,
	// and the messages that come meanwhile travel together.
	crowd = 256
	// perWriter is about what one write costs: so much longer is the pause for each writer that was put off the last time,
	// up to maxPause, lest the next pause end before those writes do.
	perWriter = 10 * time.Microsecond
	maxPause  = 60 * time.Millisecond
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

// writers counts the writers at work, and starts those that were put off together, by one timer for the whole server.
type writers struct {
	active atomic.Int32
	mu     sync.Mutex
	put    []func() // put off
	last   int      // how many were put off the last time
}

// delay is the pause before the next put-off writers start.
func (w *writers) delay() time.Duration {
	return min(pause+time.Duration(w.last)*perWriter, maxPause)
}

// startWriter runs job, which Run waits for: at once, or within pause if it is better put off. It is called only while
// something else is counted.
func (s *Server) startWriter(job func(), putOff bool) {
	if !putOff && s.writers.active.Load() < crowd {
		s.writers.active.Add(1)
		s.working.Go(func() { s.runWriter(job) })
		return
	}
	s.working.Add(1)
	s.writers.mu.Lock()
	defer s.writers.mu.Unlock()
	s.writers.put = append(s.writers.put, job)
	if len(s.writers.put) == 1 {
		time.AfterFunc(s.writers.delay(), s.startPutOff)
	}
}

func (s *Server) startPutOff() {
	s.writers.mu.Lock()
	jobs := s.writers.put
	s.writers.put, s.writers.last = nil, len(jobs)
	s.writers.mu.Unlock()
	for _, job := range jobs {
		s.writers.active.Add(1)
		go func() {
			defer s.working.Done()
			s.runWriter(job)
		}()
	}
}

func (s *Server) runWriter(job func()) {
	defer s.writers.active.Add(-1)
	job()
}
