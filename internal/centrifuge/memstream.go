package centrifuge

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// MemoryStream is a Stream in memory, for tests, examples and channels whose
// history may go with the process.
type MemoryStream struct {
	epoch string
	keep  int

	mu       sync.Mutex
	channels map[string]*memoryChannel
}

type memoryChannel struct {
	top  uint64
	pubs []*Publication // the newest at most keep ones, oldest first
}

// NewMemoryStream keeps the newest publications of each channel, as many as
// keep says. The epoch must differ from that of any earlier stream.
func NewMemoryStream(epoch string, keep int) *MemoryStream {
	return &MemoryStream{epoch: epoch, keep: keep, channels: make(map[string]*memoryChannel)}
}

// Append gives the publication the next offset of the channel and keeps it, then
// calls publish with it; nil calls nothing. Calls of publish come in the order
// of offsets.
func (s *MemoryStream) Append(channel string, p Publication, publish func(Publication)) Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channel]
	if ch == nil {
		ch = new(memoryChannel)
		s.channels[channel] = ch
	}
	ch.top++
	p.Offset = ch.top
	ch.pubs = append(ch.pubs, &p)
	if len(ch.pubs) > s.keep {
		ch.pubs = slices.Delete(ch.pubs, 0, len(ch.pubs)-s.keep)
	}
	if publish != nil {
		publish(p)
	}
	return Position{Offset: ch.top, Epoch: s.epoch}
}

// Read implements Stream.
func (s *MemoryStream) Read(_ context.Context, channel string, q Query) (Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := Page{Top: Position{Epoch: s.epoch}}
	ch := s.channels[channel]
	if ch == nil {
		return page, nil
	}
	page.Top.Offset = ch.top
	part := ch.pubs
	if q.Since != nil {
		from, found := slices.BinarySearchFunc(part, q.Since.Offset,
			func(p *Publication, offset uint64) int { return cmp.Compare(p.Offset, offset) })
		switch {
		case q.Reverse:
			part = part[:from]
		case found:
			part = part[from+1:]
		default:
			if oldest := ch.top - uint64(len(part)); q.Since.Offset < oldest {
				return page, ErrUnrecoverablePosition
			}
			part = part[from:]
		}
	}
	part = slices.Clone(part)
	if q.Reverse {
		slices.Reverse(part)
	}
	page.Publications = part[:min(max(q.Limit, 0), len(part))]
	return page, nil
}
