package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
)

func TestABotAnswersInOrder(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			time.Sleep(time.Second) // of thinking
			return echo(ctx, q)
		})
		a := w.say("shop", "ann", "a1")
		w.say("shop", "ann", "a2")
		w.pass(5 * time.Second)
		w.wantTold(a.ConversationID, "a1 a2 re:a1 re:a2")
		if got := w.receiver.arrived("ann"); got != "a1 a2 re:a1 re:a2" {
			t.Errorf("the webhook told %q", got)
		}
		if n := w.lanes("demo"); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
		for _, d := range w.deliveries("demo", "") {
			if d.State != chat.DeliveryDelivered || d.Attempts != 1 {
				t.Errorf("the log has %+v", d)
			}
		}
	})
}

func TestAFailingTurnIsTriedTwiceMoreThenTheSessionGoesOnVisibly(t *testing.T) {
	t.Parallel()
	failures := map[string]func(ctx context.Context, q question) (chat.Answer, error){
		"error": func(context.Context, question) (chat.Answer, error) { return chat.Answer{}, errors.New("no idea") },
		"panic": func(context.Context, question) (chat.Answer, error) { panic("no idea") },
		"silence": func(ctx context.Context, _ question) (chat.Answer, error) {
			<-ctx.Done()
			return chat.Answer{}, ctx.Err()
		},
		"too much": func(context.Context, question) (chat.Answer, error) {
			return chat.Answer{Messages: []chat.Content{{Text: strings.Repeat("x", chat.MaxAnswerText+1)}}}, nil
		},
	}
	for name, think := range failures {
		t.Run(name, func(t *testing.T) {
			inBotWorld(t, nil, func(w *world, b *thinker) {
				b.thinks(think)
				a := w.say("shop", "ann", "a1")
				w.pass(3 * time.Minute)
				w.wantTold(a.ConversationID, "a1 bot_failed>queue")
				asked := b.questions()
				if len(asked) != 3 {
					t.Fatalf("asked %d times, want a try and 2 retries", len(asked))
				}
				for _, q := range asked {
					if q.ID != asked[0].ID {
						t.Errorf("a retry has another id")
					}
				}
				parked := w.deliveries("demo", chat.DeliveryParked)
				if len(parked) != 1 || parked[0].Attempts != 3 || parked[0].LastError == "" {
					t.Errorf("the log has %+v", parked)
				}
				if n := w.lanes("demo"); n != 0 {
					t.Errorf("%d lanes are left", n)
				}
			})
		})
	}
}

func TestATurnHasADeadline(t *testing.T) {
	t.Parallel()
	limit := chat.Duration(7 * time.Second)
	for want, set := range map[time.Duration]*chat.Duration{30 * time.Second: nil, 7 * time.Second: &limit} {
		inBotWorld(t, func(s *chat.Setup, _ *delivery.Options) { s.Bots[0].CallTimeout = set }, func(w *world, b *thinker) {
			b.thinks(func(ctx context.Context, _ question) (chat.Answer, error) {
				<-ctx.Done()
				return chat.Answer{}, ctx.Err()
			})
			w.say("shop", "ann", "a1")
			w.pass(3 * time.Minute)
			asked := b.questions()
			if got := asked[1].At.Sub(asked[0].At); got < want || got > want+time.Second {
				t.Errorf("given up after %v, want %v", got, want)
			}
		})
	}
}

func TestABotThatRecoversAnswersWithoutAHandover(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		tries := 0
		b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			if tries++; tries < 3 {
				return chat.Answer{}, errors.New("not yet")
			}
			return echo(ctx, q)
		})
		a := w.say("shop", "ann", "a1")
		w.pass(time.Minute)
		w.wantTold(a.ConversationID, "a1 re:a1")
	})
}

func TestTheNextBotIsAskedTheSameQuestion(t *testing.T) {
	t.Parallel()
	edit := func(s *chat.Setup, _ *delivery.Options) {
		s.Tasks[0].Route.Points = []chat.Point{{Bot: "demo"}, {Bot: "second"}, {Anyone: true}}
	}
	inBotWorld(t, edit, func(w *world, b *thinker) {
		b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			if q.Bot == "demo" {
				return chat.Answer{}, errors.New("no idea")
			}
			return echo(ctx, q)
		})
		a := w.say("shop", "ann", "a1")
		w.pass(time.Minute)
		w.wantTold(a.ConversationID, "a1 bot_failed>bot re:a1")
	})
}

func TestAStaleQuestionIsVoidAndNotAsked(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		w.stop() // nobody asks while the session leaves the bot
		a := w.say("shop", "ann", "a1")
		w.say("shop", "ann", "a2")
		if _, err := w.SetFlags(context.Background(), w.actor(), a.ConversationID, map[string]bool{"operator": true}); err != nil {
			t.Fatal(err)
		}
		w.serve()
		w.run()
		w.pass(time.Minute)
		if asked := b.questions(); len(asked) != 0 {
			t.Errorf("a revived bot was asked %d stale questions", len(asked))
		}
		void := w.deliveries("demo", chat.DeliveryVoid)
		if len(void) != 2 || void[0].Attempts != 0 {
			t.Errorf("the log has %+v", void)
		}
	})
}

func TestAnAnswerAfterTheHandoverIsNeverShown(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			time.Sleep(10 * time.Second) // of thinking
			return echo(ctx, q)
		})
		a := w.say("shop", "ann", "a1")
		w.pass(5 * time.Second)
		if _, err := w.SetFlags(context.Background(), w.actor(), a.ConversationID, map[string]bool{"operator": true}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if got := w.told(a.ConversationID); strings.Contains(got, "re:") {
			t.Errorf("the log tells %q", got)
		}
		void := w.deliveries("demo", chat.DeliveryVoid)
		if len(void) != 1 || void[0].Attempts != 1 {
			t.Errorf("the log has %+v", void)
		}
		if asked := b.questions(); len(asked) != 1 {
			t.Errorf("asked %d times", len(asked))
		}
	})
}

func TestAnAnsweredQuestionIsSettledWithoutACall(t *testing.T) {
	t.Parallel()
	webhook := func(s *chat.Setup, o *delivery.Options) { // whose answers may come by API as well
		s.Bots[0] = chat.Bot{Name: "demo", Kind: chat.BotWebhook, MessageURL: "http://bot.test/in"}
		o.Bots[chat.BotWebhook] = o.Bots[chat.BotScenario]
	}
	inBotWorld(t, webhook, func(w *world, b *thinker) {
		ctx := context.Background()
		w.stop()
		a := w.say("shop", "ann", "a1")
		bot := w.endpoint("demo")
		_, err := w.Answer(ctx, chat.Actor{Kind: chat.ActorBot, TenantID: w.tenant, ID: bot.ID}, chat.Answer{
			ConversationID: a.ConversationID, Question: a.Seq, Version: 1, Messages: []chat.Content{{Text: "by API"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.serve()
		w.run()
		w.pass(time.Minute)
		w.wantTold(a.ConversationID, "a1 by API")
		if asked := b.questions(); len(asked) != 0 {
			t.Errorf("asked %d times", len(asked))
		}
		if done := w.deliveries("demo", chat.DeliveryDelivered); len(done) != 1 {
			t.Errorf("the log has %+v", w.deliveries("demo", ""))
		}
	})
}

func TestAnAnswerWhoseClaimIsLostIsNotShownTwice(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		ctx := context.Background()
		release := make(chan struct{})
		first := true
		b.thinks(func(ctx context.Context, q question) (chat.Answer, error) {
			if first {
				first = false
				<-release
			}
			return echo(ctx, q)
		})
		a := w.say("shop", "ann", "a1")
		synctest.Wait()
		if err := w.ReleaseLanes(ctx); err != nil { // as if the lease had run out
			t.Fatal(err)
		}
		w.engine.Wake([]chat.ID{w.endpoint("demo").ID})
		synctest.Wait()
		close(release)
		w.pass(time.Minute)
		w.wantTold(a.ConversationID, "a1 re:a1")
	})
}

func TestABotThatFailsManyIsPassedByUntilATrialSucceeds(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		b.thinks(func(context.Context, question) (chat.Answer, error) { return chat.Answer{}, errors.New("no idea") })
		for i := range 8 {
			w.say("shop", fmt.Sprintf("client%d", i), "x")
		}
		w.pass(5 * time.Second)
		bot := w.endpoint("demo").Bot
		if w.engine.Available(bot) || w.state("demo") != delivery.Ill {
			t.Fatalf("the breaker is closed; the bot is %s", w.state("demo"))
		}
		calls := len(b.questions())
		a := w.say("shop", "late", "x")
		w.pass(0)
		if got := w.told(a.ConversationID); got != "x" || len(b.questions()) != calls {
			t.Errorf("with the breaker open %q was told and %d more questions asked", got, len(b.questions())-calls)
		}
		for i := range 8 {
			conv := w.say("shop", fmt.Sprintf("client%d", i), "y").ConversationID
			if got := w.owner(conv); got != chat.OwnerQueue {
				t.Errorf("client%d waits for a dead bot: the owner is %q", i, got)
			}
		}
		b.thinks(echo)
		w.pass(40 * time.Second)
		if !w.engine.Available(bot) {
			t.Fatalf("after its time the breaker allows no trial")
		}
		trial := w.say("shop", "trial", "x")
		w.pass(time.Second)
		w.wantTold(trial.ConversationID, "x re:x")
		if got := w.state("demo"); got != delivery.Healthy {
			t.Errorf("after the trial the bot is %s", got)
		}
	})
}

func TestABotOfAKindThatDoesNotRunHereIsNotAvailable(t *testing.T) {
	t.Parallel()
	engine := delivery.New(delivery.Options{Bots: map[chat.BotKind]delivery.Turner{chat.BotScenario: &thinker{}}})
	if !engine.Available(&chat.Bot{ID: 1, Kind: chat.BotScenario}) {
		t.Errorf("a scenario bot is not available although scenarios run")
	}
	if engine.Available(&chat.Bot{ID: 2, Kind: chat.BotWebhook}) {
		t.Errorf("a webhook bot is available although none run")
	}
}

func TestAStopInterruptsATurnAndTheNextProcessAsksAgain(t *testing.T) {
	t.Parallel()
	inBotWorld(t, nil, func(w *world, b *thinker) {
		b.thinks(func(ctx context.Context, _ question) (chat.Answer, error) {
			<-ctx.Done()
			return chat.Answer{}, ctx.Err()
		})
		a := w.say("shop", "ann", "a1")
		w.pass(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the stop took %v", took)
		}
		b.thinks(echo)
		w.serve()
		w.run()
		w.pass(time.Second)
		w.wantTold(a.ConversationID, "a1 re:a1")
		var retries []int
		for _, d := range w.deliveries("demo", "") {
			retries = append(retries, d.Attempts)
		}
		if !reflect.DeepEqual(retries, []int{2}) {
			t.Errorf("attempts are %v", retries)
		}
	})
}
