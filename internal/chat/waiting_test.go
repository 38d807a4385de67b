package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// waiting is a world whose time is that of a bubble: it passes only while
// everybody waits. Acme's Chat API channel has a webhook.
func waiting(t *testing.T, test func(w *world), edits ...func(*chat.Setup)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{ctx: t.Context(), clock: newClock(), woken: &wakes{}, bots: &directory{}}
		w.store, w.shut = openStore(t, time.Now)
		w.Service = w.process()
		setup := company("acme", "")
		setup.Channels[1].WebhookURL = "http://127.0.0.1:1/answers"
		for _, edit := range edits {
			edit(&setup)
		}
		w.apply(t, setup, company("rival", "-rival"))
		w.tenant = w.Catalog().TenantByName("acme").ID
		test(w)
		w.shut()
	})
}

// neighbours are the processes that live, by name.
type neighbours struct {
	mu    sync.Mutex
	alive map[string]bool
}

func (n *neighbours) set(process string, alive bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.alive == nil {
		n.alive = map[string]bool{}
	}
	n.alive[process] = alive
}

// lively is a store that several processes share.
type lively struct {
	chat.Store
	neighbours *neighbours
}

// Update implements chat.Store.
func (s lively) Update(ctx context.Context, p chat.Priority, fn func(tx chat.Tx) error) error {
	return s.Store.Update(ctx, p, func(tx chat.Tx) error { return fn(livelyTx{tx, s.neighbours}) })
}

type livelyTx struct {
	chat.Tx
	neighbours *neighbours
}

// ProcessLives implements chat.ExchangeReader.
func (t livelyTx) ProcessLives(process string) (bool, error) {
	t.neighbours.mu.Lock()
	defer t.neighbours.mu.Unlock()
	return t.neighbours.alive[process], nil
}

// process is another server at the same database, which knows the settings.
func (w *world) process() *chat.Service {
	s, err := chat.New(w.ctx, chat.Options{
		Store: lively{w.store, &w.neighbours}, Bus: hub.New(), Waker: w.woken, Passwords: passwords{}, Bots: w.bots,
		Formats: []string{"native", chat.FormatChatAPI}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err) // a world that worked before does not start again
	}
	return s
}

// asks sends a question as a caller of the channel, which must work.
func (k *talk) asks(text string, q chat.Question) chat.Accepted {
	k.t.Helper()
	a, err := k.askedBy(k.Service, text, q)
	k.must(err)
	return a
}

func (k *talk) askedBy(s *chat.Service, text string, q chat.Question) (chat.Accepted, error) {
	in := k.incoming()
	in.Question = &q
	a, err := s.ClientMessage(k.ctx, k.caller(), chat.ClientMessage{Incoming: in, Content: chat.Content{Text: text}})
	if err == nil {
		k.id = a.ConversationID
	}
	return a, err
}

// does sends a client's event as a caller of the channel, which must work.
func (k *talk) does(name string, payload string, q chat.Question) chat.Accepted {
	k.t.Helper()
	in := k.incoming()
	in.Question = &q
	a, err := k.ClientEvent(k.ctx, k.caller(), chat.ClientEvent{Incoming: in, Name: name, Payload: json.RawMessage(payload)})
	k.must(err)
	k.id = a.ConversationID
	return a
}

// caller is whoever holds the token of the channel that the talk is on.
func (k *talk) caller() chat.Actor { return k.channel(k.world.task(k.task).Channel.Token) }

// wait is a caller that waits for an answer.
type wait struct {
	t     tester
	ended chan struct{}
	texts []string
	id    string // the answer's
	err   error
	took  time.Duration
}

// awaits begins to wait; q.Wait long unless the caller hangs up before.
func (k *talk) awaits(ctx context.Context, s *chat.Service, a chat.Accepted, most time.Duration) *wait {
	w, begun := &wait{t: k.t, ended: make(chan struct{})}, time.Now()
	go func() {
		defer close(w.ended)
		found, err := s.AwaitAnswer(ctx, k.caller(), a, most)
		w.err, w.took = err, time.Since(begun)
		for i := range found.Entries {
			if w.id == "" {
				w.id = found.Entries[i].Data.QuestionID
			}
			if m := found.Entries[i].Message; m != nil {
				w.texts = append(w.texts, m.Content.Text)
			}
		}
	}()
	return w
}

// asksAndWaits asks a question whose caller waits half a minute.
func (k *talk) asksAndWaits(text string) (chat.Accepted, *wait) {
	k.t.Helper()
	a := k.asks(text, chat.Question{Wait: 30 * time.Second})
	w := k.awaits(k.ctx, k.Service, a, 30*time.Second)
	synctest.Wait()
	return a, w
}

// gets waits for the end and compares the answer.
func (w *wait) gets(texts ...string) {
	w.t.Helper()
	<-w.ended
	if w.err != nil {
		w.t.Fatalf("waiting for the answer: %v", w.err)
	}
	equalTexts(w.t, "the caller gets", w.texts, texts)
}

// fails waits for the end without an answer.
func (w *wait) fails(code chat.Code) {
	w.t.Helper()
	<-w.ended
	if chat.ErrorCode(w.err) != code || len(w.texts) > 0 {
		w.t.Fatalf("the caller gets %q, %v; want %s", w.texts, w.err, code)
	}
}

// hangsUp waits for the end of a wait whose caller has gone.
func (w *wait) hangsUp() {
	w.t.Helper()
	<-w.ended
	if !errors.Is(w.err, context.Canceled) {
		w.t.Fatalf("the caller that hung up gets %q, %v", w.texts, w.err)
	}
}

// stillWaits says that nothing has ended the wait.
func (w *wait) stillWaits() {
	w.t.Helper()
	synctest.Wait()
	select {
	case <-w.ended:
		w.t.Fatalf("the wait has ended with %q, %v", w.texts, w.err)
	default:
	}
}

func equalTexts(t tester, what string, got, want []string) {
	t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if len(got) != len(want) {
		t.Fatalf("%s %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s %q, want %q", what, got, want)
		}
	}
}

// webhooked is what the channel's webhook is due to be sent, as ids of answers.
func (k *talk) webhooked() (ids []string) {
	k.t.Helper()
	for w, _ := k.next("app"); w != nil; w, _ = k.next("app") {
		ids = append(ids, w.Entry.Data.QuestionID)
		k.settles(chat.Settlement{Work: w, State: chat.DeliveryDelivered})
	}
	return ids
}
