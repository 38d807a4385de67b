package chat_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
)

// fickle is a bus that keeps what is published until the test decides what its
// one reader is told: in which order, how often, or at all.
type fickle struct {
	mu        sync.Mutex
	published []chat.Notice
	reader    chan chat.Notice
}

// fickleBuffer is small, so that it is full now and then.
const fickleBuffer = 2

func (f *fickle) Publish(n chat.Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = append(f.published, n)
}

func (f *fickle) Subscribe(chat.Topic) chat.Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reader = make(chan chat.Notice, fickleBuffer)
	return fickleReader{f.reader}
}

type fickleReader struct{ c chan chat.Notice }

func (r fickleReader) C() <-chan chat.Notice { return r.c }
func (r fickleReader) Close()                {}

// begin forgets the past.
func (f *fickle) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published, f.reader = nil, nil
}

// tell hands a notice that was published to the reader, if there is one and it
// has room, as a bus does.
func (f *fickle) tell(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reader == nil || len(f.published) == 0 {
		return
	}
	select {
	case f.reader <- f.published[i%len(f.published)]:
	default: // dropped
	}
}

// tellLast hands over the latest notice, and waits for room.
func (f *fickle) tellLast() {
	f.mu.Lock()
	reader, last := f.reader, f.published[len(f.published)-1]
	f.mu.Unlock()
	reader <- last
}

// TestFollowModel: the model of Follow is one line, "the log from a position
// on, each entry once, in order", whatever the bus tells of it.
func TestFollowModel(t *testing.T) {
	t.Parallel()
	bus := &fickle{}
	w := settled(t, bus)
	rapid.Check(t, func(rt *rapid.T) {
		bus.begin()
		k := w.talk(rt, "desk")
		k.says("first")
		k.says("second")
		from := int64(rapid.IntRange(0, int(k.conv().Seq)).Draw(rt, "from"))
		r := follow(k, from)
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "write") {
				k.says(fmt.Sprint("more ", i))
			} else {
				bus.tell(rapid.IntRange(0, 30).Draw(rt, "notice"))
			}
		}
		k.says("last")
		done := make(chan struct{})
		go func() { // a slow reader may be full: it is emptied meanwhile
			defer close(done)
			if bus.subscribed() {
				bus.tellLast()
			}
		}()
		r.upTo(t, from+1, k.conv().Seq)
		<-done
		r.end(t)
	})
}

// subscribed says whether somebody reads.
func (f *fickle) subscribed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reader != nil
}
