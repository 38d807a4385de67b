package chat_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestTransfer: who may give what to whom, and what is said of it.
func TestTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(map[string]int{"bob": 1}), func(s *chat.Setup) {
		s.Operators = append(s.Operators, chat.Operator{Login: "max", Role: chat.RoleOperator}, chat.Operator{Login: "full", Role: chat.RoleOperator})
		none := 0
		s.Operators[5].Capacity = &none
	})
	barred := true
	if err := w.EditOperator(w.ctx, owner, "max", chat.OperatorEdit{Disabled: &barred}); err != nil {
		t.Fatal(err)
	}
	stranger := chat.Transfer{Operator: w.operator("ann-rival").ID + 1000}
	key := func(to chat.Transfer) step {
		return func(k *talk) error { _, err := k.Transfer(k.ctx, k.bridge(), k.id, to); return err }
	}
	sue, full := w.colleague("sue"), w.colleague("full")
	tests := []struct {
		from, name string
		do         step
		code       chat.Code
		says       string
		story      []string
	}{
		{"ann", "she gives it away", transfers("ann", sue), "", "", []string{"ann to sue: transferred"}},
		{"ann", "she gives it to who is full", transfers("ann", full), chat.CodeConflict, "full has no room: 0 of 0", nil},
		{"ann", "she gives it to herself", transfers("ann", w.colleague("ann")), "", "", nil},
		{"ann", "she gives it back to the queue", transfers("ann", toQueue), "", "", []string{"ann to queue: transferred"}},
		{"ann", "a colleague takes it by transfer", transfers("bob", w.colleague("bob")), chat.CodeConflict, "Ann has this conversation", nil},
		{"ann", "a colleague sends it to the queue", transfers("bob", toQueue), chat.CodeConflict, "Ann has this conversation", nil},
		{"ann", "a supervisor gives it away", transfers("sue", w.colleague("bob")), "", "", []string{"ann to bob: transferred"}},
		{"ann", "a supervisor gives it to who is full", transfers("sue", full), "", "", []string{"ann to full: transferred"}},
		{"ann", "an admin sends it to the queue", transfers("root", toQueue), "", "", []string{"ann to queue: transferred"}},
		{"ann", "a key gives it to who is full", key(full), "", "", []string{"ann to full: transferred"}},
		{"ann", "she names nobody", transfers("ann", chat.Transfer{}), chat.CodeMissing, "", nil},
		{"ann", "she names two", transfers("ann", chat.Transfer{Operator: sue.Operator, Queue: true}), chat.CodeInvalid, "", nil},
		{"ann", "she names a stranger", transfers("ann", stranger), chat.CodeNotFound, "", nil},
		{"ann", "she names who is barred", transfers("ann", w.colleague("max")), chat.CodeNotFound, "", nil},
		{"queue", "anybody gives it away", transfers("bob", sue), "", "", []string{"queue to sue: transferred"}},
		{"queue", "anybody sends it to the queue", transfers("bob", toQueue), "", "", nil},
		{"bot", "an operator gives it away", transfers("ann", sue), chat.CodeForbidden, "take it first", nil},
		{"bot", "a supervisor gives it away", transfers("sue", w.colleague("ann")), "", "", []string{"demo to ann: transferred", "+operator"}},
		{"closed", "an operator gives it away", transfers("ann", sue), chat.CodeConflict, "no session is open", nil},
		{"closed", "a supervisor gives it away", transfers("sue", toQueue), chat.CodeConflict, "no session is open", nil},
	}
	for _, tt := range tests {
		t.Run(tt.from+": "+tt.name, func(t *testing.T) {
			k := w.talk(t, "app")
			starts[tt.from](k)
			before := k.conv().Seq
			err := tt.do(k)
			wantCode(t, err, tt.code)
			if !strings.Contains(chat.ErrorMessage(err), tt.says) {
				t.Errorf("it says %q, want something of %q", chat.ErrorMessage(err), tt.says)
			}
			k.expect(before, tt.story...)
		})
	}
	_, err := w.Transfer(w.ctx, w.operator("ann-rival"), w.queued(t).id, toQueue)
	wantCode(t, err, chat.CodeNotFound)
}

// TestRoomOfAColleague: a transfer counts what he has.
func TestRoomOfAColleague(t *testing.T) {
	t.Parallel()
	w := newWorld(t, staffed(map[string]int{"bob": 1}))
	first, second := w.queued(t), w.queued(t)
	first.takes("ann")
	second.takes("ann")
	first.must(transfers("ann", w.colleague("bob"))(first))
	wantCode(t, transfers("ann", w.colleague("bob"))(second), chat.CodeConflict)
	second.has("ann")
	third := w.queued(t)
	third.takes("bob") // by hand he may have more
	third.has("bob")
}

// TestOneOfManyWins: of those who act at once one has it, and the others are
// told who.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	const many = 16
	w := newWorld(t, func(s *chat.Setup) {
		for i := range many {
			s.Operators = append(s.Operators, chat.Operator{Login: "op" + string(rune('a'+i)), Role: chat.RoleOperator})
		}
	})
	for name, act := range map[string]func(k *talk, login string) error{
		"take":   func(k *talk, login string) error { return takes(login)(k) },
		"write":  func(k *talk, login string) error { return writes(login)(k) },
		"assign": func(k *talk, login string) error { return transfers(login, k.colleague(login))(k) },
	} {
		t.Run(name, func(t *testing.T) {
			k := w.queued(t)
			errs := make([]error, many)
			var all sync.WaitGroup
			for i := range many {
				all.Go(func() { errs[i] = act(k, "op"+string(rune('a'+i))) })
			}
			all.Wait()
			winner := k.name(k.conv().Owner)
			won := 0
			for i, err := range errs {
				switch {
				case err == nil:
					won++
				case chat.ErrorCode(err) != chat.CodeConflict || !strings.HasPrefix(chat.ErrorMessage(err), winner+" has this conversation"):
					t.Errorf("%d was told %v; %s has it", i, err, winner)
				}
			}
			if won != 1 {
				t.Errorf("%d won", won)
			}
		})
	}
}
