package wiretest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/bot/scenario"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/webhook"
)

// process is what runs of a site: three layers, which stop from the top.
type process struct {
	site    *Site
	store   database
	client  *webhook.Client
	ground  layer // the store
	middle  layer // what works on it by itself
	front   *http.Server
	serving sync.WaitGroup
	hangUp  context.CancelFunc // of calls that wait
}

// layer is workers that end together.
type layer struct {
	cancel  context.CancelFunc
	workers sync.WaitGroup
	mu      sync.Mutex
	err     error
}

func (l *layer) run(workers ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	for _, work := range workers {
		l.workers.Go(func() {
			if err := work(ctx); err != nil {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.err = errors.Join(l.err, err)
			}
		})
	}
}

func (l *layer) end() error {
	l.cancel()
	l.workers.Wait()
	return l.err
}

// start opens the database and runs everything below the dialect.
func (p *process) start() error {
	s := p.site
	var err error
	s.Stopping, p.hangUp = context.WithCancel(context.Background())
	if p.store, err = s.open(); err != nil {
		return err
	}
	p.ground.run(p.store.Run)
	<-p.store.Ready()
	p.client = webhook.NewClient(webhook.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	typing := func(tenant, conversation chat.ID, who chat.Author) { s.Typing(tenant, conversation, who) }
	formats := s.dialect.Formats(s)
	engine := delivery.New(delivery.Options{
		Sender: sender{webhook.NewSender(p.client)}, Formats: formats, Now: clockOf(p.store), Random: func() float64 { return 0 },
		Bots: map[chat.BotKind]delivery.Turner{chat.BotScenario: scenario.NewBots(p.client, typing, quiet())},
	})
	names := make([]string, 0, len(formats))
	for name := range formats {
		names = append(names, name)
	}
	s.Service, err = chat.New(context.Background(), chat.Options{
		Store: p.store, Bus: hub.New(), Waker: engine, Passwords: passwords{}, Bots: engine, Formats: names, Log: quiet(),
	})
	if err != nil {
		return err
	}
	engine.Use(s.Service)
	_, err = s.Apply(context.Background(), chat.Actor{Kind: chat.ActorAdmin},
		[]chat.Setup{s.setup("acme", ""), s.setup("rival", "-rival")}, chat.ApplyOptions{})
	p.middle.run(engine.Run, s.RunTimers, s.RunDistribution)
	return err
}

// clockOf is the clock that a database goes by.
func clockOf(d database) func() time.Time {
	if shared, has := d.(interface{ Now() time.Time }); has {
		return shared.Now
	}
	return time.Now
}

// serve answers calls.
func (p *process) serve(l net.Listener, h http.Handler) {
	p.front = &http.Server{Handler: h, ReadHeaderTimeout: patience}
	p.serving.Go(func() { _ = p.front.Serve(l) }) // it ends with stop
}

// stop ends the layers from the top. Calls that wait must end at once, the others
// soon.
func (p *process) stop() {
	p.site.T.Helper()
	p.hangUp()
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if p.front.Shutdown(grace) != nil {
		p.site.T.Error("calls went on after the site was told to stop")
		_ = p.front.Close() // of the listener, which is closed
	}
	p.serving.Wait()
	err := errors.Join(p.middle.end(), p.ground.end(), p.store.Close())
	p.client.Close()
	if err != nil {
		p.site.T.Errorf("the site ended with %v", err)
	}
}

// sender lets the delivery engine send by the guarded client.
type sender struct{ http *webhook.Sender }

// Send implements delivery.Sender.
func (s sender) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	r := s.http.Send(ctx, webhook.Request{
		URL: c.URL, ID: c.ID, Body: c.Body, ContentType: c.ContentType, Secrets: c.Secrets, Headers: c.Headers,
		Timeout: c.Timeout, Now: time.Now(),
	})
	class := map[webhook.Class]delivery.Class{
		webhook.Delivered: delivery.Delivered, webhook.Retry: delivery.Retry, webhook.Refused: delivery.Refused, webhook.Gone: delivery.Gone,
	}[r.Class]
	return delivery.Outcome{Status: r.Status, Class: class, RetryAfter: r.RetryAfter, Took: r.Took, Error: r.Problem()}
}
