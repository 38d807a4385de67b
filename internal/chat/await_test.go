package chat_test

import (
	"context"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const half = 30 * time.Second

// answerHead is the first entry of the latest answer.
func (k *talk) answerHead() chat.Entry {
	k.t.Helper()
	log := k.log()
	for i := len(log) - 1; i >= 0; i-- {
		if e := log[i]; e.Author != chat.AuthorClient && e.Data.QuestionID != "" &&
			(e.Kind == chat.EventMessageCreated || e.Kind == chat.EventBotSilent) {
			return log[i]
		}
	}
	k.t.Fatalf("there is no answer:\n%v", k.story())
	return chat.Entry{}
}

// isSynced says that the latest answer went back in its call, and nowhere else.
func (k *talk) isSynced(question string) {
	k.t.Helper()
	head := k.answerHead()
	if !head.Data.Synced || head.Data.QuestionID != question {
		k.t.Errorf("the answer is %+v, want it in the call, as %s", head.Data, question)
	}
	if ids := k.webhooked(); len(ids) > 0 {
		k.t.Errorf("the webhook is sent %v too", ids)
	}
}

// isLate says that the latest answer goes by the webhook, under an id of its own.
func (k *talk) isLate(question string) {
	k.t.Helper()
	head := k.answerHead()
	if head.Data.Synced || head.Data.QuestionID == question || head.Data.QuestionID == "" {
		k.t.Errorf("the answer is %+v, want it late, and not as %s", head.Data, question)
	}
	if ids := k.webhooked(); len(ids) != 1 || ids[0] != head.Data.QuestionID {
		k.t.Errorf("the webhook is sent %v, want %v", ids, head.Data.QuestionID)
	}
	if s := k.statusOf(question); s != chat.StatusSent {
		k.t.Errorf("the question's id leads to status %q", s)
	}
}

// TestAnsweredInTime: the answer goes back in the call, whole, and nowhere else
// (specs/chatapi.md §2.4).
func TestAnsweredInTime(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a, waits := k.asksAndWaits("one")
		time.Sleep(half - time.Nanosecond)
		waits.stillWaits()
		k.hears("two", "three")
		waits.gets("two", "three")
		if waits.id != a.QuestionID {
			t.Errorf("the answer is %s, want the question's %s", waits.id, a.QuestionID)
		}
		k.isSynced(a.QuestionID)
	})
}

// TestAnswerBeforeTheWait: it came between the accept and the wait.
func TestAnswerBeforeTheWait(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{Wait: half})
		k.hears("two")
		k.awaits(w.ctx, w.Service, a, half).gets("two")
		k.isSynced(a.QuestionID)
	})
}

// TestDeadline: who has waited in vain gets a timeout, and the answer is late.
func TestDeadline(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a, waits := k.asksAndWaits("one")
		waits.fails(chat.CodeTimeout)
		if waits.took != half {
			t.Errorf("it took %v", waits.took)
		}
		if _, err := w.AnswerStatus(w.ctx, k.caller(), k.client, a.QuestionID); chat.ErrorCode(err) != chat.CodeNotFound {
			t.Errorf("the status before the answer: %v", err)
		}
		k.hears("two")
		k.isLate(a.QuestionID)
	})
}

// TestLateByAHair: the deadline has passed and the caller does not know it yet.
// The answer goes one way, not both.
func TestLateByAHair(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{Wait: half})
		time.Sleep(time.Second)
		waits := k.awaits(w.ctx, w.Service, a, half)
		time.Sleep(half - time.Second)
		waits.stillWaits()
		k.hears("two")
		waits.fails(chat.CodeTimeout)
		k.isLate(a.QuestionID)
	})
}

// TestHangUp: a caller that has gone gets nothing; the answer is late at once.
func TestHangUp(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{Wait: half})
		ctx, hangUp := context.WithCancel(w.ctx)
		waits := k.awaits(ctx, w.Service, a, half)
		waits.stillWaits()
		hangUp()
		waits.hangsUp()
		k.hears("two")
		k.isLate(a.QuestionID)
	})
}

// TestTwoWaitersOneHangsUp: the other still gets the answer.
func TestTwoWaitersOneHangsUp(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		first := k.asks("one", chat.Question{ID: "q", Wait: half})
		second := k.asks("one", chat.Question{ID: "q", Wait: half})
		if !second.Duplicate || second.Seq != first.Seq {
			t.Fatalf("the repeated question is %+v, after %+v", second, first)
		}
		ctx, hangUp := context.WithCancel(w.ctx)
		gone := k.awaits(ctx, w.Service, first, half)
		stays := k.awaits(w.ctx, w.Service, second, half)
		stays.stillWaits()
		hangUp()
		gone.hangsUp()
		k.hears("two")
		stays.gets("two")
		k.isSynced("q")
	})
}

// TestManyWaiters of one question all get its answer.
func TestManyWaiters(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		var all []*wait
		for range 100 {
			all = append(all, k.awaits(w.ctx, w.Service, k.asks("one", chat.Question{ID: "q", Wait: half}), half))
		}
		all[99].stillWaits()
		k.hears("two")
		for _, one := range all {
			one.gets("two")
		}
		if n := len(k.tell(k.log())); n != 3 {
			t.Errorf("one turn is %d entries: %q", n, k.story())
		}
	})
}

// TestSessionLeaves: the caller gets what was said so far when the session
// leaves the bot or closes, maybe nothing.
func TestSessionLeaves(t *testing.T) {
	waiting(t, func(w *world) {
		for name, tt := range map[string]struct {
			leaves func(k *talk)
			texts  []string
		}{
			"handover": {func(k *talk) { k.must(k.reply(chat.Answer{Handover: &chat.Handover{}})) }, nil},
			"handover with a message": {func(k *talk) {
				k.must(k.reply(chat.Answer{Messages: said("wait"), Handover: &chat.Handover{}}))
			}, []string{"wait"}},
			"flag operator":     {func(k *talk) { k.flags(map[string]bool{"operator": true}) }, nil},
			"an operator takes": {func(k *talk) { k.takes("ann") }, nil},
			"an operator closes": {func(k *talk) {
				k.takes("ann")
				k.closes("ann")
			}, nil},
			"an operator writes": {func(k *talk) { k.writes("ann", "I am here") }, nil},
			"the bot closes":     {func(k *talk) { k.must(k.reply(chat.Answer{Close: true})) }, nil},
			"the bot closes with a message": {func(k *talk) {
				k.must(k.reply(chat.Answer{Messages: said("bye"), Close: true}))
			}, []string{"bye"}},
			"the last bot fails": {func(k *talk) { k.fails(); k.fails() }, nil},
		} {
			k := w.talk(t, "app")
			_, waits := k.asksAndWaits("one")
			tt.leaves(k)
			waits.gets(tt.texts...)
			if waits.took >= half {
				t.Errorf("%s: it took %v", name, waits.took)
			}
		}
	})
}

// fails lets the bot that was asked last fail.
func (k *talk) fails() {
	k.t.Helper()
	q := k.question()
	_, work := k.work(k.bots2()[q.BotID])
	_, err := k.BotFailed(k.ctx, chat.Actor{Kind: chat.ActorBot, TenantID: q.TenantID, ID: q.BotID}, work,
		chat.Settlement{Work: work, State: chat.DeliveryParked, Reason: "it is down"})
	k.must(err)
}

func (k *talk) bots2() map[chat.ID]string {
	names := map[chat.ID]string{}
	for _, b := range k.Catalog().Bots() {
		names[b.ID] = b.Name
	}
	return names
}

// TestNextBotAnswers: a bot that fails is no end while there is another one.
func TestNextBotAnswers(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a, waits := k.asksAndWaits("one")
		k.fails()
		waits.stillWaits()
		k.hears("two")
		waits.gets("two")
		k.isSynced(a.QuestionID)
	})
}

// TestSilence: a bot that says nothing ends the wait with nothing, and makes no
// answer to count or to deliver.
func TestSilence(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a, waits := k.asksAndWaits("one")
		k.must(k.reply(chat.Answer{Class: "/quiet"}))
		waits.gets()
		k.isSynced(a.QuestionID)
		k.isSilent(a.QuestionID)
		b := k.asks("two", chat.Question{})
		k.must(k.reply(chat.Answer{Class: "/quiet"}))
		k.isSilent(b.QuestionID)
		c, waits := k.asksAndWaits("three")
		waits.fails(chat.CodeTimeout)
		k.must(k.reply(chat.Answer{Class: "/quiet"}))
		k.isSilent(c.QuestionID)
	})
}

// isSilent says that a question was answered by nothing.
func (k *talk) isSilent(question string) {
	k.t.Helper()
	if ids := k.webhooked(); len(ids) > 0 {
		k.t.Errorf("the webhook is sent silence: %v", ids)
	}
	if n, err := k.Unread(k.ctx, k.caller(), k.client); n != 0 || err != nil {
		k.t.Errorf("%d unread, %v", n, err)
	}
	if _, err := k.AnswerStatus(k.ctx, k.caller(), k.client, question); chat.ErrorCode(err) != chat.CodeNotFound {
		k.t.Errorf("silence has a status: %v", err)
	}
}

// TestNobodyIsAsked: where no bot is asked the caller is told so at once.
func TestNobodyIsAsked(t *testing.T) {
	waiting(t, func(w *world) {
		for _, task := range []string{"desk", "paused", "muted", "limited"} {
			k := w.talk(t, "app")
			k.task = task
			if task == "muted" {
				k.task = "app"
				k.asks("one", chat.Question{})
				k.hears("two")
				k.flags(map[string]bool{"close": true})
			}
			a, waits := k.asksAndWaits("three")
			waits.gets()
			if waits.took != 0 {
				t.Errorf("%s: it took %v", task, waits.took)
			}
			if _, err := w.AnswerStatus(w.ctx, k.caller(), k.client, a.QuestionID); chat.ErrorCode(err) != chat.CodeNotFound {
				t.Errorf("%s: nobody's answer has a status: %v", task, err)
			}
		}
	}, func(s *chat.Setup) {
		s.Tasks = append(s.Tasks,
			chat.Task{Name: "paused", Channel: "app", Bot: "demo", Status: chat.TaskPaused},
			chat.Task{Name: "limited", Channel: "app", Bot: "demo", Limit: &chat.TaskLimit{Messages: 1}})
	})
}

// TestWaitingProcess: a process that waits counts while it lives. One that is
// gone waits no more.
func TestWaitingProcess(t *testing.T) {
	for name, lives := range map[string]bool{"lives": true, "is gone": false} {
		waiting(t, func(w *world) {
			other := w.process()
			w.neighbours.set(other.Process(), lives)
			k := w.talk(t, "app")
			a, err := k.askedBy(other, name, chat.Question{Wait: time.Minute})
			k.must(err)
			waits := k.awaits(w.ctx, other, a, time.Minute)
			waits.stillWaits()
			k.hears("two") // in this process: the other one hears nothing of it
			if !lives {    // or is taken for gone: the answer goes one way all the same
				waits.fails(chat.CodeTimeout)
				k.isLate(a.QuestionID)
				return
			}
			waits.gets("two")
			if waits.took != time.Second {
				t.Errorf("another process's answer was found after %v", waits.took)
			}
			k.isSynced(a.QuestionID)
		})
	}
}

// TestRestart: what a process waited for is late in the one that follows it.
func TestRestart(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{Wait: time.Minute})
		w.Service = w.process()
		k.hears("two")
		k.isLate(a.QuestionID)
	})
}
