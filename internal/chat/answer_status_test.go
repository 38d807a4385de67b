package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// statusOf is how far an answer came.
func (k *talk) statusOf(id string) chat.Status {
	k.t.Helper()
	s, err := k.AnswerStatus(k.ctx, k.caller(), k.client, id)
	k.must(err)
	return s
}

// reports sends a status and returns the one that holds.
func (k *talk) reports(id string, s chat.Status) chat.Status {
	k.t.Helper()
	applied, err := k.SetAnswerStatuses(k.ctx, k.caller(), k.client, []chat.AnswerStatus{{QuestionID: id, Status: s}})
	k.must(err)
	if len(applied) != 1 || applied[0].QuestionID != id {
		k.t.Fatalf("applied %+v", applied)
	}
	return applied[0].Status
}

func (k *talk) unread(want int) {
	k.t.Helper()
	if n, err := k.Unread(k.ctx, k.caller(), k.client); n != want || err != nil {
		k.t.Errorf("%d unread, %v; want %d", n, err, want)
	}
}

// TestStatusForwardOnly: every step from every status (specs/chatapi.md §9).
func TestStatusForwardOnly(t *testing.T) {
	order := []chat.Status{chat.StatusNotSent, chat.StatusSent, chat.StatusDelivered, chat.StatusRead}
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		for i, from := range order {
			for j, to := range order {
				a := k.asks("one", chat.Question{})
				k.hears("two", "three")
				if from == chat.StatusNotSent {
					k.parks()
				} else {
					k.reports(a.QuestionID, from)
				}
				if got := k.reports(a.QuestionID, to); got != order[max(i, j)] {
					t.Errorf("%s after %s holds %s", to, from, got)
				}
				if got := k.statusOf(a.QuestionID); got != order[max(i, j)] {
					t.Errorf("%s after %s reads as %s", to, from, got)
				}
				for _, e := range k.log()[len(k.log())-2:] {
					if e.Message != nil && e.Message.Status != order[max(i, j)] {
						t.Errorf("%s after %s: the message %q is %s", to, from, e.Message.Content.Text, e.Message.Status)
					}
				}
				k.webhooked()
			}
		}
	})
}

// parks lets the webhook give up what comes next.
func (k *talk) parks() {
	k.t.Helper()
	work, _ := k.next("app")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked, Reason: "not today"})
}

// TestStatusesByAnswer: an id is one answer with all its messages; unknown ids
// are skipped, those of other clients and channels are unknown.
func TestStatusesByAnswer(t *testing.T) {
	waiting(t, func(w *world) {
		k, other := w.talk(t, "app"), w.talk(t, "app")
		k.unread(0)
		a := k.asks("one", chat.Question{})
		k.hears("two", "three")
		k.writes("ann", "four")
		b := other.asks("one", chat.Question{})
		other.hears("two")
		k.unread(2)
		other.unread(1)
		four := k.answerHead().Data.QuestionID
		applied, err := w.SetAnswerStatuses(w.ctx, k.caller(), k.client, []chat.AnswerStatus{
			{QuestionID: "unknown", Status: chat.StatusRead}, {QuestionID: b.QuestionID, Status: chat.StatusRead},
			{QuestionID: a.QuestionID, Status: chat.StatusDelivered}, {QuestionID: four, Status: chat.StatusRead},
			{QuestionID: a.QuestionID, Status: chat.StatusSent},
		})
		k.must(err)
		want := []chat.AnswerStatus{{a.QuestionID, chat.StatusDelivered}, {four, chat.StatusRead}, {a.QuestionID, chat.StatusDelivered}}
		if len(applied) != 3 || applied[0] != want[0] || applied[1] != want[1] || applied[2] != want[2] {
			t.Errorf("applied %+v, want %+v", applied, want)
		}
		k.unread(1)
		other.unread(1)
		if s := k.reports(a.QuestionID, chat.StatusRead); s != chat.StatusRead {
			t.Errorf("then it is %s", s)
		}
		k.unread(0)
	})
}

// TestStatusRefused before anything is changed.
func TestStatusRefused(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{})
		k.hears("two")
		for _, bad := range []chat.Status{"", "SEEN", "read", "READ ", "\x00"} {
			_, err := w.SetAnswerStatuses(w.ctx, k.caller(), k.client, []chat.AnswerStatus{{a.QuestionID, chat.StatusRead}, {a.QuestionID, bad}})
			wantCode(t, err, chat.CodeInvalid)
		}
		_, err := w.SetAnswerStatuses(w.ctx, k.caller(), k.client, make([]chat.AnswerStatus, chat.MaxReports+1))
		wantCode(t, err, chat.CodeTooLarge)
		_, err = w.SetAnswerStatuses(w.ctx, k.caller(), "", nil)
		wantCode(t, err, chat.CodeMissing)
		_, err = w.SetAnswerStatuses(w.ctx, w.bridge(), k.client, nil)
		wantCode(t, err, chat.CodeForbidden)
		if s := k.statusOf(a.QuestionID); s != chat.StatusSent {
			t.Errorf("it is %s", s)
		}
		_, err = w.AnswerStatus(w.ctx, k.caller(), "nobody", a.QuestionID)
		wantCode(t, err, chat.CodeNotFound)
		_, err = w.AnswerStatus(w.ctx, w.channel("app-rival"), k.client, a.QuestionID)
		wantCode(t, err, chat.CodeNotFound)
	})
}

// TestParkedIsNotSent: what the webhook gave up is NOT_SENT until a replay
// delivers it, unless the client reported it meanwhile.
func TestParkedIsNotSent(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		parked := func() string {
			a := k.asks("one", chat.Question{})
			k.hears("two")
			k.parks()
			return a.QuestionID
		}
		a := parked()
		if s := k.statusOf(a); s != chat.StatusNotSent {
			t.Fatalf("parked it is %s", s)
		}
		k.unread(1)
		k.replays(1)
		if s := k.statusOf(a); s != chat.StatusSent {
			t.Errorf("replayed it is %s", s)
		}
		b := parked()
		k.reports(b, chat.StatusRead)
		k.replays(1)
		if s := k.statusOf(b); s != chat.StatusRead {
			t.Errorf("reported and replayed it is %s", s)
		}
		c := k.asks("one", chat.Question{})
		k.hears("two")
		k.reports(c.QuestionID, chat.StatusDelivered)
		k.parks()
		if s := k.statusOf(c.QuestionID); s != chat.StatusDelivered {
			t.Errorf("parked after it was reported it is %s", s)
		}
		k.writes("ann", "I am here")
		d := k.answerHead().Data.QuestionID
		k.parks()
		if s := k.statusOf(d); s != chat.StatusNotSent {
			t.Errorf("an operator's words, parked, are %s", s)
		}
	})
}

// replays sends again what was parked.
func (k *talk) replays(want int) {
	k.t.Helper()
	time.Sleep(time.Second)
	n, err := k.Replay(k.ctx, k.system(), chat.DeliveryFilter{State: chat.DeliveryParked, ConversationID: k.id})
	if n != want || err != nil {
		k.t.Fatalf("replayed %d, %v", n, err)
	}
	if ids := k.webhooked(); len(ids) != want {
		k.t.Fatalf("sent again: %v", ids)
	}
}
