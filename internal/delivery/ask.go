package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	turnTimeout = 30 * time.Second
	botTries    = 3 // with the same question id, then the session goes on
	botPause    = 500 * time.Millisecond
	errorLength = 500 // bytes of a bot's error that are kept
)

// What becomes of a question, for logs and metrics.
const (
	answered = "answered"
	failed   = "failed"
	late     = "refused" // answered after the session had left the bot
)

// ask puts one question to a built-in bot, carries the answer out and settles
// the question, in one transaction.
func (r *runner) ask(w *chat.Work) (step, error) {
	turner := r.engine.options.Bots[w.Endpoint.Bot.Kind]
	switch {
	case w.Answered:
		return r.settle(chat.Settlement{Work: w, State: chat.DeliveryDelivered})
	case w.Stale():
		return r.settle(chat.Settlement{Work: w, State: chat.DeliveryVoid})
	case turner == nil:
		return r.passOn(r.calls, chat.Settlement{Work: w, Reason: fmt.Sprintf("not asked: no %s bots run here", w.Endpoint.Bot.Kind)})
	case !r.endpoint.breaker.asks(r.engine.now()):
		return r.passOn(r.calls, chat.Settlement{Work: w, Reason: "not asked: the bot failed too many conversations in a row"})
	}
	began := r.engine.now()
	ctx, ended := r.begin(w)
	answer, err := r.turn(ctx, turner, w)
	took := r.engine.now().Sub(began)
	st := chat.Settlement{Work: w, State: chat.DeliveryDelivered, Attempt: &chat.Attempt{At: began, TookMicros: took.Microseconds()}}
	if err == nil {
		ended(answered, 0)
		return r.answer(ctx, st, answer)
	}
	ended(failed, 0)
	if r.calls.Err() != nil { // interrupted: nobody's fault
		return r.again(st, err, 0, false)
	}
	return r.failed(ctx, st, err)
}

// turn asks under the deadline and contains a panic.
func (r *runner) turn(ctx context.Context, t Turner, w *chat.Work) (a chat.Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.endpoint.timeout())
	defer cancel()
	defer contain(&err)
	a, err = t.Turn(ctx, w)
	if err != nil && ctx.Err() != nil && r.calls.Err() == nil {
		err = fmt.Errorf("no answer within %s", r.endpoint.timeout())
	}
	return a, err
}

// answer lets the core carry the answer out. What the core refuses to take is
// the bot's failure, unless the session has left the bot.
func (r *runner) answer(ctx context.Context, st chat.Settlement, a chat.Answer) (step, error) {
	w := st.Work
	a.ConversationID, a.Question, a.Version = w.Lane.ConversationID, w.Asked.Seq, w.Entry.Version
	a.Settle = &st
	var s step
	err := r.persist(ctx, func(ctx context.Context) (err error) {
		st.Until = r.until()
		s.next, err = r.engine.svc.Answer(ctx, r.actor(), a)
		return err
	})
	took := time.Duration(st.Attempt.TookMicros) * time.Microsecond
	switch code := chat.ErrorCode(err); {
	case err == nil:
		r.endpoint.breaker.judge(r.engine.now(), w.Lane.ConversationID, true)
		r.observe(answered, took)
		r.log(w, st, answered, verdict{})
		return s, nil
	case code == chat.CodeForbidden:
		st.State = chat.DeliveryVoid
		st.Attempt.Error = chat.ErrorMessage(err)
		r.observe(late, took)
		r.log(w, st, late, verdict{})
		return r.settle(st)
	case code == chat.CodeConflict:
		return r.resume(w)
	case code == chat.CodeUnavailable || r.patience.Err() != nil:
		return step{}, err
	default:
		return r.failed(ctx, st, fmt.Errorf("the answer can't be taken: %w", err))
	}
}

// failed tries again soon, or lets the session go on without this bot.
func (r *runner) failed(ctx context.Context, st chat.Settlement, err error) (step, error) {
	now, lane := r.engine.now(), st.Work.Lane
	r.endpoint.breaker.judge(now, lane.ConversationID, false)
	r.observe(failed, time.Duration(st.Attempt.TookMicros)*time.Microsecond)
	if lane.Attempts+1 < botTries {
		return r.again(st, err, botPause<<(2*lane.Attempts), true)
	}
	st.Attempt.Error = shorten(err)
	return r.passOn(ctx, st)
}

// again puts the question back.
func (r *runner) again(st chat.Settlement, err error, wait time.Duration, counts bool) (step, error) {
	v := verdict{state: chat.DeliveryRetrying, wait: wait, counts: counts}
	st.State, st.Counts, st.RetryAt = v.state, v.counts, r.engine.now().Add(wait)
	st.Attempt.Error = shorten(err)
	r.log(st.Work, st, failed, v)
	return r.settle(st)
}

// passOn moves the session on along its route, visibly. A question that can't
// be moved on, since its task is gone, is parked all the same.
func (r *runner) passOn(ctx context.Context, st chat.Settlement) (step, error) {
	st.State = chat.DeliveryParked
	r.log(st.Work, st, failed, verdict{})
	var s step
	err := r.persist(ctx, func(ctx context.Context) (err error) {
		st.Until = r.until()
		s.next, err = r.engine.svc.BotFailed(ctx, r.actor(), st.Work, st)
		return err
	})
	switch code := chat.ErrorCode(err); {
	case err == nil:
		return s, nil
	case code == chat.CodeConflict:
		return r.resume(st.Work)
	case code == chat.CodeUnavailable || r.patience.Err() != nil:
		return step{}, err
	default:
		r.logFailure("delivery.bot_not_passed_on", st.Work.Lane, err)
		return r.settle(st)
	}
}

// actor is the bot that is asked.
func (r *runner) actor() chat.Actor {
	bot := r.endpoint.Bot
	return chat.Actor{Kind: chat.ActorBot, TenantID: r.endpoint.TenantID, ID: bot.ID, Name: bot.Name}
}

func shorten(err error) string {
	text := err.Error()
	if len(text) > errorLength {
		text = text[:errorLength] + "…"
	}
	return text
}
