package chat

import (
	"context"
	"encoding/json"
	"time"
)

// timerSweep is how long RunTimers trusts what it knows: timers set by other
// processes are found after it at the latest.
const timerSweep = 500 * time.Millisecond

// RunTimers fires due timers until ctx ends. One timer is one use case:
// taking it and what it does are one transaction, so it shows at most once in
// the log.
func (s *Service) RunTimers(ctx context.Context) error {
	for {
		wait, err := s.fireDue(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		if err != nil {
			s.log.Error("timers.failed", "error", err)
			wait = timerSweep
		}
		alarm := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			alarm.Stop()
			return nil
		case <-s.timerSet:
			alarm.Stop()
		case <-alarm.C:
		}
	}
}

// fireDue fires everything that is due and says how long to wait.
func (s *Service) fireDue(ctx context.Context) (time.Duration, error) {
	for {
		fired, err := s.FireTimer(ctx)
		if err != nil {
			return 0, err
		}
		if !fired {
			break
		}
	}
	wait := timerSweep
	err := s.store.View(ctx, func(r Reader) error {
		next, err := r.NextTimer()
		if err == nil && next != 0 {
			wait = min(wait, max(next.Sub(r.Now()), time.Millisecond))
		}
		return err
	})
	return wait, err
}

// FireTimer fires the longest due timer and says whether there was one.
func (s *Service) FireTimer(ctx context.Context) (bool, error) {
	fired := false
	err := s.update(ctx, Actor{Kind: ActorSystem}, func(u *unit) error {
		fired = false
		t, err := u.TakeTimer()
		if ErrorCode(err) == CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		fired = true
		u.actor.TenantID = t.TenantID
		if err := u.load(t.TenantID, t.ConversationID); err != nil {
			return ignoreGone(err)
		}
		return u.fire(t)
	})
	return fired, err
}

// ignoreGone lets a timer whose conversation or task was removed pass away.
func ignoreGone(err error) error {
	if ErrorCode(err) == CodeNotFound {
		return nil
	}
	return err
}

func (u *unit) fire(t *Timer) error {
	switch t.Kind {
	case TimerSessionTTL:
		return u.expire(t)
	case TimerReminder:
		return u.remind(t)
	case TimerLate:
		return u.sayLate(t)
	}
	return nil
}

// expire closes the session if it has idled out, and looks again later if
// something happened meanwhile.
func (u *unit) expire(t *Timer) error {
	if u.session == nil || u.session.ID != t.SessionID {
		return nil
	}
	if u.idle() {
		return u.closeSession(ReasonExpired, "")
	}
	return u.setTimer(TimerSessionTTL, "", u.conv.LastAt.Add(time.Duration(u.session.TTL)), nil)
}

// sayLate sends a late answer, unless the session has closed or left the bot.
// It is a message of the bot, so the reminders count from it.
func (u *unit) sayLate(t *Timer) error {
	if !u.holds(t) || u.conv.Flags&FlagMutes != 0 {
		return nil
	}
	var l LateAnswer
	if err := json.Unmarshal(t.Data, &l); err != nil {
		return err
	}
	if err := u.addUnprompted(l.Messages, AnswerMeta{Class: l.Class, Confidence: 1, Late: true}); err != nil {
		return err
	}
	return u.setReminders()
}

// holds says whether the bot still owns the session under the timer's version.
func (u *unit) holds(t *Timer) bool {
	return u.session != nil && u.session.ID == t.SessionID && u.session.Version == t.Version &&
		u.session.Owner.Kind == OwnerBot
}

// addUnprompted appends messages of the bot that answer no question.
func (u *unit) addUnprompted(messages []Content, meta AnswerMeta) error {
	u.actor = Actor{Kind: ActorBot, TenantID: u.conv.TenantID, ID: u.session.Owner.ID}
	return u.addMessages(messages, meta, nil)
}
