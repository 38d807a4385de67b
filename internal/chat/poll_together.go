package chat

import (
	"context"
	"sync"
)

// readAgain is read for one who has waited: all who are woken for one client
// read together, so that a thousand of them cost one reading.
func (w *poller) readAgain(ctx context.Context) (Polled, error) {
	if w.client == 0 {
		return w.read(ctx)
	}
	key := Topic{TenantID: w.channel.TenantID, ChannelID: w.channel.ID, ExternalID: w.p.ExternalID}
	all, err := w.s.readings.join(ctx, key, w.from, func(from Micros) (span, error) { return w.readSpan(ctx, from) })
	if err != nil || all.found.More { // another's trouble, or more than one has to read
		return w.read(ctx)
	}
	var found Polled
	for i := range all.found.Envelopes {
		if e := &all.found.Envelopes[i]; e.Head().At >= w.from && w.shows(e) {
			found.Envelopes = append(found.Envelopes, *e)
		}
	}
	return w.found(ctx, found, max(w.from, all.next))
}

// readSpan reads everything from a moment on, whoever is shown it.
func (w *poller) readSpan(ctx context.Context, from Micros) (span, error) {
	var all span
	err := w.s.store.View(ctx, func(r Reader) (err error) {
		all.found, all.next, err = w.collect(r, from, func(*Envelope) bool { return true })
		return err
	})
	return all, err
}

// span is all that one client's log holds from a moment on, and where it goes on.
type span struct {
	found Polled
	next  Micros
}

// readings are what is read together. The zero value is ready.
type readings struct {
	mu    sync.Mutex
	next  map[Topic]*reading // not begun yet: whoever comes joins
	going map[Topic]*reading
}

// reading is one of them.
type reading struct {
	from Micros        // the earliest that anybody wants
	done chan struct{} // closed when all and err are there
	all  span
	err  error
}

// join returns what a reading finds that began after the call: of its own, with
// do, or of another caller who has not begun yet. At most one of a topic is under
// way.
func (g *readings) join(ctx context.Context, key Topic, from Micros, do func(from Micros) (span, error)) (span, error) {
	g.mu.Lock()
	if r := g.next[key]; r != nil {
		r.from = min(r.from, from)
		g.mu.Unlock()
		return r.wait(ctx)
	}
	r, before := &reading{from: from, done: make(chan struct{})}, g.going[key]
	if g.next == nil {
		g.next, g.going = map[Topic]*reading{}, map[Topic]*reading{}
	}
	g.next[key] = r
	g.mu.Unlock()
	if before != nil {
		<-before.done // soon: it is a reading under way, of a caller who waits for it
	}
	g.mu.Lock()
	delete(g.next, key)
	g.going[key] = r
	from = r.from
	g.mu.Unlock()
	defer func() {
		close(r.done)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.going[key] == r {
			delete(g.going, key)
		}
	}()
	r.err = errUnread
	r.all, r.err = do(from)
	return r.all, r.err
}

// errUnread is what those who joined get of a reading that broke off.
var errUnread = Errorf(CodeInternal, "another caller's reading broke off")

func (r *reading) wait(ctx context.Context) (span, error) {
	select {
	case <-r.done:
		return r.all, r.err
	case <-ctx.Done():
		return span{}, ctx.Err()
	}
}
