package chat_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// polls asks for events at once, which must work.
func (k *talk) polls(p chat.Poll) chat.Polled {
	k.t.Helper()
	p.ExternalID = k.client
	found, err := k.Poll(k.ctx, k.caller(), p)
	k.must(err)
	return found
}

// shown is what a poll shows, in words.
func shown(found chat.Polled) []string {
	words := []string{}
	for i := range found.Envelopes {
		e := &found.Envelopes[i]
		word := map[chat.EnvelopeType]string{
			chat.EnvelopeRequest: "asked", chat.EnvelopeBot: "bot", chat.EnvelopeOperator: "operator", chat.EnvelopeState: "state",
		}[e.Type]
		for j := range e.Entries {
			if m := e.Entries[j].Message; m != nil {
				word += " " + m.Content.Text
			}
		}
		if name := e.Head().Data.Name; name != "" {
			word += " " + name
		}
		words = append(words, word+string(e.State))
	}
	return words
}

// sees compares what a poll shows.
func (k *talk) sees(p chat.Poll, want ...string) {
	k.t.Helper()
	equalTexts(k.t, fmt.Sprintf("%+v shows", p), shown(k.polls(p)), want)
}

var everything = chat.Poll{All: true, Since: true}

// by is a poll of a connection that goes on where it stopped.
func by(cid string) chat.Poll { return chat.Poll{CID: cid, All: true} }

// TestEventsByDefault: operators' words only; with events_default outside every
// answer that did not go back in its call; with all, everything
// (specs/chatapi.md §4).
func TestEventsByDefault(t *testing.T) {
	for setting, want := range map[string][]string{
		"":                  {"operator here", "operator yes?"},
		chat.EventsOperator: {"operator here", "operator yes?"},
		chat.EventsOutside:  {"bot late", "bot later", "operator here", "operator yes?"},
	} {
		waiting(t, func(w *world) {
			k := w.talk(t, "app")
			k.dialogue()
			k.sees(chat.Poll{Since: true}, want...)
			k.sees(everything, "asked one", "bot synced", "asked two", "bot late", "bot later", "asked fileEvent", `state{"a":1}`,
				"operator here", "asked three", "operator yes?")
		}, func(s *chat.Setup) { s.Channels[1].EventsDefault = setting })
	}
}

// dialogue has one of everything, of connection A.
func (k *talk) dialogue() {
	k.t.Helper()
	a := k.asks("one", chat.Question{CID: "A", Wait: half})
	k.hears("synced")
	k.awaits(k.ctx, k.Service, a, half).gets("synced")
	k.asks("two", chat.Question{CID: "A"})
	k.must(k.reply(chat.Answer{Messages: said("late"), Late: []chat.LateAnswer{{After: chat.Duration(time.Second), Messages: said("later")}}}))
	time.Sleep(time.Second)
	k.fire(k.t)
	k.does("fileEvent", `[1]`, chat.Question{CID: "A"})
	k.saves(`{"a":1}`, "A")
	k.writes("ann", "here")
	k.asks("three", chat.Question{CID: "A"})
	k.writes("ann", "yes?")
}

func (k *talk) saves(state, cid string) {
	k.t.Helper()
	in := k.incoming()
	in.Question = &chat.Question{CID: cid}
	k.must(k.SaveClientState(k.ctx, k.caller(), in, []byte(state)))
}

// TestConnectionFilter: what a connection has seen already, or only its own
// (specs/chatapi.md §5).
func TestConnectionFilter(t *testing.T) {
	own := []string{"asked one", "bot synced", "asked two", "bot late", "asked fileEvent", `state{"a":1}`, "asked three"}
	rest := []string{"bot later", "operator here", "operator yes?"}
	all := []string{
		"asked one", "bot synced", "asked two", "bot late", "bot later", "asked fileEvent", `state{"a":1}`,
		"operator here", "asked three", "operator yes?",
	}
	for _, tt := range []struct {
		filter, cid string
		want        []string
	}{
		{chat.CIDExcludeOwn, "A", []string{"bot late", "bot later", "operator here", "operator yes?"}},
		{chat.CIDExcludeOwn, "B", all},
		{chat.CIDExcludeOwn, "", all},
		{chat.CIDOnlyOwn, "A", all},
		{chat.CIDOnlyOwn, "B", rest},
		{chat.CIDOnlyOwn, "", all},
	} {
		waiting(t, func(w *world) {
			k := w.talk(t, "app")
			k.dialogue()
			p := everything
			p.CID = tt.cid
			k.sees(p, tt.want...)
		}, func(s *chat.Setup) { s.Channels[1].CIDFilter = tt.filter })
	}
	if len(own)+len(rest) != len(all) {
		t.Error("the lists of this test are wrong")
	}
}

// TestFirstContact: a connection with an id is shown nothing older than its
// first request, state or poll; and everything when it says from when.
func TestFirstContact(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{})
		k.asks("two", chat.Question{CID: "A"})
		k.saves(`{}`, "B")
		k.asks("three", chat.Question{})
		k.sees(by("A"), "state{}", "asked three")
		k.sees(by("B"), "asked three")
		k.sees(by("C"))
		k.asks("four", chat.Question{})
		k.sees(by("C"), "asked four")
		k.sees(by("C"))
		k.sees(chat.Poll{CID: "D", All: true, Since: true}, "asked one", "asked two", "state{}", "asked three", "asked four")
		k.asks("five", chat.Question{}) // D was here before
		k.sees(chat.Poll{CID: "D", All: true, Since: true, From: 1 << 62})
		k.sees(by("D"), "asked five")
		k.sees(by("D"))
	})
}

// TestCursors: each connection reads on where it stopped, whatever others read
// and whatever is asked for by time.
func TestCursors(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.sees(by("")) // nobody knows the client
		k.asks("one", chat.Question{})
		k.sees(by(""), "asked one")
		k.sees(by("A"))
		k.asks("two", chat.Question{})
		k.sees(by("A"), "asked two")
		k.sees(by("A"))
		k.sees(everything, "asked one", "asked two")
		k.sees(by(""), "asked two")
		k.sees(by(""))
		k.asks("three", chat.Question{})
		for _, cid := range []string{"", "A"} {
			k.sees(by(cid), "asked three")
		}
		other := w.talk(t, "app")
		other.asks("mine", chat.Question{})
		other.sees(by(""), "asked mine")
		k.sees(by(""))
	})
}

// TestFirstPollOfNobody: without an id and a time, the first poll is shown what
// nobody was shown yet, and the next ones everything since.
func TestFirstPollOfNobody(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{}) // before anybody came
		k.asks("two", chat.Question{CID: "A"})
		k.sees(by("B"))
		k.asks("three", chat.Question{})
		k.sees(by("B"), "asked three")
		k.asks("four", chat.Question{})
		k.sees(by(""), "asked one", "asked two", "asked four")
		k.sees(by("B"), "asked four")
		k.asks("five", chat.Question{})
		k.sees(by("B"), "asked five")
		k.sees(by(""), "asked five")
	})
}

// TestPolledInVain: a poll that found nothing was a call too.
func TestPolledInVain(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{CID: "A"})
		k.sees(chat.Poll{})
		k.writes("ann", "here")
		k.sees(chat.Poll{CID: "A"}, "operator here")
		k.sees(chat.Poll{}, "operator here")
	})
}

// TestSinceIsInclusive to the microsecond.
func TestSinceIsInclusive(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{})
		time.Sleep(time.Millisecond)
		two := k.asks("two", chat.Question{})
		k.sees(chat.Poll{All: true, Since: true, From: two.At}, "asked two")
		k.sees(chat.Poll{All: true, Since: true, From: two.At + 1})
		k.sees(chat.Poll{All: true, Since: true, From: two.At - 1}, "asked two")
	})
}

// TestPages: 250 envelopes at most; the rest is reached by time and by cursor;
// an answer of many messages is one and is never cut.
func TestPages(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		texts := make([]string, chat.MaxAnswerMessages)
		for i := range texts {
			texts[i] = fmt.Sprint("m", i)
		}
		size := func(turn int) int {
			if turn == 10 || turn == 124 || turn == 129 {
				return len(texts)
			}
			return 1
		}
		const turns = 130 // 260 envelopes
		for i := range turns {
			k.asks(fmt.Sprint("q", i), chat.Question{})
			k.hears(texts[:size(i)]...)
		}
		whole := func(list []chat.Envelope, from int) {
			t.Helper()
			for i := range list {
				n := from + i
				want := 1
				if n%2 == 1 {
					want = size(n / 2)
				}
				if len(list[i].Entries) != want {
					t.Fatalf("envelope %d has %d messages, want %d", n, len(list[i].Entries), want)
				}
			}
		}
		first := k.polls(everything)
		if len(first.Envelopes) != chat.MaxPoll || !first.More {
			t.Fatalf("%d envelopes, more: %v", len(first.Envelopes), first.More)
		}
		whole(first.Envelopes, 0)
		rest := everything
		rest.From = first.Envelopes[chat.MaxPoll-1].Head().At + 1 // within an answer
		last := k.polls(rest)
		whole(last.Envelopes, chat.MaxPoll)
		if len(last.Envelopes) != 2*turns-chat.MaxPoll || last.More {
			t.Errorf("then %d envelopes, more: %v", len(last.Envelopes), last.More)
		}
		if found := k.polls(by("")); len(found.Envelopes) != chat.MaxPoll || !found.More {
			t.Errorf("by cursor %d envelopes, more: %v", len(found.Envelopes), found.More)
		}
		whole(k.polls(by("")).Envelopes, chat.MaxPoll)
		k.sees(by(""))
		k.asks("exactly", chat.Question{})
		from := k.polls(chat.Poll{All: true, Since: true, From: first.Envelopes[11].Head().At})
		if len(from.Envelopes) != chat.MaxPoll || from.More {
			t.Errorf("exactly a page is %d envelopes, more: %v", len(from.Envelopes), from.More)
		}
	})
}

// TestConversationsOfOneClient: several on one channel are one stream, in the
// order of time.
func TestConversationsOfOneClient(t *testing.T) {
	waiting(t, func(w *world) {
		re, other := w.talk(t, "app"), w.talk(t, "app")
		re.key, other.key, other.client = chat.MailKey("Re: Order"), chat.MailKey("Invoice"), re.client
		re.asks("order 1", chat.Question{})
		other.asks("invoice 1", chat.Question{})
		re.key = chat.MailKey("RE: Fwd:  order")
		re.asks("order 2", chat.Question{})
		re.hears("bot o")
		other.hears("bot i")
		if re.id == other.id {
			t.Fatal("two subjects are one conversation")
		}
		re.sees(everything, "asked order 1", "asked invoice 1", "asked order 2", "bot bot o", "bot bot i")
		if found := re.polls(everything); found.Envelopes[0].Head().ConversationID != found.Envelopes[2].Head().ConversationID {
			t.Error("one subject is two conversations")
		}
	})
}

// TestOneClientOnTwoChannels: a tenant's client is known on all its Chat API
// channels, and each shows its own part only.
func TestOneClientOnTwoChannels(t *testing.T) {
	waiting(t, func(w *world) {
		app, shop := w.talk(t, "app"), w.talk(t, "app")
		shop.task, shop.client = "second", app.client
		a := app.asks("in the app", chat.Question{ID: "same"})
		s := shop.asks("in the shop", chat.Question{ID: "same"})
		if s.Duplicate || s.QuestionID != "same" {
			t.Errorf("another channel's question is %+v", s)
		}
		app.hears("app")
		shop.hears("shop")
		app.saves(`{"app":1}`, "")
		app.sees(everything, "asked in the app", "bot app", `state{"app":1}`)
		shop.sees(everything, "asked in the shop", "bot shop")
		app.sees(by(""), "asked in the app", "bot app", `state{"app":1}`)
		shop.sees(by(""), "asked in the shop", "bot shop")
		shop.unread(1)
		app.reports(a.QuestionID, chat.StatusRead)
		shop.unread(1)
		if _, err := w.ClientState(w.ctx, shop.caller(), shop.client); chat.ErrorCode(err) != chat.CodeNotFound {
			t.Errorf("the state of another channel: %v", err)
		}
		h, err := w.History(w.ctx, shop.caller(), chat.HistoryQuery{ExternalID: shop.client, Limit: 9})
		shop.must(err)
		equalTexts(t, "the history", shown(h), []string{"asked in the shop", "bot shop"})
	}, func(s *chat.Setup) {
		s.Channels = append(s.Channels, chat.Channel{Name: "second", Kind: chat.ChannelChatAPI, Token: "second"})
		s.Tasks = append(s.Tasks, chat.Task{Name: "second", Channel: "second", Bot: "demo"})
	})
}

// poll is a caller that waits for events.
type poll struct {
	ended chan struct{}
	found chat.Polled
	err   error
	took  time.Duration
}

func (k *talk) waitsFor(ctx context.Context, p chat.Poll) *poll {
	out, begun := &poll{ended: make(chan struct{})}, time.Now()
	p.ExternalID = k.client
	go func() {
		defer close(out.ended)
		out.found, out.err = k.Poll(ctx, k.caller(), p)
		out.took = time.Since(begun)
	}()
	return out
}

// TestLongPoll: many wait for one client, known or not, and all are woken by
// what each of them is interested in, and by nothing else.
func TestLongPoll(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		var polls []*poll
		for i := range 50 {
			for _, p := range []chat.Poll{
				{Wait: time.Minute}, {Wait: time.Minute, Since: true}, {Wait: time.Minute, CID: "A"}, {Wait: time.Minute, CID: fmt.Sprint("tab", i)},
			} {
				polls = append(polls, k.waitsFor(w.ctx, p))
			}
		}
		synctest.Wait()
		quiet := func() {
			t.Helper()
			synctest.Wait()
			for _, p := range polls {
				select {
				case <-p.ended:
					t.Fatalf("a poll has ended with %q, %v", shown(p.found), p.err)
				default:
				}
			}
		}
		k.asks("one", chat.Question{}) // now somebody knows the client
		quiet()
		k.hears("two")
		k.saves("{}", "")
		quiet()
		w.talk(t, "app").asks("another client", chat.Question{})
		time.Sleep(10 * time.Second)
		quiet()
		k.writes("ann", "here")
		for _, p := range polls {
			<-p.ended
			if p.err != nil || p.took != 10*time.Second {
				t.Fatalf("after %v: %v", p.took, p.err)
			}
			equalTexts(t, "each is shown", shown(p.found), []string{"operator here"})
		}
		k.sees(chat.Poll{})
		k.sees(chat.Poll{CID: "A"})
		k.sees(chat.Poll{CID: "tab7"})
	})
}

// TestPollCeiling: a poll ends with nothing at its ceiling, at once when that is
// 0, and when its caller hangs up.
func TestPollCeiling(t *testing.T) {
	waiting(t, func(w *world) {
		known := w.talk(t, "app")
		known.asks("one", chat.Question{})
		for _, k := range []*talk{known, w.talk(t, "app")} {
			for _, wait := range []time.Duration{0, 20 * time.Second} {
				p := k.waitsFor(w.ctx, chat.Poll{Wait: wait})
				<-p.ended
				if p.err != nil || len(p.found.Envelopes) > 0 || p.found.More || p.took != wait {
					t.Errorf("after %v of %v: %+v, %v", p.took, wait, p.found, p.err)
				}
			}
			ctx, hangUp := context.WithCancel(w.ctx)
			p := k.waitsFor(ctx, chat.Poll{Wait: time.Minute})
			synctest.Wait()
			hangUp()
			<-p.ended
			if !errors.Is(p.err, context.Canceled) {
				t.Errorf("hung up: %v", p.err)
			}
		}
	})
}

// TestPollRefused names what is wrong.
func TestPollRefused(t *testing.T) {
	waiting(t, func(w *world) {
		long := string(make([]byte, 513))
		for name, tt := range map[string]struct {
			actor chat.Actor
			poll  chat.Poll
			code  chat.Code
		}{
			"no client":     {w.channel("app"), chat.Poll{}, chat.CodeMissing},
			"a long client": {w.channel("app"), chat.Poll{ExternalID: long}, chat.CodeTooLarge},
			"a long cid":    {w.channel("app"), chat.Poll{ExternalID: "x", CID: long[:257]}, chat.CodeInvalid},
			"no channel":    {w.bridge(), chat.Poll{ExternalID: "x"}, chat.CodeForbidden},
		} {
			_, err := w.Poll(w.ctx, tt.actor, tt.poll)
			if chat.ErrorCode(err) != tt.code {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// hasty is a store whose caller goes away while a change is made: it is made, and
// a caller that can be cancelled is told that it has been.
type hasty struct {
	chat.Store
	leave func()
}

func (s hasty) Update(ctx context.Context, p chat.Priority, fn func(tx chat.Tx) error) error {
	if err := s.Store.Update(ctx, p, fn); err != nil {
		return err
	}
	s.leave()
	return ctx.Err()
}

// TestCursorThatMovedAnyway: a poll that is cancelled while its cursor moves, by
// a server that stops, returns what the cursor moved past.
func TestCursorThatMovedAnyway(t *testing.T) {
	waiting(t, func(w *world) {
		k := w.talk(t, "app")
		k.asks("one", chat.Question{})
		ctx, cancel := context.WithCancel(w.ctx)
		other, err := chat.New(w.ctx, chat.Options{
			Store: hasty{w.store, cancel}, Bus: hub.New(), Waker: w.woken, Passwords: passwords{}, Bots: w.bots, Log: slog.New(slog.DiscardHandler),
		})
		k.must(err)
		found, err := other.Poll(ctx, k.caller(), chat.Poll{ExternalID: k.client, All: true})
		k.must(err)
		equalTexts(t, "it shows", shown(found), []string{"asked one"})
		k.sees(by(""))
	})
}
