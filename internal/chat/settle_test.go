package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// lane is the stored lane of an endpoint in the conversation, nil when it has
// caught up.
func (k *talk) lane(endpoint string) (lane *chat.Lane) {
	k.t.Helper()
	err := k.store.Update(k.ctx, chat.PriorityNormal, func(tx chat.Tx) (err error) {
		lane, err = tx.Lane(k.tenant, k.endpoint(endpoint).ID, k.id)
		if chat.ErrorCode(err) == chat.CodeNotFound {
			lane, err = nil, nil
		}
		return err
	})
	k.must(err)
	return lane
}

// settles settles a work and returns the lane to go on with.
func (k *talk) settles(st chat.Settlement) *chat.Lane {
	k.t.Helper()
	lane, err := k.Settle(k.ctx, st)
	k.must(err)
	return lane
}

// blocked is a company whose integration stops at a parked event.
func blocked(s *chat.Setup) { s.Integrations[0].OnPark = "block" }

// TestSettleKeepsOrEndsTheClaim: with Until the lane stays claimed till then, so
// that neither another claim nor a replay frees it; without, it is due at once.
func TestSettleKeepsOrEndsTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	k.says("two")
	k.says("three")
	_, work := k.work("all")
	until := chat.MicrosOf(w.clock.now().Add(time.Hour))
	next := k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered, Until: until})
	if next == nil || !next.Claimed || next.DueAt != until {
		t.Fatalf("the lane to go on with is %+v", next)
	}
	w.pass(t, 2*time.Minute) // longer than the first claim
	if n, err := w.Replay(w.ctx, w.system(), chat.DeliveryFilter{State: chat.DeliveryDelivered}); n != 1 || err != nil {
		t.Fatalf("replayed %d, %v", n, err)
	}
	if _, other := k.work("all"); other != nil {
		t.Errorf("somebody else claimed the lane: %+v", other.Lane)
	}
	work, err := w.NextWork(w.ctx, *next)
	k.must(err)
	next = k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	if next == nil || next.Claimed {
		t.Fatalf("after the claim ended the lane is %+v", next)
	}
	if _, other := k.work("all"); other == nil {
		t.Error("nobody can claim the lane")
	}
}

// TestSettleMovesOnce: a repeated settlement, and one of a lost claim, change
// nothing.
func TestSettleMovesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	k.says("two")
	_, work := k.work("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	before := *k.lane("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	if got := *k.lane("all"); got != before {
		t.Errorf("the second settlement moved the lane from %+v to %+v", before, got)
	}
	_, work = k.work("all")
	k.must(w.ReleaseLanes(w.ctx))
	_, other := k.work("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked})
	if got := k.lane("all"); got == nil || got.Epoch != other.Lane.Epoch || got.NextSeq != other.Entry.Seq {
		t.Errorf("who had lost the claim moved the lane: %+v", got)
	}
}

// TestAnswerOfALostClaimShowsNothing: the answer is fenced with its settlement.
func TestAnswerOfALostClaimShowsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("hello")
	_, work := k.work("demo")
	k.must(w.ReleaseLanes(w.ctx))
	_, other := k.work("demo")
	answer := func(work *chat.Work) error {
		_, err := w.Answer(w.ctx, w.bot("demo"), chat.Answer{
			ConversationID: k.id, Question: work.Asked.Seq, Version: work.Entry.Version, Messages: said("hi"),
			Settle: &chat.Settlement{Work: work, State: chat.DeliveryDelivered},
		})
		return err
	}
	before := len(k.log())
	if err := answer(work); chat.ErrorCode(err) != chat.CodeConflict {
		t.Errorf("the answer under a lost claim: %v", err)
	}
	if got := len(k.log()); got != before {
		t.Errorf("it appended %d events", got-before)
	}
	k.must(answer(other))
	if err := answer(other); chat.ErrorCode(err) != chat.CodeConflict {
		t.Errorf("the same answer again: %v", err)
	}
	if got := len(k.log()); got != before+1 {
		t.Errorf("two tries of one answer appended %d events", got-before)
	}
}

// TestReleaseClaims: unsent lanes are due again at once, under nobody's claim.
func TestReleaseClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	_, work := k.work("all")
	k.must(w.ReleaseClaims(w.ctx, []chat.Lane{work.Lane}))
	if _, again := k.work("all"); again == nil || again.Entry.Seq != work.Entry.Seq {
		t.Errorf("claimed again: %+v", again)
	}
	k.must(w.ReleaseClaims(w.ctx, []chat.Lane{work.Lane}))
	if _, third := k.work("all"); third != nil {
		t.Error("an old claim freed a newer one")
	}
}

// TestUnblockingUnderAClaim: a replay that unblocks a lane is not undone by
// whoever sends another replay of it at the time.
func TestUnblockingUnderAClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, blocked)
	k := w.talk(t, "shop")
	first := k.says("one")
	bad := k.says("two")
	k.says("three")
	_, work := k.work("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	_, work = k.work("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked, Reason: "not today"})
	if l := k.lane("all"); !l.Blocked || l.NextSeq != bad.Seq || l.Claimed {
		t.Fatalf("after parking the lane is %+v", l)
	}
	only := func(seq int64, state chat.DeliveryState) {
		t.Helper()
		n, err := w.Replay(w.ctx, w.system(), chat.DeliveryFilter{FromSeq: seq, ToSeq: seq, State: state})
		if n != 1 || err != nil {
			t.Fatalf("replayed %d, %v", n, err)
		}
	}
	only(first.Seq, chat.DeliveryDelivered)
	_, work = k.work("all")
	only(bad.Seq, chat.DeliveryParked)
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	var seqs []int64
	for _, work = k.work("all"); work != nil; _, work = k.work("all") {
		seqs = append(seqs, work.Entry.Seq)
		k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	}
	if len(seqs) != 2 || seqs[0] != bad.Seq || seqs[1] != bad.Seq+1 {
		t.Errorf("then %v were sent, want %d and %d", seqs, bad.Seq, bad.Seq+1)
	}
}

// TestWhyNoCallWasMade is kept where the owner looks.
func TestWhyNoCallWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	_, work := k.work("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked, Reason: "too old"})
	list, err := w.Deliveries(w.ctx, w.system(), chat.DeliveryFilter{})
	if err != nil || len(list) != 1 || list[0].LastError != "too old" || list[0].Attempts != 0 {
		t.Errorf("the log has %+v, %v", list, err)
	}
}

// TestSavingHealthUndoesNoPause: only PauseEndpoint resumes.
func TestSavingHealthUndoesNoPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.endpoint("all")
	is := func() chat.EndpointHealth {
		t.Helper()
		list, err := w.Health(w.ctx)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0]
	}
	save := func(h chat.EndpointHealth) {
		t.Helper()
		h.EndpointID, h.TenantID = e.ID, e.TenantID
		if err := w.SaveHealth(w.ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	save(chat.EndpointHealth{FailingSince: 5})
	if h := is(); h.FailingSince != 5 || h.Paused {
		t.Errorf("saved %+v", h)
	}
	if err := w.PauseEndpoint(w.ctx, w.system(), e.ID, true, "maintenance"); err != nil {
		t.Fatal(err)
	}
	save(chat.EndpointHealth{FailingSince: 7})
	if h := is(); !h.Paused || h.Reason != "maintenance" {
		t.Errorf("an engine that knew nothing of it resumed the endpoint: %+v", h)
	}
	if err := w.PauseEndpoint(w.ctx, w.system(), e.ID, false, ""); err != nil {
		t.Fatal(err)
	}
	save(chat.EndpointHealth{Paused: true, Reason: "410"})
	if h := is(); !h.Paused || h.Reason != "410" {
		t.Errorf("a pause was not saved: %+v", h)
	}
}

// TestAnAnsweredQuestionIsKnown: a question that was answered by API needs no
// call any more (specs/delivery.md).
func TestAnAnsweredQuestionIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) {
		s.Bots[0] = chat.Bot{Name: "demo", Kind: chat.BotWebhook, MessageURL: "http://127.0.0.1:1/bot"}
	})
	k := w.talk(t, "shop")
	k.says("one")
	one := k.question()
	k.says("two")
	k.must(k.replyTo(one, chat.Answer{Messages: said("re: one")}))
	_, work := k.work("demo")
	if !work.Answered || work.Entry.Seq != one.Seq {
		t.Errorf("the first question: %+v", work)
	}
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	_, work = k.work("demo")
	if work == nil || work.Answered {
		t.Errorf("the second question: %+v", work)
	}
}
