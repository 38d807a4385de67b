package storetest

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func deliveryTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"a delivery is kept whole and replaced by id": deliveryWhole,
		"lists are filtered and paged by id":          deliveryLists,
		"neighbours in a lane":                        deliveryNeighbours,
		"attempts, in their order":                    attempts,
		"health of endpoints":                         endpointHealth,
		"pruning takes the settled and old":           pruneDeliveries,
		"pruning leaves what blocks a lane":           pruneBlocking,
	}
}

func wholeDelivery(id chat.ID) *chat.Delivery {
	return &chat.Delivery{
		ID: id, TenantID: ours, EndpointID: hook, ConversationID: 11, Seq: int64(id), EventAt: 12, WebhookID: "msg_1",
		State: chat.DeliveryRetrying, Attempts: 1, Body: []byte("{\"a\":\x00\xff}"), LastStatus: 502, LastError: "bad gateway",
		CreatedAt: 13, UpdatedAt: 14,
	}
}

func (f *fixture) deliver(list ...*chat.Delivery) {
	f.t.Helper()
	f.update(func(tx chat.Tx) error {
		for _, d := range list {
			if err := tx.SaveDelivery(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *fixture) deliveries(filter chat.DeliveryFilter) []chat.ID {
	f.t.Helper()
	list := read(f, func(r chat.Reader) ([]chat.Delivery, error) { return r.Deliveries(ours, filter) })
	return mapped(list, func(d chat.Delivery) chat.ID { return d.ID })
}

func deliveryWhole(t *testing.T, f *fixture) {
	d := wholeDelivery(1)
	get := func(r chat.Reader) (*chat.Delivery, error) { return r.Delivery(ours, 1) }
	f.missing("before", func(r chat.Reader) error { _, err := get(r); return err })
	f.deliver(d)
	equal(t, "saved", read(f, get), d)
	d.State, d.Attempts, d.Body, d.LastStatus, d.LastError, d.UpdatedAt = chat.DeliveryDelivered, 2, nil, 200, "", 15
	f.deliver(d)
	equal(t, "replaced", read(f, get), d)
	of := read(f, func(r chat.Reader) (*chat.Delivery, error) { return r.DeliveryOf(ours, hook, 11, 1) })
	equal(t, "found by its event", of, d)
	f.missing("of another event", func(r chat.Reader) error { _, err := r.DeliveryOf(ours, hook, 11, 2); return err })

	twin := wholeDelivery(2)
	twin.Seq = d.Seq
	f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.SaveDelivery(twin) })

	d.Body = []byte("{}")
	f.deliver(d)
	list := read(f, func(r chat.Reader) ([]chat.Delivery, error) { return r.Deliveries(ours, chat.DeliveryFilter{}) })
	short := *d
	short.Body = nil
	equal(t, "listed without its body", list, []chat.Delivery{short})
}

func deliveryLists(t *testing.T, f *fixture) {
	states := []chat.DeliveryState{chat.DeliveryDelivered, chat.DeliveryParked, chat.DeliveryQueued}
	for id := chat.ID(1); id <= 9; id++ {
		d := wholeDelivery(id)
		d.EndpointID, d.ConversationID = hook+id%2, 11+id%3
		d.State, d.EventAt = states[id%3], chat.Micros(id*100)
		f.deliver(d)
	}
	for name, c := range map[string]struct {
		filter chat.DeliveryFilter
		want   []chat.ID
	}{
		"all":            {chat.DeliveryFilter{}, []chat.ID{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"first page":     {chat.DeliveryFilter{Limit: 4}, []chat.ID{1, 2, 3, 4}},
		"next page":      {chat.DeliveryFilter{Limit: 4, After: 4}, []chat.ID{5, 6, 7, 8}},
		"last page":      {chat.DeliveryFilter{Limit: 4, After: 8}, []chat.ID{9}},
		"endpoint":       {chat.DeliveryFilter{EndpointID: hook}, []chat.ID{2, 4, 6, 8}},
		"conversation":   {chat.DeliveryFilter{ConversationID: 12}, []chat.ID{1, 4, 7}},
		"delivered":      {chat.DeliveryFilter{State: chat.DeliveryDelivered}, []chat.ID{3, 6, 9}},
		"parked":         {chat.DeliveryFilter{State: chat.DeliveryParked}, []chat.ID{1, 4, 7}},
		"queued":         {chat.DeliveryFilter{State: chat.DeliveryQueued, Limit: 2, After: 2}, []chat.ID{5, 8}},
		"void":           {chat.DeliveryFilter{State: chat.DeliveryVoid}, []chat.ID{}},
		"from a seq":     {chat.DeliveryFilter{FromSeq: 7}, []chat.ID{7, 8, 9}},
		"to a seq":       {chat.DeliveryFilter{ToSeq: 2}, []chat.ID{1, 2}},
		"range of seqs":  {chat.DeliveryFilter{FromSeq: 3, ToSeq: 5}, []chat.ID{3, 4, 5}},
		"from a moment":  {chat.DeliveryFilter{From: 800}, []chat.ID{8, 9}},
		"to a moment":    {chat.DeliveryFilter{To: 199}, []chat.ID{1}},
		"range of time":  {chat.DeliveryFilter{From: 200, To: 400}, []chat.ID{2, 3, 4}},
		"all of it":      {chat.DeliveryFilter{EndpointID: hook, ConversationID: 12, State: chat.DeliveryParked, FromSeq: 1, ToSeq: 9, From: 1, To: 999}, []chat.ID{4}},
		"other endpoint": {chat.DeliveryFilter{EndpointID: hook + 5}, []chat.ID{}},
	} {
		equal(t, name, f.deliveries(c.filter), c.want)
	}
}

func deliveryNeighbours(t *testing.T, f *fixture) {
	for id, state := range map[chat.ID]chat.DeliveryState{
		2: chat.DeliveryDelivered, 4: chat.DeliveryQueued, 6: chat.DeliveryQueued, 8: chat.DeliveryParked,
	} {
		d := wholeDelivery(id)
		d.State = state
		f.deliver(d)
	}
	elsewhere := wholeDelivery(1)
	elsewhere.State, elsewhere.ConversationID = chat.DeliveryQueued, 99
	f.deliver(elsewhere)

	next := func(r chat.Reader) (*chat.Delivery, error) { return r.NextQueued(ours, hook, 11) }
	equal(t, "next queued", read(f, next).ID, chat.ID(4))
	for _, id := range []chat.ID{4, 6} {
		d := wholeDelivery(id)
		d.State = chat.DeliveryDelivered
		f.deliver(d)
	}
	f.missing("next queued when all are sent", func(r chat.Reader) error { _, err := next(r); return err })

	before := func(seq int64) func(r chat.Reader) (*chat.Delivery, error) {
		return func(r chat.Reader) (*chat.Delivery, error) { return r.PreviousDelivery(ours, hook, 11, seq) }
	}
	for seq, want := range map[int64]chat.ID{100: 8, 8: 6, 7: 6, 3: 2} {
		d := read(f, before(seq))
		equal(t, "previous", d.ID, want)
		equal(t, "with its body", d.Body, wholeDelivery(want).Body)
	}
	f.missing("before the first", func(r chat.Reader) error { _, err := before(2)(r); return err })
}

func attempts(t *testing.T, f *fixture) {
	f.deliver(wholeDelivery(1), wholeDelivery(2))
	first := chat.Attempt{DeliveryID: 1, TenantID: ours, Number: 1, At: 10, Status: 0, Error: "timeout", TookMicros: 15}
	second := chat.Attempt{DeliveryID: 1, TenantID: ours, Number: 2, At: 20, Status: 204, TookMicros: 5}
	f.update(func(tx chat.Tx) error {
		if err := tx.AddAttempt(&second); err != nil {
			return err
		}
		return tx.AddAttempt(&first)
	})
	of := func(id chat.ID) []chat.Attempt {
		return read(f, func(r chat.Reader) ([]chat.Attempt, error) { return r.Attempts(ours, id) })
	}
	equal(t, "attempts", of(1), []chat.Attempt{first, second})
	equal(t, "of another delivery", len(of(2)), 0)
}

func endpointHealth(t *testing.T, f *fixture) {
	all := func() []chat.EndpointHealth {
		return read(f, func(r chat.Reader) ([]chat.EndpointHealth, error) { return r.EndpointHealth() })
	}
	equal(t, "at first", len(all()), 0)
	ill := chat.EndpointHealth{EndpointID: hook, TenantID: ours, Paused: true, Reason: "410 Gone", FailingSince: 5, LastOK: 4}
	other := chat.EndpointHealth{EndpointID: bot, TenantID: theirs, LastOK: 6}
	f.update(func(tx chat.Tx) error {
		if err := tx.SaveEndpointHealth(&ill); err != nil {
			return err
		}
		return tx.SaveEndpointHealth(&other)
	})
	equal(t, "saved", all(), []chat.EndpointHealth{other, ill})
	ill = chat.EndpointHealth{EndpointID: hook, TenantID: ours, LastOK: 9}
	f.update(func(tx chat.Tx) error { return tx.SaveEndpointHealth(&ill) })
	equal(t, "replaced", all(), []chat.EndpointHealth{other, ill})
}

func pruneDeliveries(t *testing.T, f *fixture) {
	for id, state := range []chat.DeliveryState{
		1: chat.DeliveryDelivered, 2: chat.DeliveryParked, 3: chat.DeliveryVoid, 4: chat.DeliveryRetrying, 5: chat.DeliveryQueued,
		6: chat.DeliveryDelivered, 7: chat.DeliveryDelivered,
	} {
		if id == 0 {
			continue
		}
		d := wholeDelivery(chat.ID(id))
		d.State, d.UpdatedAt = state, chat.Micros(id)
		f.deliver(d)
		f.update(func(tx chat.Tx) error {
			return tx.AddAttempt(&chat.Attempt{DeliveryID: d.ID, TenantID: ours, Number: 1})
		})
	}
	prune := func(limit int) int {
		return write(f, func(tx chat.Tx) (int, error) { return tx.PruneDeliveries(7, limit) })
	}
	equal(t, "first chunk", prune(2), 2)
	equal(t, "left", f.deliveries(chat.DeliveryFilter{}), []chat.ID{3, 4, 5, 6, 7})
	equal(t, "second chunk", prune(9), 2)
	equal(t, "third chunk", prune(9), 0)
	equal(t, "left for good", f.deliveries(chat.DeliveryFilter{}), []chat.ID{4, 5, 7})
	for id := chat.ID(1); id <= 7; id++ {
		want := 0
		if id == 4 || id == 5 || id == 7 {
			want = 1
		}
		left := read(f, func(r chat.Reader) ([]chat.Attempt, error) { return r.Attempts(ours, id) })
		equal(t, "attempts left", len(left), want)
	}
}

// A lane that is stopped at a parked event goes on by that event's replay: so
// long as it waits, the delivery stays.
func pruneBlocking(t *testing.T, f *fixture) {
	blocking, earlier := wholeDelivery(2), wholeDelivery(1)
	blocking.State, earlier.State = chat.DeliveryParked, chat.DeliveryParked
	f.deliver(blocking, earlier)
	f.update(func(tx chat.Tx) error {
		if err := tx.WakeLane(ours, hook, blocking.ConversationID, blocking.Seq); err != nil {
			return err
		}
		l, err := tx.Lane(ours, hook, blocking.ConversationID)
		if err != nil {
			return err
		}
		l.Blocked = true
		return tx.SaveLane(l)
	})
	equal(t, "pruned", write(f, func(tx chat.Tx) (int, error) { return tx.PruneDeliveries(100, 9) }), 1)
	equal(t, "left", f.deliveries(chat.DeliveryFilter{}), []chat.ID{blocking.ID})
}
