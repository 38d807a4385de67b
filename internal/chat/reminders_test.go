package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// reminding edits acme: the shop reminds twice, unless success or close is set.
func reminding(s *chat.Setup) {
	s.Tasks[0].Reminders = []chat.Reminder{
		{After: chat.Duration(time.Minute), Type: chat.ReminderStatic, Text: "still there?", CancelledBy: []string{"success", "close"}},
		{After: chat.Duration(time.Hour), Type: chat.ReminderStatic, Text: "bye then"},
		{After: chat.Duration(2 * time.Minute), Type: chat.ReminderSmart, Text: "a prompt for a language model"},
	}
}

// TestReminders: a delay counts from the last message of the bot, the client's
// message or a chosen tag cancels (specs/selarti.md §2.3, §6 E8).
func TestReminders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reminding)
	tests := []struct {
		name  string
		do    func(k *talk)
		story []string // after the bot's first answer, over two hours
	}{
		{"silence", func(*talk) {}, []string{"demo: still there?", "demo: bye then"}},
		{"the client writes", func(k *talk) { k.says("yes") }, []string{"client: yes → demo"}},
		{"the client writes and the bot answers", func(k *talk) { k.says("yes"); k.hears("good") },
			[]string{"client: yes → demo", "demo: good", "demo: still there?", "demo: bye then"}},
		{"a tag that cancels one", func(k *talk) { k.flags(map[string]bool{"success": true}) }, []string{"+success", "demo: bye then"}},
		{"a tag that cancels none", func(k *talk) { k.flags(map[string]bool{"interest": true}) },
			[]string{"+interest", "demo: still there?", "demo: bye then"}},
		{"a tag that mutes", func(k *talk) { k.flags(map[string]bool{"is_bot": true}) }, []string{"+is_bot"}},
		{"close", func(k *talk) { k.flags(map[string]bool{"close": true}) }, []string{"+close"}},
		{"taken", func(k *talk) { k.takes("ann") }, []string{"demo to ann: taken", "+operator"}},
		{"taken and returned", func(k *talk) { k.takes("ann"); k.must(returns(k)) },
			[]string{"demo to ann: taken", "+operator", "ann to demo: returned", "-operator"}},
		{"closed", func(k *talk) { k.closes("ann") }, []string{"closed: closed"}},
		{"an operator writes beside", func(k *talk) { k.writes("ann", "hm") },
			[]string{"ann: hm", "demo: still there?", "demo: bye then"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := w.talk(t, "shop")
			k.says("hello")
			k.hears("hi")
			seq := k.conv().Seq
			tt.do(k)
			w.pass(t, 59*time.Second)
			w.pass(t, time.Minute)
			w.pass(t, 2*time.Hour)
			w.pass(t, 100*time.Hour) // none starts itself again
			k.expect(seq, tt.story...)
		})
	}
}

// TestRemindersCountFromTheLastMessage of the bot: an answer starts them over,
// and so does one that comes later by itself.
func TestRemindersCountFromTheLastMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reminding)
	k := w.talk(t, "shop")
	k.says("hello")
	k.must(k.reply(chat.Answer{Messages: said("hi"), Late: []chat.LateAnswer{
		{After: chat.Duration(50 * time.Second), Messages: said("by the way")},
	}}))
	w.pass(t, 51*time.Second)
	k.expect(2, "demo: hi", "demo: by the way")
	w.pass(t, 55*time.Second)
	k.expect(4)
	w.pass(t, 10*time.Second)
	k.expect(4, "demo: still there?")
	reminder := k.log()[4]
	if m := reminder.Data.Answer; m == nil || m.Class != "/reminder" || !m.Late || reminder.AuthorID != k.bot("demo").ID {
		t.Errorf("a reminder is told as %+v by %d", m, reminder.AuthorID)
	}
}

// TestNoReminderWhereTheBotIsSilent: of a paused task, over the limit, from a
// task that no longer has it.
func TestNoReminderWhereTheBotIsSilent(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*chat.Task){
		"paused":      func(t *chat.Task) { t.Status = chat.TaskPaused },
		"limited":     func(t *chat.Task) { t.Limit = &chat.TaskLimit{Messages: 2} },
		"black list":  func(t *chat.Task) { t.Lists = []chat.List{{Kind: "black", Entries: []string{"client-1"}}} },
		"no reminder": func(t *chat.Task) { t.Reminders = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, reminding)
			k := w.talk(t, "shop")
			k.says("hello")
			k.hears("hi")
			later := company("acme", "")
			reminding(&later)
			edit(&later.Tasks[0])
			w.apply(t, later)
			w.pass(t, 3*time.Hour)
			k.expect(3)
		})
	}
}
