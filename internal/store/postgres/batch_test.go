package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// inOneBatch runs use cases as the members of one batch, in this order, and
// returns what each was told.
func inOneBatch(s *Store, fns ...func(tx chat.Tx) error) []error {
	jobs := make([]*job, len(fns))
	for i, fn := range fns {
		jobs[i] = newJob(context.Background(), func(m *member) error {
			return fn(&together{Tx: sqldb.NewTx(m, s.dialect, m.batch.now, m), m: m})
		})
	}
	s.lead(jobs, func() {})
	told := make([]error, len(jobs))
	for i, j := range jobs {
		told[i] = <-j.answer
	}
	return told
}

func sayIn(conversation chat.ID) func(tx chat.Tx) error {
	return func(tx chat.Tx) error { _, err := say(tx, conversation); return err }
}

var errRefusal = errors.New("no")

// TestBatch: what members are told who share a transaction, and what of it is
// stored.
func TestBatch(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	s := started(t, url)
	var a, b chat.ID
	refuseAfter := func(tx chat.Tx) error {
		_, err := say(tx, b)
		return errors.Join(err, errRefusal)
	}
	writeAndRefuse := func(tx chat.Tx) error { // what it wrote has been sent
		id, err := talk(tx)
		return errors.Join(err, sayIn(id)(tx), errRefusal)
	}
	wake := func(tx chat.Tx) error { return tx.WakeLane(tenant, hook, a, 1) }
	drop := func(tx chat.Tx) error {
		l, err := tx.Lane(tenant, hook, a)
		if err != nil {
			return err
		}
		return tx.DropLane(l)
	}
	swallow := func(tx chat.Tx) error {
		_, _ = say(tx, a)
		return nil
	}
	key := func(tx chat.Tx) error {
		if _, err := tx.Key(tenant, "s", "k"); chat.ErrorCode(err) != chat.CodeNotFound {
			return err
		}
		return tx.PutKey(&chat.IdempotencyKey{TenantID: tenant, Scope: "s", Key: "k"})
	}
	link := func(tx chat.Tx) error {
		if _, err := tx.ClientByExternalID(tenant, 1, "x"); chat.ErrorCode(err) != chat.CodeNotFound {
			return err
		}
		return tx.LinkExternalID(tenant, 1, "x", a)
	}
	writeAndTake := func(tx chat.Tx) error {
		id, err := talk(tx)
		if err != nil {
			return err
		}
		if _, err := tx.TakeTimer(); chat.ErrorCode(err) != chat.CodeNotFound {
			return err
		}
		return sayIn(id)(tx)
	}
	writeAndSay := func(tx chat.Tx) error {
		if _, err := talk(tx); err != nil {
			return err
		}
		return sayIn(a)(tx)
	}
	var client chat.ID
	clientFirst := func(tx chat.Tx) error {
		if _, err := tx.Client(tenant, client); err != nil {
			return err
		}
		if _, err := tx.ConversationByKey(tenant, 0, client, ""); err != nil {
			return err
		}
		return sayIn(a)(tx)
	}
	aloneOnly := func(tx chat.Tx) error { _, err := tx.TakeTimer(); return err }
	cases := map[string]struct {
		members func() []func(chat.Tx) error
		told    []error
		events  int
	}{
		"different conversations":              {func() []func(chat.Tx) error { return []func(chat.Tx) error{sayIn(a), sayIn(b)} }, []error{nil, nil}, 2},
		"the same conversation":                {func() []func(chat.Tx) error { return []func(chat.Tx) error{sayIn(a), sayIn(a)} }, []error{nil, errOthers}, 1},
		"an error that is kept silent about":   {func() []func(chat.Tx) error { return []func(chat.Tx) error{sayIn(a), swallow} }, []error{nil, errOthers}, 1},
		"a refusal before anything was sent":   {func() []func(chat.Tx) error { return []func(chat.Tx) error{sayIn(a), refuseAfter} }, []error{nil, errRefusal}, 1},
		"a refusal after it wrote":             {func() []func(chat.Tx) error { return []func(chat.Tx) error{sayIn(a), writeAndRefuse} }, []error{errOthers, errAlone}, 0},
		"a wake and a drop":                    {func() []func(chat.Tx) error { return []func(chat.Tx) error{drop, wake} }, []error{nil, errOthers}, 0},
		"a drop and a wake":                    {func() []func(chat.Tx) error { return []func(chat.Tx) error{wake, drop} }, []error{nil, errOthers}, 0},
		"one key":                              {func() []func(chat.Tx) error { return []func(chat.Tx) error{key, key} }, []error{nil, errOthers}, 0},
		"one external id":                      {func() []func(chat.Tx) error { return []func(chat.Tx) error{link, link} }, []error{nil, errOthers}, 0},
		"work of another kind after it wrote":  {func() []func(chat.Tx) error { return []func(chat.Tx) error{writeAndTake, sayIn(a)} }, []error{nil, nil}, 2},
		"the same in opposite orders":          {func() []func(chat.Tx) error { return []func(chat.Tx) error{clientFirst, sayIn(a)} }, []error{errOthers, nil}, 1},
		"the same conversation after it wrote": {func() []func(chat.Tx) error { return []func(chat.Tx) error{writeAndSay, sayIn(a)} }, []error{nil, nil}, 2},
		"work of another kind":                 {func() []func(chat.Tx) error { return []func(chat.Tx) error{aloneOnly, sayIn(a)} }, []error{errAlone, nil}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, b = newTalk(t, s), newTalk(t, s)
			update(t, s, func(tx chat.Tx) error {
				conv, err := tx.Conversation(tenant, a)
				if err == nil {
					client = conv.ClientID
				}
				return errors.Join(err, wake(tx))
			})
			start, err := s.Horizon(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			told := inOneBatch(s, c.members()...)
			if !slices.EqualFunc(told, c.told, errors.Is) {
				t.Errorf("told %v, want %v", told, c.told)
			}
			if got := feed(t, s, start); len(got) != c.events {
				t.Errorf("%d events, want %d", len(got), c.events)
			}
		})
	}
}

// TestBatchDoesNotWait: a row that somebody holds costs its member the batch,
// and the others little time.
func TestBatchDoesNotWait(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := started(t, url), started(t, url)
	busy, free := newTalk(t, here), newTalk(t, here)
	open := hold(t, there, sayIn(busy), sayIn(busy))
	var waits sync.WaitGroup
	waits.Go(func() { update(t, here, sayIn(busy)) })
	for range 3 {
		update(t, here, sayIn(free))
	}
	if err := open.end(nil); err != nil {
		t.Error(err)
	}
	waits.Wait()
	if got := feed(t, here, 0); len(got) != 6 {
		t.Errorf("%d events, want 6", len(got))
	}
}

// TestWhoIsAloneRunsTwice: a use case that can't be in a batch is done all the
// same, and what its first run set is set anew.
func TestWhoIsAloneRunsTwice(t *testing.T) {
	s := started(t, pgtest.Shared(t).Database(t))
	runs := 0
	err := s.Update(t.Context(), chat.PriorityNormal, func(tx chat.Tx) error {
		runs++
		_, err := tx.TakeTimer()
		return err
	})
	if chat.ErrorCode(err) != chat.CodeNotFound || runs != 2 {
		t.Errorf("%v after %d runs, want no timer after two", err, runs)
	}
}

// TestWhoWaitsTooLong is refused and not run, wherever he stands in the line.
func TestWhoWaitsTooLong(t *testing.T) {
	var q queue
	old, young := newJob(t.Context(), nil), newJob(t.Context(), nil)
	old.since = time.Now().Add(-waitPatience - time.Second)
	if !q.add(old, 2) || !q.add(young, 2) || q.add(old, 2) {
		t.Error("room for two let others in than two")
	}
	if taken := q.take(1); len(taken) != 1 || taken[0] != young {
		t.Errorf("taken %v, want the young one", taken)
	}
	if err := <-old.answer; chat.ErrorCode(err) != chat.CodeUnavailable {
		t.Errorf("the old one was told %v, want unavailable", err)
	}
}

// TestAnswerAfterTheCommit: nobody of a batch is told anything before it is
// durable; when the answer to its commit is lost, all are told that.
func TestAnswerAfterTheCommit(t *testing.T) {
	wire := newWire(t, pgtest.Shared(t).Database(t))
	s := started(t, wire.url)
	a, b := newTalk(t, s), newTalk(t, s)
	cut := func(tx chat.Tx) error {
		_, err := say(tx, b)
		return err
	}
	last := func(tx chat.Tx) error { // runs on when all others have ended
		for range 8 {
			if _, err := tx.Message(tenant, 1); chat.ErrorCode(err) != chat.CodeNotFound {
				return err
			}
		}
		wire.cut.Store(true)
		return errRefusal
	}
	for i, err := range inOneBatch(s, sayIn(a), cut, last) {
		if chat.ErrorCode(err) != chat.CodeUnavailable {
			t.Errorf("member %d was told %v, want unavailable", i, err)
		}
	}
	if got := feed(t, s, 0); len(got) != 2 {
		t.Errorf("%d events are stored, want 2: the commit was done", len(got))
	}
}
