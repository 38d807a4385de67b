package delivery

import (
	"fmt"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestMomentsOfALine(t *testing.T) {
	l := &line{}
	for _, at := range []int{5, 3, 0, 9, 3} {
		l.soon(chat.Micros(at))
	}
	if got := fmt.Sprint(l.dueAt); got != "[3 5 9]" {
		t.Fatalf("moments are %s", got)
	}
	if l.pass(2); l.due {
		t.Errorf("due before its time")
	}
	if l.pass(5); !l.due || l.next() != 9 {
		t.Errorf("due %v, next %v", l.due, l.next())
	}
	if l.again = 7; l.next() != 7 {
		t.Errorf("next is %v", l.next())
	}
	for i := range 2 * maxKnownDue {
		l.soon(chat.Micros(100 + i))
	}
	if len(l.dueAt) > maxKnownDue {
		t.Errorf("%d moments are kept", len(l.dueAt))
	}
}
