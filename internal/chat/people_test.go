package chat_test

import "github.com/tolmach/tolmach/internal/chat"

// staffed gives the company's operators capacities, by login; nobody is READY
// yet.
func staffed(capacities map[string]int) func(*chat.Setup) {
	return func(s *chat.Setup) {
		for i := range s.Operators {
			if n, limited := capacities[s.Operators[i].Login]; limited {
				s.Operators[i].Capacity = &n
			}
		}
	}
}

// is sets an operator's status.
func (w *world) is(t tester, login string, status chat.PresenceStatus) {
	t.Helper()
	if _, err := w.SetPresence(w.ctx, w.operator(login), status, ""); err != nil {
		t.Fatalf("%s is %s: %v", login, status, err)
	}
}

// at is an operator's presence.
func (w *world) at(t tester, login string) chat.Presence {
	t.Helper()
	p, err := w.Presence(w.ctx, w.operator(login))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// settle lets whoever is free have what waits.
func (w *world) settle(t tester) {
	t.Helper()
	if err := w.Distribute(w.ctx); err != nil {
		t.Fatalf("distributing: %v", err)
	}
}

// queued starts a conversation that people get, on a task without a bot.
func (w *world) queued(t tester) *talk {
	t.Helper()
	k := w.talk(t, "desk")
	k.says("hello")
	return k
}

// has demands that an operator, or with "queue" the queue, has it.
func (k *talk) has(login string) {
	k.t.Helper()
	if got := k.name(k.conv().Owner); got != login {
		k.t.Errorf("%s has the conversation, want %s", got, login)
	}
}

func transfers(login string, to chat.Transfer) step {
	return func(k *talk) error {
		_, err := k.Transfer(k.ctx, k.operator(login), k.id, to)
		return err
	}
}

// colleague is a transfer to an operator.
func (w *world) colleague(login string) chat.Transfer {
	return chat.Transfer{Operator: w.operator(login).ID}
}

var toQueue = chat.Transfer{Queue: true}
