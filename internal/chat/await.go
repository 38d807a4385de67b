package chat

import (
	"context"
	"sync"
	"time"
)

// awaitSweep is how often a waiting caller looks at the log without being told:
// an answer of another process is found after it at the latest.
const awaitSweep = time.Second

// Awaited is what a caller who waits for an answer gets: the entries of the
// answer from its head on, none when there is nothing to show.
type Awaited struct {
	Entries []Entry
}

// AwaitAnswer waits for the answer to a question that was accepted with a Wait,
// as specs/chatapi.md §2.4 says: until the first of an answer, the session's
// leaving the bot or closing, and the deadline. Of a question that no bot is
// asked it returns at once.
//
// Errors: CodeTimeout at the deadline, and the error of ctx when the caller
// hangs up: an answer that comes after either is late. The answer that came just
// before is returned all the same.
func (s *Service) AwaitAnswer(ctx context.Context, actor Actor, a Accepted, wait time.Duration) (Awaited, error) {
	key := waiting{a.ConversationID, a.Seq}
	s.waiters.join(key)
	left := sync.OnceFunc(func() { s.waiters.leave(key) })
	defer left()
	sub := s.bus.Subscribe(Topic{TenantID: actor.TenantID, ConversationID: a.ConversationID})
	defer sub.Close()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	sweep := time.NewTicker(awaitSweep)
	defer sweep.Stop()
	for {
		found, ended, err := s.lookForAnswer(ctx, actor, a)
		if err == nil && !ended {
			if found.Entries, err = s.heard(ctx, sub, a.Seq, deadline.C, sweep.C); err == nil && found.Entries == nil {
				continue
			}
		}
		if err == nil {
			return a.collect(found)
		}
		left()
		return s.giveUp(ctx, actor, a, err)
	}
}

// errLate is what a caller gets who has waited in vain. The answer, if it comes,
// goes the way of late ones.
func errLate() error { return Errorf(CodeTimeout, "the bot did not answer in time") }

// collect is what the caller gets of an answer that is there. One that was late
// when it came goes another way, and not this one too; only who repeats the
// question gets it again.
func (a *Accepted) collect(found Awaited) (Awaited, error) {
	if !a.Duplicate && len(found.Entries) > 0 && !found.Entries[0].Data.Synced {
		return Awaited{}, errLate()
	}
	return found, nil
}

// heard waits until something may have ended the wait: it returns the answer,
// if what was told holds it whole, or why the wait must end without one.
func (s *Service) heard(ctx context.Context, sub Subscription, question int64, deadline, sweep <-chan time.Time) ([]Entry, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, errLate()
		case <-sweep:
			return nil, nil
		case n := <-sub.C():
			for i := range n.Entries {
				e := &n.Entries[i]
				switch {
				case !e.mayEndWait(question):
				case !s.shared && e.Data.QuestionID != "": // nobody else writes: notices are whole use cases
					return n.Entries[i : i+answerLength(n.Entries[i:])], nil
				default:
					return nil, nil
				}
			}
		}
	}
}

// mayEndWait says whether an entry may be what a question's caller waits for.
func (e *Entry) mayEndWait(question int64) bool {
	switch e.Kind {
	case EventMessageCreated, EventBotSilent:
		return e.Data.Question == question
	case EventOwnerChanged, EventSessionClosed:
		return e.Seq > question
	}
	return false
}

// lookForAnswer reads how the wait stands: ended with an answer or without one,
// or not yet.
func (s *Service) lookForAnswer(ctx context.Context, actor Actor, a Accepted) (found Awaited, ended bool, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		found, ended = Awaited{}, false
		asked, err := r.Event(actor.TenantID, a.ConversationID, a.Seq)
		if err != nil {
			return err
		}
		x, err := r.Exchange(actor.TenantID, actor.ID, asked.ClientID, asked.Data.QuestionID)
		if err != nil {
			return err
		}
		if x.Answer != 0 {
			ended = true
			found.Entries, err = readAnswer(r, x)
			return err
		}
		ended, err = unanswerable(r, asked)
		return err
	})
	return found, ended, err
}

// unanswerable says whether no bot will answer the question any more: none was
// asked, or the session has closed or is people's.
func unanswerable(r Reader, asked *Entry) (bool, error) {
	if asked.BotID == 0 {
		return true, nil
	}
	session, err := r.Session(asked.TenantID, asked.SessionID)
	if err != nil {
		return false, err
	}
	return !session.Open() || session.Owner.Kind != OwnerBot, nil
}

// readAnswer returns the entries of an exchange's answer.
func readAnswer(r Reader, x *Exchange) ([]Entry, error) {
	entries, err := r.Events(x.TenantID, x.ConversationID, x.Answer-1, MaxAnswerMessages)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return entries[:answerLength(entries)], nil
}

// answerLength is how many of the entries, from the first on, are one answer.
func answerLength(entries []Entry) int {
	head := &entries[0]
	if head.Data.AnswerID == 0 {
		return 1
	}
	n := 1
	for n < len(entries) && entries[n].Kind == EventMessageCreated && entries[n].Data.AnswerID == head.Data.AnswerID &&
		entries[n].ConversationID == head.ConversationID {
		n++
	}
	return n
}

// giveUp ends a wait: the answer is late from here on, unless it was just
// recorded, or somebody else waits for it too.
func (s *Service) giveUp(ctx context.Context, actor Actor, a Accepted, why error) (Awaited, error) {
	var found Awaited
	answered := false
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.store.Update(last, PriorityNormal, func(tx Tx) error {
		found, answered = Awaited{}, false
		asked, err := tx.Event(actor.TenantID, a.ConversationID, a.Seq)
		if err != nil {
			return err
		}
		x, err := tx.Exchange(actor.TenantID, actor.ID, asked.ClientID, asked.Data.QuestionID)
		if err != nil {
			return err
		}
		if x.Answer != 0 {
			answered = true
			found.Entries, err = readAnswer(tx, x)
			return err
		}
		if x.Process != s.process || s.waiters.any(waiting{a.ConversationID, a.Seq}) {
			return nil
		}
		x.SyncUntil = 0
		return tx.SaveExchange(x)
	})
	switch {
	case err != nil:
		return Awaited{}, err
	case answered && ctx.Err() == nil:
		return a.collect(found)
	}
	return Awaited{}, why
}

// waiting names a question that somebody waits for.
type waiting struct {
	conversation ID
	question     int64
}

// waiters counts who waits in this process, so that one who gives up does not
// make the answer late for another.
type waiters struct {
	mu    sync.Mutex
	count map[waiting]int
}

func (w *waiters) join(key waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == nil {
		w.count = map[waiting]int{}
	}
	w.count[key]++
}

func (w *waiters) leave(key waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count[key]--; w.count[key] == 0 {
		delete(w.count, key)
	}
}

func (w *waiters) any(key waiting) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[key] > 0
}
