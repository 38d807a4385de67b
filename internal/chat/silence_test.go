package chat_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// quiet edits acme: a task of each kind that keeps the bot silent. They share
// the messenger with the shop.
func quiet(s *chat.Setup) {
	add := func(name string, edit func(*chat.Task)) {
		t := chat.Task{Name: name, Channel: "messenger", Bot: "demo", Integrations: []string{"all", "tags"}}
		edit(&t)
		s.Tasks = append(s.Tasks, t)
	}
	for _, status := range []chat.TaskStatus{chat.TaskInProgress, chat.TaskAwaiting, chat.TaskPaused, chat.TaskStopped, chat.TaskCompleted} {
		add(string(status), func(t *chat.Task) { t.Status = status })
	}
	lists := func(kind string, entries ...string) chat.List { return chat.List{Kind: kind, Entries: entries} }
	add("white", func(t *chat.Task) {
		t.Lists = []chat.List{lists("white", "friend", "@Pal", "+998901234567"), lists("white", "second")}
	})
	add("black", func(t *chat.Task) { t.Lists = []chat.List{lists("black", "foe", "rude", "+998900000000")} })
	add("both", func(t *chat.Task) { t.Lists = []chat.List{lists("white", "friend", "foe"), lists("black", "foe")} })
	add("limited", func(t *chat.Task) { t.Limit = &chat.TaskLimit{Messages: 3} })
}

// TestTaskStatuses: paused and awaiting tasks store and stay silent; stopped
// and completed ones refuse and leave nothing (specs/selarti.md §3.3).
func TestTaskStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet)
	for status, want := range map[string]string{
		"in_progress": "client: hi → demo",
		"awaiting":    "client: hi (task_paused)",
		"paused":      "client: hi (task_paused)",
	} {
		k := w.talk(t, status)
		k.says("hi")
		k.expect(1, want)
		if woken := w.woken.of(w.endpoint("all").ID); woken == 0 {
			t.Errorf("%s: the integration was not told", status)
		}
	}
	for _, status := range []string{"stopped", "completed"} {
		k := w.talk(t, status)
		_, err := k.send(chat.ClientMessage{Content: chat.Content{Text: "hi"}})
		wantCode(t, err, chat.CodeClosed)
		wantCode(t, does(k), chat.CodeClosed)
		wantCode(t, w.AddTarget(w.ctx, w.bridge(), w.task(status).ID, "@eve"), chat.CodeClosed)
		list, err := w.Conversations(w.ctx, w.system(), chat.ConversationFilter{ExternalID: k.client})
		if err != nil || len(list) != 0 {
			t.Errorf("%s: a refused message left %d conversations (%v)", status, len(list), err)
		}
	}
}

// TestMutingFlags: close, operator and is_bot silence the bot while they are
// set; the others do not (specs/selarti.md §2.3).
func TestMutingFlags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, flag := range chat.FlagNames() {
		t.Run(flag, func(t *testing.T) {
			k := w.talk(t, "shop")
			k.says("one")
			asked := k.question()
			k.flags(map[string]bool{flag: true})
			before := k.conv().Seq
			k.says("two")
			err := k.replyTo(asked, chat.Answer{Messages: said("late")})
			switch flag {
			case "close", "is_bot":
				wantCode(t, err, chat.CodeForbidden)
				k.expect(before, "client: two (flag)")
			case "operator":
				wantCode(t, err, chat.CodeForbidden)
				k.expect(before, "client: two (not_bot)")
			default:
				wantCode(t, err, "")
				k.expect(before, "client: two → demo", "demo: late")
			}
			k.flags(map[string]bool{flag: false})
			before = k.conv().Seq
			k.says("three")
			k.expect(before, "client: three → demo")
		})
	}
}

// TestLists matches clients by id, username and phone; a leading @ and case
// don't count (specs/selarti.md §2, §2.4).
func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet)
	person := func(field, value string) map[string]string { return map[string]string{field: value} }
	tests := []struct {
		task, id string
		profile  map[string]string
		served   bool
	}{
		{"white", "stranger", nil, false},
		{"white", "friend", nil, true},
		{"white", "FRIEND", nil, true},
		{"white", "@friend", nil, true},
		{"white", "second", nil, true},
		{"white", "w1", person("username", "pal"), true},
		{"white", "w2", person("username", "@pal"), true},
		{"white", "w3", person("phone", "+998901234567"), true},
		{"white", "w4", person("name", "pal"), false},
		{"white", "w5", person("username", ""), false},
		{"black", "stranger", nil, true},
		{"black", "foe", nil, false},
		{"black", "b1", person("username", "@Rude"), false},
		{"black", "b2", person("phone", "+998900000000"), false},
		{"both", "friend", nil, true},
		{"both", "foe", nil, false},
		{"both", "stranger", nil, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.task, " ", tt.id, " ", tt.profile), func(t *testing.T) {
			k := w.talk(t, tt.task)
			k.client = tt.id
			if _, err := k.send(chat.ClientMessage{Incoming: chat.Incoming{Profile: tt.profile}, Content: chat.Content{Text: "hi"}}); err != nil {
				t.Fatal(err)
			}
			want := "client: hi (list)"
			if tt.served {
				want = "client: hi → demo"
			}
			k.expect(1, want)
		})
	}
}

// TestLimit counts messages of all authors: the one that reaches the limit gets
// no answer, and the rest is stored.
func TestLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet)
	k := w.talk(t, "limited")
	k.says("one")
	k.hears("two")
	k.says("three")
	k.says("four")
	k.expect(1, "client: one → demo", "demo: two", "client: three (limit)", "client: four (limit)")
	wantCode(t, does(k), "")
	k.expect(5, "client does ping (limit)")
}

// TestClosedIsForEver: a new message does not reopen a dialog that was tagged
// close; it is stored and the bot is silent, whatever time passes
// (specs/selarti.md §9, 11).
func TestClosedIsForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("bye")
	if err := k.reply(chat.Answer{Messages: said("bye"), Flags: []chat.Flags{chat.FlagClose}}); err != nil {
		t.Fatal(err)
	}
	k.closes("ann")
	w.pass(t, 1000*time.Hour)
	before := k.conv().Seq
	k.says("again")
	k.expect(before, "opened for demo", "client: again (flag)")
}

// TestFlagsAreToldOnce: once for each false→true, and again after the flag was
// removed (specs/selarti.md §9, 9).
func TestFlagsAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	got := []chat.Flags{chat.FlagGetContact}
	first := k.says("call me")
	for range 2 {
		if err := k.reply(chat.Answer{Messages: said("ok"), Flags: got}); err != nil {
			t.Fatal(err)
		}
	}
	k.expect(2, "+get_contact", "demo: ok", "demo: ok")
	k.flags(map[string]bool{"get_contact": true})
	k.expect(2, "+get_contact", "demo: ok", "demo: ok")
	k.flags(map[string]bool{"get_contact": false, "success": false})
	k.flags(map[string]bool{"get_contact": false})
	last := k.says("again")
	if err := k.reply(chat.Answer{Flags: got}); err != nil {
		t.Fatal(err)
	}
	k.expect(5, "-get_contact", "client: again → demo", "+get_contact")
	for seq, want := range map[int]chat.ID{3: first.MessageID, 8: last.MessageID} {
		if e := k.log()[seq-1]; e.Data.CausedBy != want || e.Data.Flag != "get_contact" || !e.Flags.Has(chat.FlagGetContact) {
			t.Errorf("entry %d was caused by %d, want %d, with the flags after it: %+v", seq, e.Data.CausedBy, want, e.Event)
		}
	}
}

// TestWhatCausedATag: the message a bot answered, whichever way it was asked;
// without one, the last message of the conversation (specs/selarti.md §4.3).
func TestWhatCausedATag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := func(k *talk) chat.ID {
		t.Helper()
		log := k.log()
		for i := len(log) - 1; i >= 0; i-- {
			if log[i].Kind == chat.EventFlagSet {
				return log[i].Data.CausedBy
			}
		}
		t.Fatalf("no tag was set:\n%q", k.story())
		return 0
	}
	success := chat.Answer{Messages: said("fine"), Flags: []chat.Flags{chat.FlagSuccess}}

	k := w.talk(t, "app")
	question := k.says("buy")
	k.says("and that")
	if err := k.replyTo(k.log()[question.Seq-1], success); err != nil {
		t.Fatal(err)
	}
	if got := tag(k); got != question.MessageID {
		t.Errorf("a tag of the bot was caused by %d, want the question %d", got, question.MessageID)
	}

	k = w.talk(t, "app")
	question = k.says("buy")
	if err := fails(k); err != nil {
		t.Fatal(err)
	}
	if err := k.reply(success); err != nil {
		t.Fatal(err)
	}
	if got := tag(k); got != question.MessageID {
		t.Errorf("a tag of the second bot was caused by %d, want the question %d", got, question.MessageID)
	}

	k = w.talk(t, "app")
	k.says("hello")
	k.hears("hi")
	k.flags(map[string]bool{"interest": true})
	if got, want := tag(k), k.conv().LastMessageID; got != want {
		t.Errorf("a tag by hand was caused by %d, want the last message %d", got, want)
	}

	k = w.talk(t, "app")
	question = k.says("people!")
	if err := k.reply(chat.Answer{Messages: said("wait"), Handover: &chat.Handover{}}); err != nil {
		t.Fatal(err)
	}
	if got := tag(k); got != question.MessageID {
		t.Errorf("the tag operator was caused by %d, want the question %d", got, question.MessageID)
	}
}
