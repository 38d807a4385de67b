package chat_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestAssignedAtOnce: what comes into the queue while somebody is free does not
// stay there, whatever brought it.
func TestAssignedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	tests := []struct {
		task, from, name string
		do               step
		story            []string
	}{
		{"app", "bot", "a bot asks for people", replies(chat.Answer{Messages: said("hi"), Handover: &chat.Handover{}}),
			[]string{"demo: hi", "demo to queue: bot_handover", "+operator", "queue to ann: assigned"}},
		{"shop", "bot", "a bot sets operator", replies(chat.Answer{Flags: []chat.Flags{chat.FlagOperator}}),
			[]string{"demo to queue: bot_handover", "+operator", "queue to ann: assigned"}},
		{"site", "bot", "a bot fails before people", fails,
			[]string{"demo to queue: bot_failed", "+operator", "queue to ann: assigned"}},
		{"shop", "bot", "a key sets operator", setsFlag("", "operator", true),
			[]string{"demo to queue: flag", "+operator", "queue to ann: assigned"}},
		{"desk", "closed", "a client writes where no bot is", says,
			[]string{"opened for queue", "+operator", "client: more (not_bot)", "queue to ann: assigned"}},
		{"desk", "closed", "an operator writes without taking", writes("bob", false),
			[]string{"opened for queue", "+operator", "bob: here", "queue to ann: assigned"}},
		{"app", "bot", "a supervisor sends it to the queue", transfers("sue", toQueue),
			[]string{"demo to queue: transferred", "+operator", "queue to ann: assigned"}},
	}
	for _, tt := range tests {
		t.Run(tt.task+": "+tt.name, func(t *testing.T) {
			k := w.talk(t, tt.task)
			starts[tt.from](k)
			before := k.conv().Seq
			wantCode(t, tt.do(k), "")
			k.expect(before, tt.story...)
			for _, e := range k.log() {
				if e.Data.Reason == chat.ReasonAssigned && (e.Author != chat.AuthorSystem || e.AuthorID != 0) {
					t.Errorf("%s %d assigned it", e.Author, e.AuthorID)
				}
			}
		})
	}
}

// TestWhoIsGivenIt: the READY with the fewest, of equals who waited longest, up
// to their capacity.
func TestWhoIsGivenIt(t *testing.T) {
	t.Parallel()
	two, none := 2, 0
	for name, c := range map[string]struct {
		capacity map[string]int
		ready    []string
		other    map[string]chat.PresenceStatus
		want     []string
	}{
		"nobody":               {nil, nil, nil, []string{"queue"}},
		"nobody takes":         {nil, nil, map[string]chat.PresenceStatus{"ann": chat.PresenceOutgoing, "bob": chat.PresenceInactive, "sue": chat.PresenceOffline}, []string{"queue"}},
		"one, without a limit": {nil, []string{"ann"}, nil, []string{"ann", "ann", "ann", "ann"}},
		"in turn":              {nil, []string{"ann", "bob", "sue"}, nil, []string{"ann", "bob", "sue", "ann", "bob", "sue"}},
		"up to the capacity":   {map[string]int{"ann": 1, "bob": two}, []string{"ann", "bob"}, nil, []string{"ann", "bob", "bob", "queue"}},
		"without capacity":     {map[string]int{"ann": none}, []string{"ann", "bob"}, nil, []string{"bob", "bob"}},
		"not a stranger":       {nil, []string{"ann-rival"}, nil, []string{"queue"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, staffed(c.capacity))
			for _, login := range c.ready {
				w.is(t, login, chat.PresenceReady)
			}
			for login, status := range c.other {
				w.is(t, login, status)
			}
			for _, want := range c.want {
				w.clock.advance(time.Second)
				w.queued(t).has(want)
			}
		})
	}
}

// TestLongestAgo: of those with as few, the one who was given one the longest
// ago comes first; what one takes counts as well.
func TestLongestAgo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.queued(t), w.queued(t)
	first.takes("bob")
	w.clock.advance(time.Second)
	second.takes("ann")
	first.closes("bob")
	second.closes("ann")
	w.is(t, "ann", chat.PresenceReady)
	w.is(t, "bob", chat.PresenceReady)
	w.queued(t).has("bob")
}

// TestWishes: persons that a bot asks for bind, skills and units are preferred.
func TestWishes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wish chat.Handover
		want string
	}{
		"none":                         {chat.Handover{}, "ann"},
		"a person":                     {chat.Handover{Users: []string{"bob"}}, "bob"},
		"a person by e-mail":           {chat.Handover{Users: []string{"sue@example.com"}}, "sue"},
		"one of two persons":           {chat.Handover{Users: []string{"root", "bob"}}, "bob"},
		"a person who is not there":    {chat.Handover{Users: []string{"root"}}, "queue"},
		"a person of another company":  {chat.Handover{Users: []string{"ann-rival"}}, "ann"},
		"nobody that is known":         {chat.Handover{Users: []string{"nobody"}}, "ann"},
		"a person who is barred":       {chat.Handover{Users: []string{"max"}}, "ann"},
		"a skill":                      {chat.Handover{Skills: []string{"sales", "law"}}, "sue"},
		"a skill that nobody has":      {chat.Handover{Skills: []string{"cooking"}}, "ann"},
		"a unit":                       {chat.Handover{Units: []string{"north"}}, "bob"},
		"a unit where nobody is":       {chat.Handover{Units: []string{"south"}}, "ann"},
		"a skill rather than the unit": {chat.Handover{Skills: []string{"law"}, Units: []string{"north"}}, "sue"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *chat.Setup) {
				s.Units, s.Skills = []chat.Unit{{Name: "north"}}, []chat.Skill{{Name: "law"}}
				s.Operators[1].Unit, s.Operators[2].Skills, s.Operators[2].Email = "north", []string{"law"}, "sue@example.com"
				s.Operators = append(s.Operators, chat.Operator{Login: "max", Role: chat.RoleOperator})
			})
			barred := true
			if err := w.EditOperator(w.ctx, owner, "max", chat.OperatorEdit{Disabled: &barred}); err != nil {
				t.Fatal(err)
			}
			for _, login := range []string{"ann", "bob", "sue"} {
				w.is(t, login, chat.PresenceReady)
			}
			k := w.talk(t, "shop")
			k.says("hello")
			k.must(k.reply(chat.Answer{Handover: &c.wish}))
			k.has(c.want)
			w.settle(t)
			k.has(c.want)
		})
	}
}

// TestTheLongestWaitingFirst: whatever frees somebody, he is given what waits,
// in the order of coming, and no more than he has room for.
func TestTheLongestWaitingFirst(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]func(w *world, has *talk) error{
		"he closes": func(_ *world, has *talk) error {
			_, err := has.Close(has.ctx, has.operator("ann"), has.id, "")
			return err
		},
		"a session expires": func(w *world, has *talk) error { w.pass(has.t, 45*time.Minute); return nil },
		"a colleague takes": func(_ *world, has *talk) error { return takes("sue")(has) },
		"he gives it away":  func(w *world, has *talk) error { return transfers("ann", w.colleague("bob"))(has) },
		"he gives it back":  func(_ *world, has *talk) error { return transfers("ann", toQueue)(has) },
		"he may have more": func(w *world, _ *talk) error {
			setup := company("acme", "")
			staffed(map[string]int{"ann": 2})(&setup)
			setup.Tasks[3].SessionTTL = hour()
			_, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{})
			return err
		},
		"a colleague is ready": func(w *world, _ *talk) error {
			_, err := w.SetPresence(w.ctx, w.operator("root"), chat.PresenceReady, "")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, staffed(map[string]int{"ann": 1, "root": 1}), func(s *chat.Setup) { s.Tasks[3].SessionTTL = hour() })
			w.is(t, "ann", chat.PresenceReady)
			has := w.queued(t)
			has.has("ann")
			w.clock.advance(30 * time.Minute)
			first := w.queued(t)
			w.clock.advance(time.Second)
			second := w.queued(t)
			w.settle(t)
			first.has("queue")
			first.must(free(w, has))
			w.settle(t)
			if got := first.conv().Owner.Kind; got != chat.OwnerOperator {
				t.Errorf("the first still waits:\n%q", first.story())
			}
			second.has("queue")
		})
	}
}

func hour() *chat.Duration {
	d := chat.Duration(time.Hour)
	return &d
}

// TestPassedBy: who gave it back does not get it from the queue; he may take it.
func TestPassedBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is(t, "ann", chat.PresenceReady)
	k := w.queued(t)
	k.has("ann")
	k.must(transfers("ann", toQueue)(k))
	w.settle(t)
	k.has("queue")
	w.is(t, "bob", chat.PresenceReady)
	w.settle(t)
	k.has("bob")
	k.must(transfers("bob", toQueue)(k))
	k.has("ann")
}

// TestRunDistribution: it needs no telling.
func TestRunDistribution(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(map[string]int{"ann": 1}))
	first, second := w.queued(t), w.queued(t)
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.RunDistribution(ctx) }()
	w.is(t, "ann", chat.PresenceReady)
	first.comes(chat.ReasonAssigned)
	first.closes("ann")
	second.comes(chat.ReasonAssigned)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// comes waits for the owner to change for a reason.
func (k *talk) comes(reason string) {
	k.t.Helper()
	for e, err := range k.Follow(k.ctx, k.system(), k.id, 0) {
		k.must(err)
		if e.Data.Reason == reason {
			return
		}
	}
}

// TestQueueOfTheLost: a conversation whose task is gone stays where it is and
// stops nobody behind it.
func TestQueueOfTheLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost := w.queued(t)
	w.clock.advance(time.Second)
	k := w.talk(t, "shop")
	k.says("hello")
	k.must(k.reply(chat.Answer{Handover: &chat.Handover{Switch: json.RawMessage(`{}`)}}))
	setup := company("acme", "")
	setup.Tasks = slices.Delete(setup.Tasks, 3, 4)
	if _, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	w.is(t, "ann", chat.PresenceReady)
	w.settle(t)
	k.has("ann")
	lost.has("queue")
}

// TestOperatorGone: the conversations of somebody who may not work any more go
// to whoever is free, and wait when nobody is.
func TestOperatorGone(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, w *world){
		"barred": func(t *testing.T, w *world) {
			yes := true
			if err := w.EditOperator(w.ctx, owner, "ann", chat.OperatorEdit{Disabled: &yes}); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, w *world) {
			setup := company("acme", "")
			setup.Operators = slices.DeleteFunc(setup.Operators, func(o chat.Operator) bool { return o.Login == "ann" })
			if _, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{Prune: true}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.is(t, "ann", chat.PresenceReady)
			first, second := w.queued(t), w.queued(t)
			w.settle(t)
			first.has("ann")
			second.has("ann")
			before := first.conv().Seq
			leave(t, w)
			w.settle(t)
			first.has("queue")
			second.has("queue")
			if log := first.log(); log[before].Data.Reason != chat.ReasonOperatorGone {
				t.Errorf("it went for the reason %q", log[before].Data.Reason)
			}
			w.is(t, "bob", chat.PresenceReady)
			w.settle(t)
			first.has("bob")
			second.has("bob")
		})
	}
}
