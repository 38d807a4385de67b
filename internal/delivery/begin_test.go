package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

// begun is an observer that hands every try a context of its own.
type begun struct {
	mu    sync.Mutex
	lines []string
}

type tryKey struct{}

func (b *begun) begin(ctx context.Context, endpoint string, w *chat.Work) (context.Context, func(string, int)) {
	try := fmt.Sprintf("%s %d", endpoint, w.Entry.Seq)
	return context.WithValue(ctx, tryKey{}, try), func(outcome string, status int) {
		b.note(fmt.Sprintf("%s ended: %s %d", try, outcome, status))
	}
}

func (b *begun) note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

// under notes what the context says of the try.
func (b *begun) under(ctx context.Context, what string) {
	b.note(fmt.Sprintf("%v: %s", ctx.Value(tryKey{}), what))
}

// openSender notes the context of its calls.
type openSender struct {
	delivery.Sender
	begun *begun
}

func (s openSender) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	s.begun.under(ctx, "called")
	return s.Sender.Send(ctx, c)
}

func TestTriesRunUnderTheContextOfTheObserver(t *testing.T) {
	b := &begun{}
	inBotWorld(t, func(_ *chat.Setup, o *delivery.Options) {
		o.Sender = openSender{o.Sender, b}
		o.Observe.Begin = b.begin
	}, func(w *world, bot *thinker) {
		fail := true
		bot.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			b.under(ctx, "asked")
			if fail {
				fail = false
				return chat.Answer{}, errors.New("not today")
			}
			return echo(ctx, q)
		})
		w.receiver.answers(func(s sent) int {
			if s.Text == "hi" {
				return 503
			}
			return 200
		})
		w.say("shop", "42", "hi")
		w.pass(0)
		if got, want := b.take("hook"), []string{"acme/hook 2: called", "acme/hook 2 ended: retry 503"}; !slices.Equal(got, want) {
			t.Errorf("the webhook: %q, want %q", got, want)
		}
		w.receiver.answers(func(sent) int { return 200 })
		w.pass(10e9)
		want := []string{"acme/demo 2: asked", "acme/demo 2 ended: failed 0", "acme/demo 2: asked", "acme/demo 2 ended: answered 0"}
		if got := b.take("demo"); !slices.Equal(got, want) {
			t.Errorf("the bot: %q, want %q", got, want)
		}
		want = []string{"acme/hook 2: called", "acme/hook 2 ended: delivered 200", "acme/hook 3: called", "acme/hook 3 ended: delivered 200"}
		if got := b.take("hook"); !slices.Equal(got, want) {
			t.Errorf("the webhook: %q, want %q", got, want)
		}
	})
}

// take removes the lines of one endpoint and returns them.
func (b *begun) take(endpoint string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var taken, left []string
	for _, line := range b.lines {
		if strings.HasPrefix(line, "acme/"+endpoint+" ") {
			taken = append(taken, line)
		} else {
			left = append(left, line)
		}
	}
	b.lines = left
	return taken
}
