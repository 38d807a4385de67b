package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// switched is a handover with a switch reply.
func switched(reply string) *chat.Handover { return &chat.Handover{Switch: json.RawMessage(reply)} }

// nobodyIs sets when_nobody of every task.
func nobodyIs(rule string, phrases ...string) func(*chat.Setup) {
	return func(s *chat.Setup) {
		for i := range s.Tasks {
			s.Tasks[i].WhenNobody, s.Tasks[i].ClosePhrases = rule, phrases
		}
	}
}

// TestNobodyOnline: whether a bot that asks for people gets them, or is told
// that nobody is there (specs/chatapi.md §8).
func TestNobodyOnline(t *testing.T) {
	t.Parallel()
	told, queued := []string{"told noLivechatOperatorsOnline → demo"}, []string{"demo to queue: bot_handover", "+operator"}
	given := append(slices.Clone(queued), "queue to ann: assigned")
	plain := &chat.Handover{}
	terms := switched(`{"theme":"help"}`)
	ignores := switched(`{"ignoreOffline":true}`)
	for rule, tests := range map[string][]struct {
		task, name string
		ann        chat.PresenceStatus
		do         step
		story      []string
	}{
		"": {
			{"app", "a plain wish", "", replies(chat.Answer{Handover: plain}), queued},
			{"app", "a switch reply", "", replies(chat.Answer{Handover: terms}), told},
			{"app", "a switch reply in no shape", "", replies(chat.Answer{Handover: switched(`[1]`)}), told},
			{"app", "a switch reply that ignores it", "", replies(chat.Answer{Handover: ignores}), queued},
			{"app", "a switch reply, somebody ready", chat.PresenceReady, replies(chat.Answer{Handover: terms}), given},
			{"app", "a switch reply, somebody finishing", chat.PresenceOutgoing, replies(chat.Answer{Handover: terms}), told},
			{"app", "the flag operator", "", replies(chat.Answer{Flags: []chat.Flags{chat.FlagOperator}}), queued},
			{"shop", "a switch reply on a page messenger", "", replies(chat.Answer{Handover: terms}), queued},
			{"site", "a switch reply on a site", "", replies(chat.Answer{Handover: terms}), queued},
			{"app", "a bot that mutes itself", "", replies(chat.Answer{Handover: terms, Flags: []chat.Flags{chat.FlagClose}}),
				append([]string{"+close"}, queued...)},
		},
		chat.WhenNobodyQueue: {
			{"app", "a switch reply", "", replies(chat.Answer{Handover: terms}), queued},
			{"app", "somebody ready", chat.PresenceReady, replies(chat.Answer{Handover: terms}), given},
		},
		chat.WhenNobodyTellBot: {
			{"app", "a plain wish", "", replies(chat.Answer{Handover: plain}), told},
			{"shop", "a plain wish on a page messenger", "", replies(chat.Answer{Handover: plain}), told},
			{"shop", "the flag operator", "", replies(chat.Answer{Flags: []chat.Flags{chat.FlagOperator}}), told},
			{"app", "a wish that ignores it", "", replies(chat.Answer{Handover: ignores}), queued},
			{"app", "somebody ready", chat.PresenceReady, replies(chat.Answer{Handover: plain}), given},
			{"app", "by a call of its own", "", asks, told},
			{"site", "a bot that fails", "", fails, []string{"demo to queue: bot_failed", "+operator"}},
		},
	} {
		w := newWorld(t, nobodyIs(rule))
		w.is(t, "ann-rival", chat.PresenceReady)
		for _, tt := range tests {
			t.Run(rule+", "+tt.task+": "+tt.name, func(t *testing.T) {
				status := tt.ann
				if status == "" {
					status = chat.PresenceOffline
				}
				w.is(t, "ann", status)
				k := w.talk(t, tt.task)
				k.says("people!")
				before := k.conv().Seq
				k.must(tt.do(k))
				k.expect(before, tt.story...)
			})
		}
	}
}

// asks is a bot's wish outside an answer.
func asks(k *talk) error {
	q := k.question()
	return k.Handover(k.ctx, chat.Actor{Kind: chat.ActorBot, TenantID: k.tenant, ID: q.BotID}, k.id, q.SessionID, q.Version, chat.Handover{})
}

// TestReadyAtAnyLoad: people who have their hands full are there.
func TestReadyAtAnyLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(map[string]int{"ann": 0}), nobodyIs(chat.WhenNobodyTellBot))
	w.is(t, "ann", chat.PresenceReady)
	k := w.talk(t, "app")
	k.says("people!")
	k.handsOver()
	k.has("queue")
}

// TestBotInsists: a bot that asks again, having been told, does not go round in
// circles.
func TestBotInsists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nobodyIs(chat.WhenNobodyTellBot))
	k := w.talk(t, "app")
	k.says("people!")
	k.handsOver()
	k.has("demo")
	before := k.conv().Seq
	k.must(k.reply(chat.Answer{Messages: said("nobody is there, please wait"), Handover: &chat.Handover{}}))
	k.expect(before, "demo: nobody is there, please wait", "demo to queue: bot_handover", "+operator")
}

// TestClientCantSayIt: the event counts as such only when the system tells it.
func TestClientCantSayIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nobodyIs(chat.WhenNobodyTellBot))
	k := w.talk(t, "app")
	_, err := k.ClientEvent(k.ctx, k.bridge(), chat.ClientEvent{Incoming: k.incoming(), Name: chat.EventNobodyOnline})
	k.must(err)
	list, err := w.Conversations(w.ctx, w.bridge(), chat.ConversationFilter{})
	k.must(err)
	k.id = list[0].ID
	k.handsOver()
	k.has("demo")
}

// TestOneTimeMessage: people are told and the client stays with the bot.
func TestOneTimeMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	long := strings.Repeat("ё", chat.MaxNote)
	for reply, want := range map[string]string{
		`{"oneTimeMessage":true,"firstMessage":"call them back"}`:              "call them back",
		`{"oneTimeMessage":true}`:                                              "please call me",
		`{"oneTimeMessage":true,"firstMessage":"` + long + `"}`:                strings.Repeat("ё", chat.MaxNote/2),
		`{"oneTimeMessage":true,"firstMessage":"x","ignoreOffline":"perhaps"}`: "x",
	} {
		k := w.talk(t, "app")
		k.says("please call me")
		before := k.conv().Seq
		k.must(k.reply(chat.Answer{Messages: said("we will"), Handover: switched(reply)}))
		k.expect(before, "demo: we will", "note: "+want)
		k.says("thank you")
		k.has("demo")
	}
}

// TestClosePhrases: a client who says one of them while people have what a bot
// gave them is back with that bot, which answers it in the state that switched.
func TestClosePhrases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nobodyIs(chat.WhenNobodyQueue, "Хватит"))
	byBot := replies(chat.Answer{State: "/Operator", Handover: switched(`{"closeChatPhrases":["bye, people "],"lastMessage":"the client left"}`)})
	plainly := replies(chat.Answer{State: "/Operator", Handover: &chat.Handover{}})
	back := func(owner, text string) []string {
		return []string{owner + " to demo: close_phrase", "-operator", "client: " + text + " → demo"}
	}
	stays := func(text string) []string { return []string{"client: " + text + " (not_bot)"} }
	for _, tt := range []struct {
		name   string
		before []step
		text   string
		want   []string
	}{
		{"the task's", []step{plainly}, "Хватит", back("queue", "Хватит")},
		{"folded and trimmed", []step{plainly}, " хваТИТ\n", back("queue", " хваТИТ\n")},
		{"the switch reply's", []step{byBot}, "Bye, people", append([]string{"note: the client left"}, back("queue", "Bye, people")...)},
		{"the task's, beside the switch reply's", []step{byBot}, "хватит", append([]string{"note: the client left"}, back("queue", "хватит")...)},
		{"in an operator's hands", []step{plainly, takes("ann")}, "хватит", back("ann", "хватит")},
		{"another bot's phrase", []step{plainly}, "bye, people", stays("bye, people")},
		{"inside a text", []step{plainly}, "хватит ждать", stays("хватит ждать")},
		{"taken from the bot", []step{takes("ann")}, "хватит", stays("хватит")},
		{"the bot failed", []step{fails, fails2}, "хватит", stays("хватит")},
		{"the bot can't be asked", []step{plainly, goes("demo")}, "хватит", stays("хватит")},
		{"back already", []step{plainly, returns}, "хватит", []string{"client: хватит → demo"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.bots.down.Clear()
			k := w.talk(t, "app")
			k.says("people!")
			session := k.session().ID
			for _, do := range tt.before {
				k.must(do(k))
			}
			before := k.conv().Seq
			k.says(tt.text)
			k.expect(before, tt.want...)
			s := k.session()
			if s.ID != session {
				t.Errorf("the session is another one")
			}
			if strings.HasSuffix(tt.want[len(tt.want)-1], "demo") && tt.name != "back already" && (s.State != "/Operator" || len(s.Wish) > 0) {
				t.Errorf("the session is in the state %q with the wish %s", s.State, s.Wish)
			}
		})
	}
}

func goes(bot string) step { return func(k *talk) error { k.bots.down.Store(bot, true); return nil } }

// fails2 lets the second bot of the route fail.
func fails2(k *talk) error {
	_, w := k.work("backup")
	_, err := k.BotFailed(k.ctx, k.bot("backup"), w, chat.Settlement{Work: w, State: chat.DeliveryVoid})
	return err
}

// TestCloseButton: what operators write carries the first phrase, if the bot
// wished so.
func TestCloseButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nobodyIs(chat.WhenNobodyQueue, "stop"))
	own := []chat.Button{{Text: "mine"}}
	for name, c := range map[string]struct {
		reply   string
		buttons []chat.Button
		want    []chat.Button
	}{
		"not wished":            {`{"closeChatPhrases":["bye"]}`, nil, nil},
		"the bot's phrase":      {`{"closeChatPhrases":["bye","ciao"],"appendCloseChatButton":true}`, nil, []chat.Button{{Text: "bye"}}},
		"the task's phrase":     {`{"appendCloseChatButton":true}`, nil, []chat.Button{{Text: "stop"}}},
		"beside other buttons":  {`{"appendCloseChatButton":true}`, own, own},
		"in the wrong shape":    {`{"appendCloseChatButton":"yes"}`, nil, nil},
		"phrases in no shape":   {`{"appendCloseChatButton":true,"closeChatPhrases":"bye"}`, nil, []chat.Button{{Text: "stop"}}},
		"an empty phrase first": {`{"appendCloseChatButton":true,"closeChatPhrases":[""," "]}`, nil, []chat.Button{{Text: "stop"}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := w.talk(t, "app")
			k.says("people!")
			k.must(k.reply(chat.Answer{Handover: switched(c.reply)}))
			_, err := k.OperatorMessage(k.ctx, k.operator("ann"), chat.OperatorMessage{
				ConversationID: k.id, Content: chat.Content{Text: "hello", Buttons: c.buttons},
			})
			k.must(err)
			if got := k.conv().LastMessage.Content.Buttons; !slices.Equal(got, c.want) {
				t.Errorf("the buttons are %+v, want %+v", got, c.want)
			}
			if len(c.want) > 0 && c.buttons == nil {
				k.says(c.want[0].Text)
				k.has("demo")
			}
		})
	}
}

// TestLivechatFinished: what a bot is told when an operator closes what it gave
// away.
func TestLivechatFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("people!")
	session := k.session().ID
	k.must(k.reply(chat.Answer{Messages: said("one moment"), State: "/Operator", Handover: &chat.Handover{}}))
	k.writes("ann", "hello")
	k.says("it is broken")
	k.writes("ann", "fixed")
	before := k.conv().Seq
	_, err := k.Close(k.ctx, k.operator("ann"), k.id, "repaired")
	k.must(err)
	k.expect(before, "ann to demo: livechat_finished", "-operator", "told livechatFinished → demo")
	want := fmt.Sprintf(`{"operator":{"id":%d,"name":"Ann"},"result":"repaired","messages":["hello","fixed"]}`, k.operator("ann").ID)
	if got := string(k.question().Data.Payload); got != want {
		t.Errorf("the bot is told\n%s, want\n%s", got, want)
	}
	s := k.session()
	if s.ID != session || s.State != "/Operator" || s.Result != "repaired" || len(s.Wish) > 0 {
		t.Errorf("the session is %+v", s)
	}
	if got := k.latest("demo").OperatorSaid; !slices.Equal(got, []string{"hello", "fixed"}) {
		t.Errorf("the bot hears %q", got)
	}
	before = k.conv().Seq
	_, err = k.Close(k.ctx, k.operator("ann"), k.id, "")
	k.must(err)
	k.expect(before, "closed: closed")
	var closed *chat.Session
	k.must(w.store.View(w.ctx, func(r chat.Reader) (err error) { closed, err = r.Session(w.tenant, session); return err }))
	if closed.Result != "repaired" {
		t.Errorf("the result became %q", closed.Result)
	}
}

// TestCloseEndsIt: where nobody waits to be told, closing closes.
func TestCloseEndsIt(t *testing.T) {
	t.Parallel()
	byKey := func(k *talk) error { _, err := k.Close(k.ctx, k.bridge(), k.id, ""); return err }
	handsOver := replies(chat.Answer{Handover: &chat.Handover{}})
	w := newWorld(t)
	for name, c := range map[string]struct {
		task  string
		steps []step
		close step
	}{
		"on a page messenger":     {"shop", []step{handsOver}, closes},
		"on a site":               {"site", []step{handsOver}, closes},
		"taken from the bot":      {"app", []step{takes("ann")}, closes},
		"the bots failed":         {"app", []step{fails, fails2}, closes},
		"the bot can't be asked":  {"app", []step{handsOver, goes("demo")}, closes},
		"by a key":                {"app", []step{handsOver}, byKey},
		"after it was given back": {"app", []step{handsOver, returns, takes("ann")}, closes},
	} {
		t.Run(name, func(t *testing.T) {
			w.bots.down.Clear()
			k := w.talk(t, c.task)
			k.says("people!")
			for _, do := range c.steps {
				k.must(do(k))
			}
			k.must(c.close(k))
			if k.session() != nil {
				t.Errorf("it is open:\n%q", k.story())
			}
		})
	}
}

// TestWhatTheBotHears: what operators said since it spoke last, however the
// session came back to it, and nothing in a session that never left it.
func TestWhatTheBotHears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heard := func(k *talk) []string {
		k.t.Helper()
		work := k.latest("demo")
		k.must(k.reply(chat.Answer{Messages: said("ok"), Settle: &chat.Settlement{Work: work, State: chat.DeliveryDelivered}}))
		return work.OperatorSaid
	}
	k := w.talk(t, "app")
	k.says("hello")
	k.must(writes("ann", false)(k)) // beside the bot: not to it
	k.says("people!")
	if got := heard(k); got != nil {
		t.Errorf("before it hears %q", got)
	}
	k.says("people, I said")
	k.takes("ann")
	k.writes("ann", "one")
	k.says("what?")
	k.writes("ann", "two")
	k.must(returns(k))
	k.says("back?")
	if got := heard(k); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("afterwards it hears %q", got)
	}
	k.says("again")
	if got := heard(k); got == nil || len(got) != 0 {
		t.Errorf("having spoken it hears %q, want nothing new", got)
	}
	k.takes("ann")
	k.writes("ann", "three")
	k.must(setsFlag("", "operator", false)(k))
	k.says("and now?")
	if got := heard(k); !slices.Equal(got, []string{"three"}) {
		t.Errorf("the second time it hears %q", got)
	}
}

// TestBotHearsTheLatest: of a long talk it is told the end.
func TestBotHearsTheLatest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		texts []string
		want  func(texts []string) []string
	}{
		"many": {numbered(60, "%d"), func(texts []string) []string { return texts[10:] }},
		"long": {numbered(20, "%d"+strings.Repeat("x", 1<<10)), func(texts []string) []string { return texts[5:] }},
		"very long": {[]string{"short", strings.Repeat("ы", 20<<10)}, func(texts []string) []string {
			return []string{texts[1][:16<<10]}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := w.talk(t, "app")
			k.says("people!")
			k.handsOver()
			for _, text := range c.texts {
				k.writes("ann", text)
			}
			k.must(returns(k))
			k.says("back")
			if got := k.latest("demo").OperatorSaid; !slices.Equal(got, c.want(c.texts)) {
				t.Errorf("it hears %d texts", len(got))
			}
		})
	}
}

// latest is the work of a bot that is asked the latest question; earlier ones
// are void.
func (k *talk) latest(bot string) *chat.Work {
	k.t.Helper()
	for {
		_, work := k.work(bot)
		if work == nil {
			k.t.Fatalf("the bot is not asked:\n%q", k.story())
		}
		if work.Entry.Seq == k.question().Seq {
			return work
		}
		_, err := k.Settle(k.ctx, chat.Settlement{Work: work, State: chat.DeliveryVoid})
		k.must(err)
	}
}

func numbered(n int, form string) []string {
	var texts []string
	for i := range n {
		texts = append(texts, fmt.Sprintf(form, i))
	}
	return texts
}
