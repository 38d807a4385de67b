package chat_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"pgregory.net/rapid"
)

// TestAnyOrder lets everybody do anything in any order, in two conversations
// of one client, and holds the log to the rules after each step.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := deedNames()
	rapid.Check(t, func(rt *rapid.T) {
		w.bots.down.Clear()
		first := w.talk(rt, rapid.SampledFrom([]string{"shop", "app", "site"}).Draw(rt, "task"))
		second := *first
		second.key = "second"
		both := []*watched{{talk: first}, {talk: &second}}
		for _, k := range both {
			k.says("hello")
			k.check()
		}
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			k := rapid.SampledFrom(both).Draw(rt, "conversation")
			name := rapid.SampledFrom(names).Draw(rt, "deed")
			before := k.conv().Seq
			err := deeds()[name](k.talk, rt)
			if code := chat.ErrorCode(err); code != "" && code != chat.CodeForbidden && code != chat.CodeConflict {
				rt.Fatalf("%s: %v", name, err)
			}
			if err != nil && k.conv().Seq != before {
				rt.Fatalf("%s was refused (%v) and left a trace:\n%q", name, err, k.story())
			}
			k.check()
		}
		checkClient(rt, both)
	})
}

type deed func(k *talk, rt *rapid.T) error

// deeds are what can be done to a conversation.
func deeds() map[string]deed {
	plain := func(s step) deed { return func(k *talk, _ *rapid.T) error { return s(k) } }
	return map[string]deed{
		"client writes": plain(says),
		"client does":   plain(does),
		"bot answers":   botAnswers,
		"bot asks for people": func(k *talk, _ *rapid.T) error {
			q := k.question()
			return k.Handover(k.ctx, chat.Actor{Kind: chat.ActorBot, TenantID: k.tenant, ID: q.BotID}, k.id, q.SessionID, q.Version, chat.Handover{})
		},
		"operator writes": func(k *talk, rt *rapid.T) error {
			return writes(anyOperator(rt), rapid.Bool().Draw(rt, "take"))(k)
		},
		"operator takes": func(k *talk, rt *rapid.T) error { return takes(anyOperator(rt))(k) },
		"ann returns":    plain(returns),
		"ann closes":     plain(closes),
		"flags": func(k *talk, rt *rapid.T) error {
			who := rapid.SampledFrom([]string{"", "ann"}).Draw(rt, "who")
			flag := rapid.SampledFrom(chat.FlagNames()).Draw(rt, "flag")
			return setsFlag(who, flag, rapid.Bool().Draw(rt, "set"))(k)
		},
		"profile": func(k *talk, rt *rapid.T) error {
			name := rapid.SampledFrom([]string{"Eve", "Eva"}).Draw(rt, "name")
			_, err := k.ChangeProfile(k.ctx, k.bridge(), k.id, map[string]string{"name": name})
			return err
		},
		"bot fails": func(k *talk, _ *rapid.T) error { return failsIfAsked(k) },
		"time passes": func(k *talk, rt *rapid.T) error {
			k.clock.advance(time.Duration(rapid.IntRange(1, 61).Draw(rt, "minutes")) * time.Minute)
			if rapid.Bool().Draw(rt, "fire") {
				k.fire(rt)
			}
			return nil
		},
		"a bot goes": func(k *talk, rt *rapid.T) error {
			k.bots.down.Store(rapid.SampledFrom([]string{"demo", "backup"}).Draw(rt, "bot"), true)
			return nil
		},
		"bots come back": func(k *talk, _ *rapid.T) error { k.bots.down.Clear(); return nil },
		"a status": func(k *talk, rt *rapid.T) error {
			status := rapid.SampledFrom([]chat.Status{chat.StatusDelivered, chat.StatusRead, chat.StatusSent}).Draw(rt, "status")
			_, err := k.SetStatus(k.ctx, k.bridge(), k.conv().LastMessageID, status)
			return err
		},
	}
}

func deedNames() []string {
	var names []string
	for name := range deeds() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func anyOperator(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"ann", "bob", "sue"}).Draw(rt, "operator")
}

// botAnswers answers a question, not always the last, as one of the bots, not
// always the one that was asked.
func botAnswers(k *talk, rt *rapid.T) error {
	var questions []chat.Entry
	for _, e := range k.log() {
		if e.BotID != 0 {
			questions = append(questions, e)
		}
	}
	if len(questions) == 0 {
		return nil
	}
	q := questions[len(questions)-1]
	if rapid.IntRange(0, 3).Draw(rt, "stale") == 0 {
		q = rapid.SampledFrom(questions).Draw(rt, "question")
	}
	if rapid.IntRange(0, 5).Draw(rt, "foreign") == 0 {
		q.BotID = k.bot("backup").ID
	}
	a := chat.Answer{Messages: said("one", "two")[:rapid.IntRange(0, 2).Draw(rt, "messages")]}
	switch rapid.IntRange(0, 9).Draw(rt, "decision") {
	case 0:
		a.Handover = &chat.Handover{}
	case 1:
		a.Close = true
	case 2, 3:
		flag, _ := chat.FlagByName(rapid.SampledFrom(chat.FlagNames()).Draw(rt, "flag"))
		a.Flags = []chat.Flags{flag}
	case 4:
		a.Profile = map[string]string{"phone": rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "phone")}
	case 5:
		a.Late = []chat.LateAnswer{{After: chat.Duration(time.Minute), Messages: said("late")}}
	}
	return k.replyTo(q, a)
}

// failsIfAsked lets a bot fail at the head of its lane, if it has one.
func failsIfAsked(k *talk) error {
	for _, name := range []string{"demo", "backup"} {
		if _, w := k.work(name); w != nil {
			_, err := k.BotFailed(k.ctx, k.bot(name), w, chat.Settlement{Work: w, State: chat.DeliveryVoid})
			return err
		}
	}
	return nil
}

// watched is a talk with what its log has made so far.
type watched struct {
	*talk
	made replay
	log  []chat.Entry
}

// check replays what is new in the log by the rules and compares what comes
// out with the conversation as it is stored.
func (k *watched) check() {
	k.t.Helper()
	fresh, err := k.Events(k.ctx, k.system(), k.id, k.made.seq, 0)
	k.must(err)
	k.log = append(k.log, fresh...)
	for i := range fresh {
		if problem := k.made.apply(&fresh[i]); problem != "" {
			k.t.Fatalf("%q breaks a rule: %s\n%q", k.line(&fresh[i]), problem, k.story())
		}
	}
	c, s := k.conv(), k.session()
	if got := (replay{owner: c.Owner, flags: c.Flags, session: c.SessionID, version: k.made.version, unread: c.Unread,
		messages: c.Messages, lastMessage: c.LastMessageID, lastAt: c.LastAt, seq: c.Seq}); got != k.made {
		k.t.Fatalf("stored is %+v, the log makes %+v\n%q", got, k.made, k.story())
	}
	if s != nil && (s.Owner != k.made.owner || s.Version != k.made.version || s.ClosedAt != 0) {
		k.t.Fatalf("the open session is %+v, the log makes %+v", s, k.made)
	}
	if s != nil && c.Owner.People() != c.Flags.Has(chat.FlagOperator) {
		k.t.Fatalf("%v owns the session and the flags are %v", c.Owner, c.Flags.Names())
	}
}

// checkClient holds the logs of one client against each other: At rises
// strictly over all of them, as ids do.
func checkClient(t tester, talks []*watched) {
	t.Helper()
	var all []chat.Entry
	for _, k := range talks {
		all = append(all, k.log...)
	}
	slices.SortFunc(all, func(a, b chat.Entry) int { return int(a.ID - b.ID) })
	for i := 1; i < len(all); i++ {
		if all[i].ID <= all[i-1].ID || all[i].At <= all[i-1].At {
			t.Fatalf("of one client, id %d at %d follows id %d at %d", all[i].ID, all[i].At, all[i-1].ID, all[i-1].At)
		}
	}
}

// replay is what a reader of the log knows of the conversation.
type replay struct {
	owner                     chat.Owner
	flags                     chat.Flags
	session, lastMessage      chat.ID
	version, unread, messages int64
	seq                       int64
	lastAt                    chat.Micros
}

// apply takes one entry over and says which rule it breaks.
func (r *replay) apply(e *chat.Entry) string {
	if e.Seq != r.seq+1 {
		return "there is a gap before it"
	}
	r.seq, r.lastAt = e.Seq, e.At
	problem := ""
	switch e.Kind {
	case chat.EventSessionOpened:
		if r.session != 0 {
			problem = "a session is open already"
		}
		r.session, r.version, r.owner = e.SessionID, 1, *e.Data.To
	case chat.EventSessionClosed:
		if r.session != e.SessionID || r.session == 0 {
			problem = "it closes a session that is not open"
		}
		r.session, r.owner = 0, chat.Owner{}
	case chat.EventOwnerChanged:
		if *e.Data.From != r.owner || *e.Data.To == r.owner || e.Version != r.version+1 {
			problem = "the owner changes from somebody else, or not at all, or without a new version"
		}
		r.version, r.owner = e.Version, *e.Data.To
	case chat.EventFlagSet, chat.EventFlagCleared:
		problem = r.flag(e)
	case chat.EventMessageCreated:
		problem = r.message(e)
	}
	if problem == "" && r.session != 0 && (e.SessionID != r.session || e.Version != r.version) {
		problem = "it names another session or version"
	}
	if problem == "" && e.Flags != r.flags {
		problem = "its flags are not those after it"
	}
	return problem
}

func (r *replay) flag(e *chat.Entry) string {
	f, _ := chat.FlagByName(e.Data.Flag)
	set := e.Kind == chat.EventFlagSet
	if r.flags.Has(f) == set {
		return "the flag was so before"
	}
	r.flags ^= f
	return ""
}

func (r *replay) message(e *chat.Entry) string {
	r.messages++
	r.lastMessage = e.MessageID
	switch {
	case e.Author == chat.AuthorClient:
		r.unread++
	case e.Author == chat.AuthorOperator || e.Data.Question != 0:
		r.unread = 0
	}
	asksOwner := e.BotID == 0 || r.owner == chat.Owner{Kind: chat.OwnerBot, ID: e.BotID}
	switch {
	case e.Message == nil || e.Message.Seq != e.Seq || e.Message.At != e.At:
		return "its message is missing or another one"
	case e.Author == chat.AuthorBot && r.owner != chat.Owner{Kind: chat.OwnerBot, ID: e.AuthorID}:
		return "a bot speaks that does not own the session"
	case !asksOwner:
		return "a bot is asked that does not own the session"
	}
	return ""
}
