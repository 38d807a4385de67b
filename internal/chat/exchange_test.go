package chat_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestRepeatedQuestion: the same id with the same words within 24 hours is the
// same message (specs/chatapi.md §2.4).
func TestRepeatedQuestion(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		first := k.asks("one", chat.Question{ID: "q", CID: "A"})
		again := k.asks("one", chat.Question{ID: "q", CID: "B"})
		if !again.Duplicate || again.Seq != first.Seq || again.MessageID != first.MessageID || again.At != first.At ||
			again.QuestionID != "q" || !again.NewSession || first.Duplicate || !first.NewSession {
			t.Errorf("the same message is %+v, then %+v", first, again)
		}
		k.hears("two")
		time.Sleep(24*time.Hour - 2*time.Microsecond)
		last := k.asks("one", chat.Question{ID: "q", Wait: half})
		k.awaits(w.ctx, w.Service, last, half).gets("two")
		time.Sleep(2 * time.Microsecond)
		other := k.asks("one", chat.Question{ID: "q"})
		if other.Duplicate || other.QuestionID == "q" || other.Seq == first.Seq {
			t.Errorf("after 24 hours it is %+v", other)
		}
		k.sees(everything, "asked one", "bot two", "asked one")
	})
}

// TestOtherContent: a known id with other content is another message, under an
// id of its own; of another client it is free.
func TestOtherContent(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{ID: "q"})
		for name, a := range map[string]chat.Accepted{
			"other words":                 k.asks("two", chat.Question{ID: "q"}),
			"an event":                    k.does("one", `1`, chat.Question{ID: "q"}),
			"the same words, without one": k.asks("one", chat.Question{}),
		} {
			if a.Duplicate || !isUUID4(a.QuestionID) {
				t.Errorf("%s: %+v", name, a)
			}
		}
		e := k.does("started", `{"data":1}`, chat.Question{ID: "e"})
		if again := k.does("started", `{"data":2}`, chat.Question{ID: "e"}); !again.Duplicate || again.Seq != e.Seq {
			t.Errorf("the same event with other data is %+v, after %+v", again, e)
		}
		other := w.talk(t, "app")
		if a := other.asks("one", chat.Question{ID: "q"}); a.Duplicate || a.QuestionID != "q" {
			t.Errorf("another client's is %+v", a)
		}
		k.hears("answer")
		id := k.answerHead().Data.QuestionID
		k.writes("ann", "here")
		operators := k.answerHead().Data.QuestionID
		for _, taken := range []string{id, operators} {
			if a := k.asks("new words", chat.Question{ID: taken}); a.Duplicate || a.QuestionID == taken {
				t.Errorf("under an id of an answer it is %+v", a)
			}
		}
	})
}

func isUUID4(id string) bool {
	return len(id) == 36 && id[14] == '4' && strings.ContainsRune("89ab", rune(id[19])) && strings.Count(id, "-") == 4
}

// TestQuestionAtOnce: a hundred callers with one question are one turn.
func TestQuestionAtOnce(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		in := k.incoming()
		in.Question = &chat.Question{ID: "q", Wait: half}
		made := make([]chat.Accepted, 100)
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() {
				var err error
				made[i], err = w.ClientMessage(w.ctx, k.caller(), chat.ClientMessage{Incoming: in, Content: chat.Content{Text: "one"}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		k.id = made[0].ConversationID
		fresh := 0
		for _, a := range made {
			if !a.Duplicate {
				fresh++
			}
			if a.Seq != made[0].Seq || a.QuestionID != "q" {
				t.Errorf("%+v is another message than %+v", a, made[0])
			}
		}
		if fresh != 1 {
			t.Errorf("%d are the first", fresh)
		}
		k.sees(everything, "asked one")
	})
}

// TestRepeatedWhileItWaits: who repeats a question is waited for as long as he
// says; who repeats an answered one gets the answer, late or not.
func TestRepeatedWhileItWaits(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		first := k.asks("one", chat.Question{ID: "q", Wait: half})
		waits := k.awaits(w.ctx, w.Service, first, half)
		time.Sleep(20 * time.Second)
		again := k.asks("one", chat.Question{ID: "q", Wait: half})
		longer := k.awaits(w.ctx, w.Service, again, half)
		waits.fails(chat.CodeTimeout)
		time.Sleep(15 * time.Second)
		k.hears("two")
		longer.gets("two")
		k.isSynced("q")

		late, waits := k.asksAndWaits("three")
		waits.fails(chat.CodeTimeout)
		k.hears("four")
		k.isLate(late.QuestionID)
		once := k.asks("three", chat.Question{ID: late.QuestionID, Wait: half})
		got := k.awaits(w.ctx, w.Service, once, half)
		got.gets("four")
		if got.id == late.QuestionID {
			t.Error("the late answer has the question's id")
		}
		k.reports(late.QuestionID, chat.StatusRead)
		if s := k.statusOf(got.id); s != chat.StatusRead {
			t.Errorf("reported under the question's id, the late answer is %s", s)
		}
	})
}

// TestAsyncAskedAgain: a question nobody waited for, repeated by one who does.
func TestAsyncAskedAgain(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{ID: "q"})
		again := k.asks("one", chat.Question{ID: "q", Wait: half})
		waits := k.awaits(w.ctx, w.Service, again, half)
		waits.stillWaits()
		k.hears("two")
		waits.gets("two")
		k.isSynced("q")
	})
}

// TestAnswersOfTheirOwn: what nobody asked for has an id of its own, goes to the
// webhook in the order of the log, and counts as unread.
func TestAnswersOfTheirOwn(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		a := k.asks("one", chat.Question{ID: "q"})
		k.must(k.reply(chat.Answer{
			Messages: said("two"), Late: []chat.LateAnswer{{After: chat.Duration(time.Minute), Messages: said("three", "four")}},
		}))
		time.Sleep(time.Minute)
		w.fire(t)
		k.writes("ann", "five")
		k.unread(3)
		var want []string
		for _, e := range k.polls(everything).Envelopes {
			if e.Type != chat.EnvelopeRequest {
				want = append(want, e.Head().Data.QuestionID)
			}
		}
		if len(want) != 3 || want[0] != a.QuestionID || !isUUID4(want[1]) || !isUUID4(want[2]) || want[1] == want[2] {
			t.Errorf("the answers are %q", want)
		}
		equalTexts(t, "the webhook is sent", k.webhooked(), want)
	})
}

// TestWebhookOfHandover: a switch without words is an answer to deliver.
func TestWebhookOfHandover(t *testing.T) {
	waiting(t, func(w *world) {
		for _, a := range []chat.Answer{{Handover: &chat.Handover{}}, {Flags: []chat.Flags{chat.FlagOperator}}} {
			k := w.talk(t, "app")
			asked := k.asks("one", chat.Question{})
			k.must(k.reply(a))
			equalTexts(t, "the webhook is sent", k.webhooked(), []string{asked.QuestionID})
			if s := k.statusOf(asked.QuestionID); s != chat.StatusSent {
				t.Errorf("it is %s", s)
			}
			k.sees(everything, "asked one", "bot")
		}
	})
}

// TestQuestionLimits: an id of 128 characters, of any kind, and a connection of
// 256 bytes.
func TestQuestionLimits(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		longest := chat.Question{ID: strings.Repeat("й", 128), CID: strings.Repeat("c", 256)}
		if a := k.asks("one", longest); a.QuestionID != longest.ID {
			t.Errorf("its id is %s", a.QuestionID)
		}
		for _, q := range []chat.Question{{ID: longest.ID + "й"}, {CID: longest.CID + "c"}} {
			_, err := k.askedBy(w.Service, "two", q)
			wantCode(t, err, chat.CodeInvalid)
		}
	})
}

// TestMailKey: replies and forwards belong to the letter they answer.
func TestMailKey(t *testing.T) {
	for subject, want := range map[string]string{
		"": "", "Order": "order", "Re: Order": "order", " RE:  Fwd: re[2]: FW(3): Order  7 ": "order 7", "Отв: Пер: Заказ": "заказ",
		"Regarding: x": "regarding: x", "Re:": "", "Order re: x": "order re: x", strings.Repeat("й", 300): strings.Repeat("й", 250),
		"a" + strings.Repeat("й", 300): "a" + strings.Repeat("й", 249),
	} {
		if got := chat.MailKey(subject); got != want {
			t.Errorf("%q has the key %q, want %q", subject, got, want)
		}
	}
}
