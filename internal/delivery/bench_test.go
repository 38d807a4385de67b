package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
)

// instant takes everything at once.
type instant struct{ n atomic.Int64 }

func (s *instant) Send(context.Context, delivery.Call) delivery.Outcome {
	s.n.Add(1)
	return delivery.Outcome{Status: 200, Class: delivery.Delivered}
}

// BenchmarkDeliver drains a backlog of b.N messages in 500 conversations of one
// endpoint: claim, read, encode, send, settle.
func BenchmarkDeliver(b *testing.B) {
	for _, inflight := range []int{16, 64} {
		b.Run(fmt.Sprintf("inflight=%d", inflight), func(b *testing.B) { benchmarkDeliver(b, inflight) })
	}
}

func benchmarkDeliver(b *testing.B, inflight int) {
	const talks = 500
	sender := &instant{}
	engine := delivery.New(delivery.Options{
		Sender: sender, Formats: map[string]delivery.Format{"native": plain{}}, Log: slog.New(slog.DiscardHandler),
	})
	store := openStore(b)
	ctx := context.Background()
	svc, err := chat.New(ctx, chat.Options{
		Store: store, Bus: hub.New(), Waker: engine, Bots: engine, Passwords: noPasswords{}, Formats: []string{"native"},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine.Use(svc)
	_, err = svc.Apply(ctx, chat.Actor{Kind: chat.ActorAdmin}, []chat.Setup{{
		Tenant:   "acme",
		Channels: []chat.Channel{{Name: "messenger", Kind: chat.ChannelPageMessenger}},
		Integrations: []chat.Integration{{
			Name: "hook", Format: "native", URL: "http://hook.test/in", Events: []string{chat.AllMessages}, MaxInflight: inflight,
		}},
		Tasks: []chat.Task{{Name: "shop", Channel: "messenger", Integrations: []string{"hook"}}},
	}}, chat.ApplyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	tenant := svc.Catalog().TenantByName("acme").ID
	task := svc.Catalog().Tasks(tenant)[0].ID
	var next atomic.Int64
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				_, err := svc.ClientMessage(ctx, chat.SystemActor(tenant), chat.ClientMessage{
					Incoming: chat.Incoming{TaskID: task, ExternalID: fmt.Sprintf("client%d", i%talks)},
					Content:  chat.Content{Text: "a message of a usual length, some words long"},
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	callers.Wait()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	b.ResetTimer()
	go func() { ended <- engine.Run(running) }()
	for sender.n.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
