package chat_test

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestStatuses move forward only: NOT_SENT < SENT < DELIVERED < READ; an
// earlier one leaves the message as it is, and what holds is answered
// (specs/chatapi.md §9).
func TestStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct{ reports, holds, story []string }{
		{[]string{"SENT"}, []string{"SENT"}, nil},
		{[]string{"NOT_SENT"}, []string{"SENT"}, nil},
		{[]string{"DELIVERED", "READ"}, []string{"DELIVERED", "READ"}, []string{"status DELIVERED", "status READ"}},
		{[]string{"READ", "DELIVERED", "SENT", "NOT_SENT", "READ"}, []string{"READ", "READ", "READ", "READ", "READ"}, []string{"status READ"}},
		{[]string{"DELIVERED", "DELIVERED"}, []string{"DELIVERED", "DELIVERED"}, []string{"status DELIVERED"}},
	} {
		k := w.talk(t, "app")
		k.says("hello")
		k.hears("hi")
		c := k.conv()
		for i, report := range tt.reports {
			holds, err := w.SetStatus(w.ctx, w.channel("app"), c.LastMessageID, chat.Status(report))
			k.must(err)
			if want := chat.Status(tt.holds[i]); holds != want || k.conv().LastMessage.Status != want {
				t.Errorf("%v: after %s holds %s and is stored %s, want %s", tt.reports, report, holds, k.conv().LastMessage.Status, want)
			}
		}
		k.expect(c.Seq, tt.story...)
		if after := k.conv(); after.Messages != c.Messages || after.LastMessageID != c.LastMessageID || after.Unread != c.Unread {
			t.Errorf("a status changed %+v to %+v", c.Conversation, after.Conversation)
		}
	}
}

func TestStatusRank(t *testing.T) {
	t.Parallel()
	for i, s := range []chat.Status{chat.StatusNotSent, chat.StatusSent, chat.StatusDelivered, chat.StatusRead} {
		if s.Rank() != i {
			t.Errorf("%s ranks %d, want %d", s, s.Rank(), i)
		}
	}
	if got := chat.Status("SEEN").Rank(); got != -1 {
		t.Errorf("an unknown status ranks %d", got)
	}
}

// TestRating is of one session, open or closed; the latest holds.
func TestRating(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	first := k.session().ID
	k.must(w.Rate(w.ctx, w.channel("app"), first, 2, "slow"))
	k.must(w.Rate(w.ctx, w.channel("app"), first, 5, ""))
	k.closes("ann")
	k.says("again")
	second := k.session().ID
	seq := k.conv().Seq
	k.must(w.Rate(w.ctx, w.channel("app"), first, 3, "so-so"))
	k.expect(seq, "rated 3")
	last := k.log()[seq]
	if last.SessionID != first || last.Data.Comment != "so-so" {
		t.Errorf("the rating of session %d is told of session %d: %+v", first, last.SessionID, last.Data)
	}
	k.must(w.store.View(w.ctx, func(r chat.Reader) error {
		s, err := r.Session(w.tenant, first)
		if err == nil && (s.Rating != 3 || s.Comment != "so-so" || s.Open()) {
			t.Errorf("the first session is %+v", s)
		}
		return err
	}))
	if s := k.session(); s.ID != second || s.Rating != 0 {
		t.Errorf("the second session is %+v", s)
	}
	k.must(w.Rate(w.ctx, w.channel("app"), second, 1, ""))
	k.takes("ann") // what is saved later keeps the mark
	if s := k.session(); s.Rating != 1 {
		t.Errorf("the second session is %+v", s)
	}
}
