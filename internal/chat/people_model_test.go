package chat_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"pgregory.net/rapid"
)

// TestPeopleInAnyOrder lets clients, bots and operators do anything in any
// order, and holds everybody's load, the queue and every owner to the log after
// each step; once what was free has been given away, nobody waits for nothing.
func TestPeopleInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(roomOf), func(s *chat.Setup) {
		for i, rule := range []string{chat.WhenNobodyQueue, chat.WhenNobodyTellBot} {
			s.Tasks[i].WhenNobody, s.Tasks[i].ClosePhrases = rule, []string{"enough"}
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		p := newPeople(w, rt)
		for range rapid.IntRange(5, 15).Draw(rt, "steps") {
			name := rapid.SampledFrom(peopleDeedNames()).Draw(rt, "deed")
			err := peopleDeeds()[name](p)
			if code := chat.ErrorCode(err); code != "" && code != chat.CodeForbidden && code != chat.CodeConflict {
				rt.Fatalf("%s: %v", name, err)
			}
			p.check(name)
			if rapid.IntRange(0, 2).Draw(rt, "settle") == 0 {
				p.settle(rt)
				p.check("settling")
				p.nobodyWaitsForNothing()
			}
		}
	})
}

// people is a company in the model: its talks, and how far each log was read.
type people struct {
	*world
	rt    *rapid.T
	talks []*talk
	read  map[*talk]int64
}

var (
	staff  = []string{"ann", "bob", "sue"}
	roomOf = map[string]int{"ann": 1, "bob": 2} // and no limit for sue
)

func newPeople(w *world, rt *rapid.T) *people {
	w.goHome(rt)
	p := &people{world: w, rt: rt, read: map[*talk]int64{}}
	for _, task := range []string{"desk", "app", "app", "shop"} {
		k := p.talk(rt, task)
		k.says("hello")
		p.talks = append(p.talks, k)
	}
	return p
}

// goHome closes everything and sends everybody away.
func (w *world) goHome(t tester) {
	t.Helper()
	list, err := w.Conversations(w.ctx, w.system(), chat.ConversationFilter{Limit: 250})
	for len(list) > 0 && err == nil {
		for i := range list {
			if list[i].SessionID == 0 {
				continue
			}
			if _, err := w.Close(w.ctx, w.system(), list[i].ID, ""); err != nil {
				t.Fatalf("%v", err)
			}
		}
		list, err = w.Conversations(w.ctx, w.system(), chat.ConversationFilter{After: list[len(list)-1].ID, Limit: 250})
	}
	for _, login := range staff {
		w.is(t, login, chat.PresenceOffline)
	}
}

// peopleDeeds are what can be done.
func peopleDeeds() map[string]func(p *people) error {
	on := func(do func(k *talk, p *people) error) func(p *people) error {
		return func(p *people) error { return do(rapid.SampledFrom(p.talks).Draw(p.rt, "conversation"), p) }
	}
	return map[string]func(p *people) error{
		"a status": func(p *people) error {
			statuses := []chat.PresenceStatus{chat.PresenceReady, chat.PresenceReady, chat.PresenceOutgoing, chat.PresenceInactive, chat.PresenceOffline}
			_, err := p.SetPresence(p.ctx, p.operator(p.who()), rapid.SampledFrom(statuses).Draw(p.rt, "status"), "")
			return err
		},
		"a client writes": on(func(k *talk, p *people) error {
			_, err := k.send(chat.ClientMessage{Content: chat.Content{Text: rapid.SampledFrom([]string{"more", "enough"}).Draw(p.rt, "text")}})
			return err
		}),
		"a bot asks for people": on(func(k *talk, p *people) error {
			if k.conv().Owner.Kind != chat.OwnerBot {
				return nil
			}
			return k.reply(chat.Answer{Handover: switched(rapid.SampledFrom([]string{`{}`, `{"ignoreOffline":true}`, `{"oneTimeMessage":true}`}).Draw(p.rt, "switch"))})
		}),
		"a bot closes": on(func(k *talk, _ *people) error {
			if k.conv().Owner.Kind != chat.OwnerBot {
				return nil
			}
			return k.reply(chat.Answer{Close: true})
		}),
		"an operator takes":  on(func(k *talk, p *people) error { return takes(p.who())(k) }),
		"an operator writes": on(func(k *talk, p *people) error { return writes(p.who())(k) }),
		"an operator closes": on(func(k *talk, p *people) error {
			_, err := k.Close(k.ctx, k.operator(p.who()), k.id, "done")
			return err
		}),
		"an operator returns": on(func(k *talk, p *people) error {
			_, err := k.Return(k.ctx, k.operator(p.who()), k.id)
			return err
		}),
		"an operator transfers": on(func(k *talk, p *people) error {
			to := toQueue
			if rapid.Bool().Draw(p.rt, "to a colleague") {
				to = p.colleague(p.who())
			}
			return transfers(p.who(), to)(k)
		}),
		"a flag": on(func(k *talk, p *people) error { return setsFlag("", "operator", rapid.Bool().Draw(p.rt, "set"))(k) }),
		"time passes": func(p *people) error {
			p.pass(p.rt, time.Duration(rapid.IntRange(1, 61).Draw(p.rt, "minutes"))*time.Minute)
			return nil
		},
	}
}

func peopleDeedNames() []string {
	var names []string
	for name := range peopleDeeds() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *people) who() string { return rapid.SampledFrom(staff).Draw(p.rt, "operator") }

// loads is what is counted of each operator.
func (p *people) loads() map[chat.ID]int {
	list, err := p.Presences(p.ctx, p.system())
	if err != nil {
		p.rt.Fatalf("%v", err)
	}
	loads := map[chat.ID]int{}
	for _, presence := range list {
		loads[presence.OperatorID] = presence.Load
	}
	return loads
}

// check counts who has what; whoever was assigned something in this step is
// within his capacity.
func (p *people) check(deed string) {
	p.rt.Helper()
	has, assigned := map[chat.ID]int{}, map[chat.ID]bool{}
	for _, k := range p.talks {
		c, s := k.conv(), k.session()
		if (s == nil) != (c.Owner == chat.Owner{}) || s != nil && s.Owner != c.Owner {
			p.rt.Fatalf("after %q the conversation is of %+v, its session %+v", deed, c.Owner, s)
		}
		if (c.Owner.Kind == chat.OwnerNone) != (c.OwnerSince == 0) {
			p.rt.Fatalf("after %q %+v has had it since %d", deed, c.Owner, c.OwnerSince)
		}
		if c.Owner.Kind == chat.OwnerOperator {
			has[c.Owner.ID]++
		}
		fresh, err := p.Events(p.ctx, p.system(), k.id, p.read[k], 0)
		k.must(err)
		for _, e := range fresh {
			if e.Data.Reason == chat.ReasonAssigned {
				assigned[e.Data.To.ID] = true
			}
		}
		p.read[k] = c.Seq
	}
	for operator, load := range p.loads() {
		login := p.Catalog().Operator(p.tenant, operator).Login
		if load != has[operator] {
			p.rt.Fatalf("after %q the load of %s is %d, he has %d", deed, login, load, has[operator])
		}
		if room, limited := roomOf[login]; limited && assigned[operator] && load > room {
			p.rt.Fatalf("%s was assigned something and has %d; the capacity is %d", login, load, room)
		}
	}
}

// nobodyWaitsForNothing: what waits after everything was given away may be had
// by nobody who is READY and has room.
func (p *people) nobodyWaitsForNothing() {
	p.rt.Helper()
	loads := p.loads()
	for _, k := range p.talks {
		c := k.conv()
		if c.Owner.Kind != chat.OwnerQueue {
			continue
		}
		passed := k.session().PassedBy
		for _, login := range staff {
			presence := p.at(p.rt, login)
			room, limited := roomOf[login]
			if presence.Status == chat.PresenceReady && (!limited || loads[presence.OperatorID] < room) && presence.OperatorID != passed {
				p.rt.Fatalf("%s is free (%+v) and a conversation waits:\n%q", login, presence, k.story())
			}
		}
	}
}

// TestQueueInTheOrderOfComing: whoever becomes free gets those who have waited
// longest, whatever order they came in and whoever had them before.
func TestQueueInTheOrderOfComing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(map[string]int{"ann": 2}))
	rapid.Check(t, func(rt *rapid.T) {
		w.goHome(rt)
		var waiting []*talk
		for range rapid.IntRange(1, 5).Draw(rt, "conversations") {
			k := w.queued(rt)
			w.clock.advance(time.Second)
			if rapid.Bool().Draw(rt, "goes to the end") {
				k.takes("bob")
				w.clock.advance(time.Second)
				k.must(transfers("bob", toQueue)(k))
				w.clock.advance(time.Second)
			}
			waiting = append(waiting, k)
		}
		for len(waiting) > 0 {
			w.is(rt, "ann", chat.PresenceReady)
			w.settle(rt)
			given := waiting[:min(2, len(waiting))]
			waiting = waiting[len(given):]
			w.is(rt, "ann", chat.PresenceOutgoing)
			for _, k := range given {
				k.has("ann")
				k.closes("ann")
			}
			for _, k := range waiting {
				k.has("queue")
			}
		}
	})
}
