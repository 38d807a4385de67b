package chat

import (
	"strconv"
	"time"
)

// setReminders starts the task's reminders over: they count from the bot's
// last message (specs/selarti.md §2.3). A reminder's own message does not
// start them again, so each fires once a silence.
func (u *unit) setReminders() error {
	if u.session == nil || u.session.Owner.Kind != OwnerBot {
		return nil
	}
	for i, r := range u.task.Reminders {
		if r.Type == ReminderSmart || u.cancelled(&r) {
			continue
		}
		due := u.conv.LastAt.Add(time.Duration(r.After))
		if err := u.setTimer(TimerReminder, strconv.Itoa(i), due, nil); err != nil {
			return err
		}
	}
	return nil
}

// cancelReminders stops them: the client spoke.
func (u *unit) cancelReminders() error {
	if len(u.task.Reminders) == 0 {
		return nil
	}
	return u.CancelTimers(u.conv.TenantID, u.conv.ID, TimerReminder)
}

// cancelled says whether a flag that cancels the reminder is set.
func (u *unit) cancelled(r *Reminder) bool {
	for _, name := range r.CancelledBy {
		if flag, ok := FlagByName(name); ok && u.conv.Flags.Has(flag) {
			return true
		}
	}
	return false
}

// remind sends the reminder of a timer, unless the bot has lost the session or
// the word since.
func (u *unit) remind(t *Timer) error {
	i, err := strconv.Atoi(t.Key)
	if err != nil || i >= len(u.task.Reminders) {
		return nil //nolint:nilerr // the task was changed since
	}
	r := &u.task.Reminders[i]
	if !u.holds(t) || u.silence() != "" || u.cancelled(r) {
		return nil
	}
	return u.addUnprompted([]Content{{Text: r.Text}}, AnswerMeta{Class: "/reminder", Confidence: 1, Late: true})
}
