package chat_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// starts bring a conversation into the state that a case begins with.
var starts = map[string]func(k *talk){
	"bot":    func(k *talk) { k.says("hello") },
	"queue":  func(k *talk) { k.says("hello"); k.handsOver() },
	"ann":    func(k *talk) { k.says("hello"); k.takes("ann") },
	"closed": func(k *talk) { k.says("hello"); k.closes("ann") },
	"closed in ann's hands": func(k *talk) {
		k.says("hello")
		k.takes("ann")
		k.closes("ann")
	},
}

// step is an action of a case; err is what it returned.
type step func(k *talk) error

func says(k *talk) error {
	_, err := k.send(chat.ClientMessage{Content: chat.Content{Text: "more"}})
	return err
}

func does(k *talk) error {
	_, err := k.ClientEvent(k.ctx, k.bridge(), chat.ClientEvent{Incoming: k.incoming(), Name: "ping"})
	return err
}

func replies(a chat.Answer) step { return func(k *talk) error { return k.reply(a) } }

func writes(login string, take ...bool) step {
	return func(k *talk) error {
		m := chat.OperatorMessage{ConversationID: k.id, Content: chat.Content{Text: "here"}}
		if len(take) > 0 {
			m.Take = &take[0]
		}
		_, err := k.OperatorMessage(k.ctx, k.operator(login), m)
		return err
	}
}

func takes(login string) step {
	return func(k *talk) error { _, err := k.Take(k.ctx, k.operator(login), k.id); return err }
}

func returns(k *talk) error { _, err := k.Return(k.ctx, k.operator("ann"), k.id); return err }

func closes(k *talk) error { _, err := k.Close(k.ctx, k.operator("ann"), k.id, "done"); return err }

func setsFlag(login, flag string, set bool) step {
	return func(k *talk) error {
		actor := k.bridge()
		if login != "" {
			actor = k.operator(login)
		}
		_, err := k.SetFlags(k.ctx, actor, k.id, map[string]bool{flag: set})
		return err
	}
}

// passes lets an hour and a second pass, the default life on the site.
func passes(k *talk) error { k.pass(k.t, time.Hour+time.Second); return nil }

func fails(k *talk) error {
	lane, w := k.work("demo")
	_, err := k.BotFailed(k.ctx, k.bot("demo"), w, chat.Settlement{Work: w, State: chat.DeliveryParked})
	if lane == nil {
		k.t.Fatalf("the bot has no lane")
	}
	return err
}

// work claims the lane of an endpoint in this conversation and reads its head.
func (k *talk) work(endpoint string) (*chat.Lane, *chat.Work) {
	k.t.Helper()
	lanes, err := k.ClaimLanes(k.ctx, k.endpoint(endpoint), 1000, time.Minute)
	k.must(err)
	for _, l := range lanes {
		if l.ConversationID == k.id {
			w, err := k.NextWork(k.ctx, l)
			k.must(err)
			return &l, w
		}
	}
	return nil, nil
}

// TestSessions is the state machine: who owns the session after each action,
// under which version, and what the log tells (design §2: handover and the flag
// operator are one fact; specs/selarti.md §2.4, §3.3).
func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bot, queue, ann, sue, none = "demo", "queue", "ann", "sue", "nobody"
	hi := said("hi")
	tests := []struct {
		task, from, name string
		do               step
		code             chat.Code
		owner            string
		version          int64 // 0: no session is open
		flags            []string
		story            []string
	}{
		// The bot owns the session.
		{"app", "bot", "the client writes", says, "", bot, 1, nil, []string{"client: more → demo"}},
		{"app", "bot", "the client does something", does, "", bot, 1, nil, []string{"client does ping → demo"}},
		{"app", "bot", "it answers", replies(chat.Answer{Messages: hi}), "", bot, 1, nil, []string{"demo: hi"}},
		{"app", "bot", "it answers with a flag", replies(chat.Answer{Messages: hi, Flags: []chat.Flags{chat.FlagSuccess}}), "",
			bot, 1, []string{"success"}, []string{"+success", "demo: hi"}},
		{"app", "bot", "it asks for people", replies(chat.Answer{Messages: hi, Handover: &chat.Handover{}}), "",
			queue, 2, []string{"operator"}, []string{"demo: hi", "demo to queue: bot_handover", "+operator"}},
		{"app", "bot", "it sets the flag operator", replies(chat.Answer{Messages: hi, Flags: []chat.Flags{chat.FlagOperator}}), "",
			queue, 2, []string{"operator"}, []string{"demo: hi", "demo to queue: bot_handover", "+operator"}},
		{"app", "bot", "it closes", replies(chat.Answer{Messages: hi, Close: true}), "", none, 0, nil, []string{"demo: hi", "closed: bot_closed"}},
		{"app", "bot", "it fails before another bot", fails, "", "backup", 2, nil, []string{"demo to backup: bot_failed → backup"}},
		{"site", "bot", "it fails before people", fails, "", queue, 2, []string{"operator"}, []string{"demo to queue: bot_failed", "+operator"}},
		{"app", "bot", "an operator writes", writes("ann"), "", ann, 2, []string{"operator"}, []string{"demo to ann: taken", "+operator", "ann: here"}},
		{"app", "bot", "an operator writes without taking", writes("ann", false), "", bot, 1, nil, []string{"ann: here"}},
		{"shop", "bot", "an operator writes on a page messenger", writes("ann"), "", bot, 1, nil, []string{"ann: here"}},
		{"shop", "bot", "an operator writes and takes on a page messenger", writes("ann", true), "", ann, 2, []string{"operator"},
			[]string{"demo to ann: taken", "+operator", "ann: here"}},
		{"app", "bot", "an operator takes", takes("ann"), "", ann, 2, []string{"operator"}, []string{"demo to ann: taken", "+operator"}},
		{"app", "bot", "an operator returns", returns, "", bot, 1, nil, nil},
		{"app", "bot", "an operator closes", closes, "", none, 0, nil, []string{"closed: closed"}},
		{"shop", "bot", "an operator sets operator", setsFlag("ann", "operator", true), "", ann, 2, []string{"operator"}, []string{"demo to ann: flag", "+operator"}},
		{"shop", "bot", "a key sets operator", setsFlag("", "operator", true), "", queue, 2, []string{"operator"}, []string{"demo to queue: flag", "+operator"}},
		{"shop", "bot", "a key clears operator", setsFlag("", "operator", false), "", bot, 1, nil, nil},
		{"shop", "bot", "a key sets close", setsFlag("", "close", true), "", bot, 1, []string{"close"}, []string{"+close"}},
		{"site", "bot", "an hour passes", passes, "", none, 0, nil, []string{"closed: expired"}},
		{"app", "bot", "an hour passes without a TTL", passes, "", bot, 1, nil, nil},

		// The queue owns it.
		{"app", "queue", "the client writes", says, "", queue, 2, []string{"operator"}, []string{"client: more (not_bot)"}},
		{"app", "queue", "the client does something", does, "", queue, 2, []string{"operator"}, []string{"client does ping (not_bot)"}},
		{"app", "queue", "the bot answers late", replies(chat.Answer{Messages: hi}), chat.CodeForbidden, queue, 2, []string{"operator"}, nil},
		{"app", "queue", "an operator writes", writes("ann"), "", ann, 3, []string{"operator"}, []string{"queue to ann: taken", "ann: here"}},
		{"app", "queue", "an operator writes without taking", writes("ann", false), "", queue, 2, []string{"operator"}, []string{"ann: here"}},
		{"app", "queue", "an operator takes", takes("ann"), "", ann, 3, []string{"operator"}, []string{"queue to ann: taken"}},
		{"app", "queue", "an operator returns", returns, "", bot, 3, nil, []string{"queue to demo: returned", "-operator"}},
		{"app", "queue", "an operator closes", closes, "", bot, 3, nil, []string{"queue to demo: livechat_finished", "-operator", "told livechatFinished → demo"}},
		{"site", "queue", "an operator closes on a site", closes, "", none, 0, nil, []string{"closed: closed", "-operator"}},
		{"shop", "queue", "an operator closes on a page messenger", closes, "", none, 0, []string{"operator"}, []string{"closed: closed"}},
		{"shop", "queue", "a key clears operator", setsFlag("", "operator", false), "", bot, 3, nil, []string{"queue to demo: flag", "-operator"}},
		{"shop", "queue", "a key sets operator again", setsFlag("", "operator", true), "", queue, 2, []string{"operator"}, nil},
		{"site", "queue", "an hour passes", passes, "", none, 0, nil, []string{"closed: expired", "-operator"}},

		// An operator owns it.
		{"app", "ann", "the client writes", says, "", ann, 2, []string{"operator"}, []string{"client: more (not_bot)"}},
		{"app", "ann", "the bot answers late", replies(chat.Answer{Messages: hi}), chat.CodeForbidden, ann, 2, []string{"operator"}, nil},
		{"app", "ann", "she writes", writes("ann"), "", ann, 2, []string{"operator"}, []string{"ann: here"}},
		{"app", "ann", "she takes again", takes("ann"), "", ann, 2, []string{"operator"}, nil},
		{"app", "ann", "another operator writes", writes("bob"), chat.CodeConflict, ann, 2, []string{"operator"}, nil},
		{"app", "ann", "another operator takes", takes("bob"), chat.CodeConflict, ann, 2, []string{"operator"}, nil},
		{"app", "ann", "a supervisor takes", takes("sue"), "", sue, 3, []string{"operator"}, []string{"ann to sue: taken"}},
		{"app", "ann", "she returns", returns, "", bot, 3, nil, []string{"ann to demo: returned", "-operator"}},
		{"desk", "ann", "she returns where no bot is", returns, chat.CodeConflict, ann, 2, []string{"operator"}, nil},
		{"desk", "ann", "a key clears operator where no bot is", setsFlag("", "operator", false), chat.CodeConflict, ann, 2, []string{"operator"}, nil},
		{"app", "ann", "she closes", closes, "", none, 0, nil, []string{"closed: closed", "-operator"}},
		{"shop", "ann", "a key sets operator", setsFlag("", "operator", true), "", ann, 2, []string{"operator"}, nil},
		{"shop", "ann", "a key clears operator", setsFlag("", "operator", false), "", bot, 3, nil, []string{"ann to demo: flag", "-operator"}},
		{"site", "ann", "an hour passes", passes, "", none, 0, nil, []string{"closed: expired", "-operator"}},

		// No session is open.
		{"app", "closed", "the client writes", says, "", bot, 1, nil, []string{"opened for demo", "client: more → demo"}},
		{"desk", "closed", "the client writes where no bot is", says, "", queue, 1, []string{"operator"},
			[]string{"opened for queue", "+operator", "client: more (not_bot)"}},
		{"app", "closed", "the bot answers late", replies(chat.Answer{Messages: hi}), chat.CodeForbidden, none, 0, nil, nil},
		{"app", "closed", "an operator writes", writes("ann"), "", ann, 1, []string{"operator"}, []string{"opened for ann", "+operator", "ann: here"}},
		{"app", "closed", "an operator writes without taking", writes("ann", false), "", bot, 1, nil, []string{"opened for demo", "ann: here"}},
		{"shop", "closed", "an operator writes on a page messenger", writes("ann"), "", bot, 1, nil, []string{"opened for demo", "ann: here"}},
		{"app", "closed", "an operator takes", takes("ann"), "", ann, 1, []string{"operator"}, []string{"opened for ann", "+operator"}},
		{"app", "closed", "an operator returns", returns, chat.CodeConflict, none, 0, nil, nil},
		{"app", "closed", "an operator closes", closes, chat.CodeConflict, none, 0, nil, nil},
		{"shop", "closed", "a key sets operator", setsFlag("", "operator", true), "", none, 0, []string{"operator"}, []string{"+operator"}},
		{"app", "closed in ann's hands", "the client writes", says, "", bot, 1, nil, []string{"opened for demo", "client: more → demo"}},
		{"shop", "closed in ann's hands", "the client writes on a page messenger", says, "", queue, 1, []string{"operator"},
			[]string{"opened for queue", "client: more (not_bot)"}},
		{"shop", "closed in ann's hands", "an operator returns on a page messenger", returns, "", none, 0, nil, []string{"-operator"}},
	}
	for _, tt := range tests {
		t.Run(tt.task+", "+tt.from+": "+tt.name, func(t *testing.T) {
			k := w.talk(t, tt.task)
			starts[tt.from](k)
			before := k.conv().Seq
			wantCode(t, tt.do(k), tt.code)
			k.expect(before, tt.story...)
			k.isOwned(tt.owner, tt.version, tt.flags)
		})
	}
}

// isOwned checks the conversation and its session against each other and
// against what is wanted.
func (k *talk) isOwned(owner string, version int64, flags []string) {
	k.t.Helper()
	c, s := k.conv(), k.session()
	if got := k.name(c.Owner); got != owner {
		k.t.Errorf("%s owns the session, want %s", got, owner)
	}
	if got := c.Flags.Names(); len(got)+len(flags) > 0 && !slices.Equal(got, flags) {
		k.t.Errorf("the flags are %v, want %v", got, flags)
	}
	switch {
	case s == nil && version != 0:
		k.t.Errorf("no session is open, want version %d", version)
	case s != nil && (s.Version != version || s.Owner != c.Owner || !s.Open()):
		k.t.Errorf("the session is %+v, want version %d of the owner %v", s, version, c.Owner)
	}
}

// TestIdleSessionEndsWithoutItsTimer: who comes after the TTL finds the session
// closed, though no timer has fired yet.
func TestIdleSessionEndsWithoutItsTimer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name  string
		do    step
		story []string
	}{
		{"the client writes", says, []string{"closed: expired", "opened for demo", "client: more → demo"}},
		{"the client writes under a new name", func(k *talk) error {
			_, err := k.send(chat.ClientMessage{
				Incoming: chat.Incoming{Profile: map[string]string{"name": "Eve"}}, Content: chat.Content{Text: "more"},
			})
			return err
		}, []string{"closed: expired", "opened for demo", "client.changed", "client: more → demo"}},
		{"the client does something", does, []string{"closed: expired", "opened for demo", "client does ping → demo"}},
		{"an operator writes", writes("ann"), []string{"closed: expired", "opened for ann", "+operator", "ann: here"}},
		{"an operator writes without taking", writes("ann", false), []string{"closed: expired", "opened for demo", "ann: here"}},
		{"an operator takes", takes("ann"), []string{"closed: expired", "opened for ann", "+operator"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := w.talk(t, "site")
			k.says("hello")
			w.clock.advance(time.Hour + time.Second)
			before := k.conv().Seq
			if err := tt.do(k); err != nil {
				t.Fatal(err)
			}
			k.expect(before, tt.story...)
		})
	}
}

// TestActivityKeepsASessionOpen: the TTL counts from the last activity, and the
// timer of the first moment looks again.
func TestActivityKeepsASessionOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "site")
	k.says("hello")
	w.pass(t, 40*time.Minute)
	k.hears("hi")
	w.pass(t, 40*time.Minute)
	k.expect(2, "demo: hi")
	w.pass(t, 20*time.Minute+time.Second)
	k.expect(2, "demo: hi", "closed: expired")
}

// TestLifeOfSessions is the default of each kind of channel and what a task
// says instead (specs/setup.md).
func TestLifeOfSessions(t *testing.T) {
	t.Parallel()
	ten := chat.Duration(10 * time.Minute)
	none := chat.Duration(0)
	for _, tt := range []struct {
		kind chat.ChannelKind
		ttl  *chat.Duration
		want time.Duration
	}{
		{chat.ChannelPageMessenger, nil, 0},
		{chat.ChannelChatAPI, nil, 0},
		{chat.ChannelWidget, nil, time.Hour},
		{chat.ChannelWidget, &ten, 10 * time.Minute},
		{chat.ChannelPageMessenger, &ten, 10 * time.Minute},
		{chat.ChannelWidget, &none, 0},
	} {
		if got := (&chat.Task{SessionTTL: tt.ttl}).SessionLife(tt.kind); got != tt.want {
			t.Errorf("%s with %v: %s, want %s", tt.kind, tt.ttl, got, tt.want)
		}
	}
}
