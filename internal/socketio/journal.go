package socketio

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// journal keeps the last events of a namespace and the sockets that lost their transport, for Recovery. It is bounded in
// age and bytes; whoever asks for more than it holds starts afresh.
type journal struct {
	limits Recovery
	epoch  string // offsets of another run are recognised by it

	mu      sync.Mutex
	records []record
	first   uint64 // the number of records[0]
	bytes   int
	parked  map[string]parked // by private id
	queue   []string          // the private ids, longest parked first; some may be gone
}

// record is one event and whom it was for.
type record struct {
	target      Target
	only        string // the id of the one socket it was for
	publication *publication
	at          time.Time
}

// parked is a socket whose client may come back.
type parked struct {
	id    string
	rooms []string
	since uint64
	until time.Time
}

func newJournal(limits Recovery, epoch string) *journal {
	return &journal{limits: limits, epoch: epoch, parked: make(map[string]parked)}
}

// append keeps an event and returns its offset. The journal is locked.
func (j *journal) append(r record, now time.Time) string {
	r.at = now
	j.records = append(j.records, r)
	j.bytes += r.publication.size()
	drop := 0
	for drop < len(j.records)-1 && (j.bytes > j.limits.MaxBytes || now.Sub(j.records[drop].at) > j.limits.MaxAge) {
		j.bytes -= j.records[drop].publication.size()
		drop++
	}
	clear(j.records[:drop])
	j.records = j.records[drop:]
	j.first += uint64(drop)
	return j.offset(j.next() - 1)
}

// next is the number the next event will get.
func (j *journal) next() uint64 { return j.first + uint64(len(j.records)) }

func (j *journal) offset(number uint64) string { return j.epoch + "-" + strconv.FormatUint(number, 36) }

// after is the number of the event behind the one with that offset; false if the journal cannot tell what followed it.
func (j *journal) after(offset string) (uint64, bool) {
	epoch, text, found := strings.Cut(offset, "-")
	number, err := strconv.ParseUint(text, 36, 64)
	if !found || err != nil || epoch != j.epoch || number >= j.next() {
		return 0, false
	}
	return number + 1, number+1 >= j.first
}

// missed is what a parked socket would have got since.
func (j *journal) missed(p parked, since uint64) []missedEvent {
	var events []missedEvent
	for number := since; number < j.next(); number++ {
		r := j.records[number-j.first]
		if r.only == p.id || r.only == "" && r.target.reaches(p.id, p.rooms) {
			events = append(events, missedEvent{r.publication, j.offset(number)})
		}
	}
	return events
}

type missedEvent struct {
	publication *publication
	offset      string
}

// size is what a publication counts for in a journal.
func (p *publication) size() int {
	size := len(p.body)
	for _, m := range p.binary {
		size += m.Size()
	}
	return size
}

// park keeps a socket for its client to come back to. The journal is locked.
func (j *journal) park(pid string, p parked, now time.Time) {
	j.expire(now)
	if len(j.queue) >= j.limits.MaxSockets {
		j.drop()
	}
	j.parked[pid] = p
	j.queue = append(j.queue, pid)
}

// unpark gives a parked socket out, once.
func (j *journal) unpark(pid string) (parked, bool) {
	p, ok := j.parked[pid]
	delete(j.parked, pid)
	return p, ok
}

// expire forgets parked sockets whose time is over: all are kept equally long, so the first in the queue are the first to go.
func (j *journal) expire(now time.Time) {
	for len(j.queue) > 0 {
		if p, ok := j.parked[j.queue[0]]; ok && !now.After(p.until) {
			return
		}
		j.drop()
	}
}

func (j *journal) drop() {
	delete(j.parked, j.queue[0])
	j.queue = j.queue[1:]
}
