package chat_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestAnswer carries out all that a bot can decide in one turn: its profile
// before its flags before its messages, under one answer id.
func TestAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("call me at 998901234567")
	q := k.question()
	k.must(k.reply(chat.Answer{
		Messages: said("one", "two"), Class: "/contact", Confidence: 0.5, State: "/thanks",
		Vars: map[string]any{"n": 1.0}, Profile: map[string]string{"phone": "998901234567", "name": "Lev"},
		Flags: []chat.Flags{chat.FlagGetContact, chat.FlagInterest},
	}))
	k.expect(2, "client.changed", "+get_contact", "+interest", "demo: one", "demo: two")
	log := k.log()
	first, second := log[5], log[6]
	if first.Data.AnswerID == 0 || first.Data.AnswerID != second.Data.AnswerID || first.Message.AnswerID != first.Data.AnswerID ||
		second.Message.AnswerID != first.Data.AnswerID {
		t.Errorf("the messages are of the answers %d and %d", first.Data.AnswerID, second.Data.AnswerID)
	}
	if first.Data.Question != q.Seq || second.Data.Question != q.Seq {
		t.Errorf("they answer %d and %d, want %d", first.Data.Question, second.Data.Question, q.Seq)
	}
	want := &chat.AnswerMeta{Class: "/contact", Confidence: 0.5, NewSession: true}
	if !reflect.DeepEqual(first.Data.Answer, want) || second.Data.Answer != nil {
		t.Errorf("the answer is told as %+v and %+v, want %+v with the first message", first.Data.Answer, second.Data.Answer, want)
	}
	if !log[1].Data.NewSession {
		t.Error("the question does not tell that it opened the session")
	}
	for _, e := range log[2:] {
		if e.Data.Contacts != "998901234567" || e.Data.Title != "Lev" {
			t.Errorf("%s tells %q, %q, want what the bot has just learnt", k.line(&e), e.Data.Title, e.Data.Contacts)
		}
	}
	if log[1].Data.Contacts != "" {
		t.Error("what is learnt later changed an event that was told before")
	}
	c, s := k.conv(), k.session()
	if s.State != "/thanks" || !reflect.DeepEqual(c.Vars, map[string]any{"n": 1.0}) || c.Client.Profile["phone"] != "998901234567" {
		t.Errorf("the state is %q, the variables %v, the profile %v", s.State, c.Vars, c.Client.Profile)
	}
	if m := c.LastMessage; m.Author != chat.AuthorBot || m.AuthorID != q.BotID || m.Status != chat.StatusSent || m.SessionID != s.ID {
		t.Errorf("the last message is %+v", m)
	}
}

// TestAnswerKeepsWhatItDoesNotName: no variables leave the old ones, empty ones
// clear them; an empty profile field stays; the state is always the new one.
func TestAnswerKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	k.must(k.reply(chat.Answer{State: "/a", Vars: map[string]any{"x": "y"}, Profile: map[string]string{"name": "Lev"}}))
	seq := k.conv().Seq
	k.must(k.reply(chat.Answer{State: "/b", Profile: map[string]string{"name": ""}}))
	if c, s := k.conv(), k.session(); s.State != "/b" || c.Vars["x"] != "y" || c.Client.Profile["name"] != "Lev" {
		t.Errorf("state %q, variables %v, profile %v", s.State, c.Vars, c.Client.Profile)
	}
	k.must(k.reply(chat.Answer{Messages: said("hi"), Vars: map[string]any{}}))
	if c, s := k.conv(), k.session(); s.State != "" || len(c.Vars) != 0 {
		t.Errorf("state %q, variables %v", s.State, c.Vars)
	}
	k.expect(seq, "demo: hi")
}

// TestLateAnswerShowsNothing: an answer to a question that was asked before the
// session changed hands is refused whole, even when the bot has it again.
func TestLateAnswerShowsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := chat.Answer{
		Messages: said("late"), Vars: map[string]any{"late": true}, State: "/late",
		Profile: map[string]string{"name": "Late"}, Flags: []chat.Flags{chat.FlagSuccess}, Close: true,
	}
	for name, between := range map[string]func(k *talk){
		"taken":               func(k *talk) { k.takes("ann") },
		"taken and returned":  func(k *talk) { k.takes("ann"); k.must(returns(k)) },
		"closed":              func(k *talk) { k.closes("ann") },
		"closed and reopened": func(k *talk) { k.takes("ann"); k.closes("ann"); k.says("again") },
		"muted":               func(k *talk) { k.flags(map[string]bool{"is_bot": true}) },
		"failed":              func(k *talk) { k.must(fails(k)) },
	} {
		t.Run(name, func(t *testing.T) {
			k := w.talk(t, "app")
			k.says("hello")
			q := k.question()
			between(k)
			before := k.conv()
			wantCode(t, k.replyTo(q, answer), chat.CodeForbidden)
			wantCode(t, k.Handover(k.ctx, k.bot("demo"), k.id, q.SessionID, q.Version, chat.Handover{}), chat.CodeForbidden)
			after := k.conv()
			if !reflect.DeepEqual(after.Conversation, before.Conversation) || !reflect.DeepEqual(after.Client, before.Client) {
				t.Errorf("it left a trace:\n%+v\n%+v", before.Conversation, after.Conversation)
			}
		})
	}
}

// TestHandoverInTheMiddle: messages of the turn before it are shown, what comes
// after it is refused; the wish is kept for the queue (specs/delivery.md).
func TestHandoverInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) { s.Tasks[1].WhenNobody = chat.WhenNobodyQueue })
	k := w.talk(t, "app")
	k.says("people!")
	q := k.question()
	wish := chat.Handover{Skills: []string{"sales"}, Switch: json.RawMessage(`{"firstMessage":"hi"}`)}
	k.must(k.replyTo(q, chat.Answer{Messages: said("one moment"), Handover: &wish}))
	wantCode(t, k.replyTo(q, chat.Answer{Messages: said("and another thing")}), chat.CodeForbidden)
	k.expect(2, "demo: one moment", "note: hi", "demo to queue: bot_handover", "+operator")
	var got chat.Handover
	k.must(json.Unmarshal(k.session().Wish, &got))
	if !reflect.DeepEqual(got, wish) {
		t.Errorf("the wish is %+v, want %+v", got, wish)
	}
	k.must(returns(k))
	if s := k.session(); len(s.Wish) != 0 || len(s.Tried) != 0 {
		t.Errorf("after a return the session remembers %s and %v", s.Wish, s.Tried)
	}
}

// TestFailuresGoAlongTheRoute: each bot that failed is passed by, the next is
// asked the same question under the new version, and people come last.
func TestFailuresGoAlongTheRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	asked := k.question()
	k.must(fails(k))
	q := k.question()
	if q.Data.Question != asked.Seq || q.BotID != k.bot("backup").ID || q.Version != 2 {
		t.Errorf("the second bot was asked %+v, want the question %d under version 2", q.Event, asked.Seq)
	}
	_, work := k.work("backup")
	if work == nil || work.Asked.Seq != asked.Seq || work.Asked.Message.Content.Text != "hello" || work.Stale() {
		t.Fatalf("the work of the second bot is %+v, want the question %d", work, asked.Seq)
	}
	_, err := k.BotFailed(k.ctx, k.bot("backup"), work, chat.Settlement{Work: work, State: chat.DeliveryParked})
	k.must(err)
	k.expect(2, "demo to backup: bot_failed → backup", "backup to queue: bot_failed", "+operator")
	k.closes("ann")
	k.says("again")
	k.expect(5, "closed: closed", "-operator", "opened for demo", "client: again → demo")
}

// TestBotsThatAreDownArePassedBy when a session opens (specs/delivery.md).
func TestBotsThatAreDownArePassedBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bots.down.Store("demo", true)
	k := w.talk(t, "app")
	k.says("hello")
	k.expect(0, "opened for backup", "client: hello → backup")
	w.bots.down.Store("backup", true)
	k = w.talk(t, "app")
	k.says("hello")
	k.expect(0, "opened for queue", "+operator", "client: hello (not_bot)")
	wantCode(t, returns(k), chat.CodeConflict)
	w.bots.down.Clear()
	wantCode(t, returns(k), "")
}

// TestLimitsOfAnAnswer are those of specs/chatapi.md §6, counted in characters.
func TestLimitsOfAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	many := make([]string, chat.MaxAnswerMessages+1)
	for i := range many {
		many[i] = "x"
	}
	before := k.conv().Seq
	wantCode(t, k.reply(chat.Answer{Messages: said(many...)}), chat.CodeTooLarge)
	half := strings.Repeat("я", chat.MaxAnswerText/2)
	wantCode(t, k.reply(chat.Answer{Messages: said(half, half, "я")}), chat.CodeTooLarge)
	wantCode(t, k.reply(chat.Answer{Profile: map[string]string{"name": strings.Repeat("x", chat.MaxProfileValue+1)}}), chat.CodeTooLarge)
	k.expect(before)
	wantCode(t, k.reply(chat.Answer{Messages: said(half, half)}), "")
	wantCode(t, k.reply(chat.Answer{Messages: said(many[1:]...)}), "")
}

// TestLateAnswers come by themselves, in their time, as answers of their own
// (specs/chatapi.md §3), and not once the session has closed or left the bot.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := chat.Answer{Messages: said("now"), Late: []chat.LateAnswer{
		{After: chat.Duration(2 * time.Minute), Messages: said("later", "and"), Class: "/later"},
		{After: chat.Duration(time.Minute), Messages: said("soon")},
	}}
	tests := []struct {
		name  string
		do    func(k *talk)
		story []string
	}{
		{"nothing happens", func(*talk) {}, []string{"demo: soon", "demo: later", "demo: and"}},
		{"the client writes", func(k *talk) { k.says("more") }, []string{"client: more → demo", "demo: soon", "demo: later", "demo: and"}},
		{"taken", func(k *talk) { k.takes("ann") }, []string{"demo to ann: taken", "+operator"}},
		{"taken and returned", func(k *talk) { k.takes("ann"); k.must(returns(k)) },
			[]string{"demo to ann: taken", "+operator", "ann to demo: returned", "-operator"}},
		{"closed", func(k *talk) { k.closes("ann") }, []string{"closed: closed"}},
		{"closed and reopened", func(k *talk) { k.closes("ann"); k.says("again") },
			[]string{"closed: closed", "opened for demo", "client: again → demo"}},
		{"muted", func(k *talk) { k.flags(map[string]bool{"close": true}) }, []string{"+close"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := w.talk(t, "app")
			k.says("hello")
			k.must(k.reply(late))
			seq := k.conv().Seq
			tt.do(k)
			w.pass(t, 59*time.Second)
			w.pass(t, 2*time.Second)
			w.pass(t, time.Minute)
			w.pass(t, time.Hour)
			k.expect(seq, tt.story...)
			if tt.name != "nothing happens" {
				return
			}
			last := k.log()[k.conv().Seq-1]
			first := k.log()[k.conv().Seq-2]
			if first.Data.AnswerID == k.log()[seq-1].Data.AnswerID || first.Data.AnswerID != last.Data.AnswerID {
				t.Error("a late answer is not an answer of its own")
			}
			if m := first.Data.Answer; m == nil || !m.Late || m.Class != "/later" || m.NewSession {
				t.Errorf("it is told as %+v", m)
			}
		})
	}
}
