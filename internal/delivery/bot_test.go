package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// thinker is a bot whose turns are scripted.
type thinker struct {
	mu    sync.Mutex
	asked []question
	think func(ctx context.Context, q question) (chat.Answer, error)
}

type question struct {
	Bot, Client, Text string
	At                time.Time
	ID                string
	Work              *chat.Work
}

func (b *thinker) Turn(ctx context.Context, w *chat.Work) (chat.Answer, error) {
	q := question{Bot: w.Endpoint.Name, Client: w.Conversation.ExternalID, At: time.Now(), ID: w.WebhookID(), Work: w}
	if w.Asked.Message != nil {
		q.Text = w.Asked.Message.Content.Text
	}
	b.mu.Lock()
	b.asked = append(b.asked, q)
	think := b.think
	b.mu.Unlock()
	return think(ctx, q)
}

// thinks replaces the script.
func (b *thinker) thinks(think func(ctx context.Context, q question) (chat.Answer, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.think = think
}

func (b *thinker) questions() []question {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]question(nil), b.asked...)
}

// echo answers with what was said.
func echo(_ context.Context, q question) (chat.Answer, error) {
	return chat.Answer{Messages: []chat.Content{{Text: "re:" + q.Text}}}, nil
}

// inBotWorld adds the bot "demo" and, behind it on the route, "second", to the
// task "shop"; both are the thinker, which echoes at first.
func inBotWorld(t *testing.T, edit func(s *chat.Setup, o *delivery.Options), fn func(w *world, b *thinker)) {
	b := &thinker{think: echo}
	inWorld(t, func(s *chat.Setup, o *delivery.Options) {
		s.Bots = []chat.Bot{{Name: "demo", Kind: chat.BotScenario, Scenario: "x"}, {Name: "second", Kind: chat.BotScenario, Scenario: "x"}}
		s.Tasks[0].Route = chat.TaskRoute{Points: []chat.Point{{Bot: "demo"}, {Anyone: true}}}
		o.Bots[chat.BotScenario] = b
		if edit != nil {
			edit(s, o)
		}
	}, func(w *world) { fn(w, b) })
}

// told is the log of a conversation in short: messages by their text, changes
// of the owner by their reason.
func (w *world) told(conversation chat.ID) string {
	w.t.Helper()
	var parts []string
	err := w.store.View(context.Background(), func(r chat.Reader) error {
		entries, err := r.Events(w.tenant, conversation, 0, 1000)
		for _, e := range entries {
			switch e.Kind {
			case chat.EventMessageCreated:
				parts = append(parts, e.Message.Content.Text)
			case chat.EventOwnerChanged:
				parts = append(parts, e.Data.Reason+">"+string(e.Data.To.Kind))
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(parts, " ")
}

// owner is who owns the conversation's session.
func (w *world) owner(conversation chat.ID) (kind chat.OwnerKind) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(r chat.Reader) error {
		c, err := r.Conversation(w.tenant, conversation)
		if err == nil {
			kind = c.Owner.Kind
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return kind
}

func (w *world) wantTold(conversation chat.ID, want string) {
	w.t.Helper()
	if got := w.told(conversation); got != want {
		w.t.Errorf("the log tells %q, want %q", got, want)
	}
}
