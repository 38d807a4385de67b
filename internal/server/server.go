// Package server wires the parts together: plain code, one supervisor, the
// commands that share its pieces.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/bot/scenario"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/tracing"
	"github.com/tolmach/tolmach/internal/webhook"
	"github.com/tolmach/tolmach/internal/wire/chatapi"
	"github.com/tolmach/tolmach/internal/wire/console"
	"github.com/tolmach/tolmach/internal/wire/inbound"
	"github.com/tolmach/tolmach/internal/wire/selarti"
)

// app is everything that runs, in the order in which it is made.
type app struct {
	config   config.Config
	log      *slog.Logger
	metrics  *metrics
	tracer   *tracing.Tracer // nil: no traces
	core     *core
	client   *webhook.Client
	bots     *scenario.Bots
	console  *console.API
	calls    *inbound.Log
	health   *health
	setup    *setupFiles
	public   net.Listener
	admin    net.Listener
	measured net.Listener // of the metrics; nil when they are served with the rest
}

// Run serves until ctx ends. It returns nil after a clean stop. The log goes
// to logTo.
func Run(ctx context.Context, c config.Config, logTo io.Writer) (err error) {
	a := &app{config: c, log: c.Log.Logger(logTo), metrics: newMetrics()}
	unlock, err := lockDir(c.Storage.Data)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, unlock()) }()
	if err := a.listen(); err != nil {
		return err
	}
	defer func() { err = firstOf(err, a.closeListeners()) }()
	store, err := openDatabase(ctx, c.Storage, a.log, a.metrics.committed)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, store.Close()) }()
	if a.tracer, err = a.newTracer(); err != nil {
		return fmt.Errorf("traces can't be sent: %w", err)
	}
	a.build(store)
	defer a.client.Close()
	a.log.Info("server.starting", "version", Version(), "data", c.Storage.Data, "listen", a.public.Addr().String())
	err = supervise(ctx,
		a.ground(),
		[]worker{{"server", a.serve}},
	)
	a.log.Info("server.stopped", "error", err)
	return err
}

// build makes the parts; nothing runs yet.
func (a *app) build(store database) {
	c := a.config
	a.client = webhook.NewClient(egress(c.Egress))
	a.calls = inbound.New(a.log, time.Now, remote(c.HTTP), a.metrics.called)
	live := hub.New()
	a.core = &core{store: store, hub: live, bus: busOf(store, live), formats: served(), base: c.HTTP.BaseURL(a.public.Addr().String())}
	a.bots = scenario.NewBots(a.client, a.typing, a.log)
	deliveries := delivery.Observer{Attempt: a.metrics.attempted}
	a.follow(&deliveries)
	a.core.engine = delivery.New(delivery.Options{
		Sender: sender{webhook.NewSender(a.client), time.Now, a.tracer},
		Formats: map[string]delivery.Format{
			selartiFormat:      selarti.NewFormat(a.core.base),
			chat.FormatChatAPI: &chatapi.Format{Catalog: func() *chat.Catalog { return a.core.service.Catalog() }},
		},
		Bots:      map[chat.BotKind]delivery.Turner{chat.BotScenario: a.bots},
		Log:       a.log,
		Now:       clockOf(store),
		Lease:     c.Delivery.Lease,
		Horizon:   c.Delivery.Horizon,
		Retention: c.Delivery.Retention,
		Observe:   deliveries,
	})
	a.metrics.watch(a.core.hub, a.core.engine, clockOf(store))
	a.health = &health{store: store}
	a.setup = &setupFiles{files: c.Setup.Apply, log: a.log, apply: func(ctx context.Context, setups []chat.Setup) error {
		rep, err := a.core.apply(ctx, setups, chat.ApplyOptions{})
		if err == nil {
			for _, warning := range rep.Warnings {
				a.log.Warn("setup.note", "note", warning)
			}
		}
		return err
	}}
}

// typing passes on that a bot thinks. The service is made after the bots.
func (a *app) typing(tenant, conversation chat.ID, who chat.Author) {
	a.core.service.Typing(tenant, conversation, who)
}

// serve runs everything above the store.
func (a *app) serve(ctx context.Context) error {
	select {
	case <-a.core.store.Ready():
	case <-ctx.Done():
		return nil
	}
	if err := a.core.serve(ctx, a.log); err != nil {
		return err
	}
	a.core.engine.Use(a.core.service)
	if err := a.setup.all(ctx); err != nil {
		return fmt.Errorf("the setup can't be applied:\n%w", err)
	}
	neighbours, err := a.meet(ctx)
	if err != nil {
		return err
	}
	handler, err := a.handler(ctx)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { a.health.stopping.Store(true) })
	workers := append(neighbours, worker{"delivery", a.core.engine.Run}, worker{"timers", a.core.service.RunTimers},
		worker{"distribution", a.core.service.RunDistribution})
	if len(a.setup.files) > 0 {
		workers = append(workers, worker{"setup", a.setup.watch})
	}
	front := []worker{
		{"http", a.httpWorker(limitListener(a.public, a.config.HTTP.MaxConnections), handler)},
		{"admin", a.adminWorker((&admin{a.core, a.calls}).handler())},
		{"console", a.console.Run},
	}
	if a.measured != nil {
		front = append(front, worker{"metrics", a.httpWorker(a.measured, a.metrics.handler())})
	}
	a.log.Info("server.ready", "url", a.core.base)
	return supervise(ctx, workers, front)
}

func (a *app) httpWorker(l net.Listener, h http.Handler) func(context.Context) error {
	return func(ctx context.Context) error { return serveHTTP(ctx, l, h, a.config.HTTP, a.log) }
}

// adminWorker takes its time: a backup goes out through it.
func (a *app) adminWorker(h http.Handler) func(context.Context) error {
	c := a.config.HTTP
	c.WriteTimeout = 0
	return func(ctx context.Context) error { return serveHTTP(ctx, a.admin, h, c, a.log) }
}

// handler is the public server's: every dialect on one mux (specs/paths.md).
func (a *app) handler(ctx context.Context) (http.Handler, error) {
	service, c := a.core.service, a.config
	secret, err := service.Secret(ctx, selarti.SecretName)
	if err != nil {
		return nil, err
	}
	tokens := selarti.NewTokens(service, secret, time.Now)
	gate, err := auth.NewGate(auth.Options{
		Service: service, Kinds: []auth.Kind{tokens}, Trusted: config.Prefixes(c.HTTP.TrustedProxies), PublicURL: a.core.base,
		Throttle: auth.NewThrottle(auth.Limits{
			PerLogin: c.Login.Tries, PerAddress: c.Login.TriesPerAddress, Window: c.Login.Window, Keys: loginKeys,
		}, time.Now),
	})
	if err != nil {
		return nil, err
	}
	bridge, err := selarti.New(selarti.Options{
		Service: service, Auth: gate, Tokens: tokens, MaxBody: int64(c.HTTP.MaxBody), Now: time.Now, Random: rand.Reader, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	bridge.Register(mux)
	a.console = console.New(console.Options{
		Service: service, Auth: gate, SessionLife: c.Login.SessionLife, MaxBody: int64(c.HTTP.MaxBody), Log: a.log,
		Failures: a.calls,
	})
	a.console.Register(mux)
	chatapi.New(chatapi.Options{
		Service: service, MaxBody: int64(c.HTTP.MaxBody), Now: time.Now, Patience: c.HTTP.WriteTimeout, Stopping: ctx, Log: a.log,
	}).Register(mux)
	mux.HandleFunc("GET /healthz", a.health.live)
	mux.HandleFunc("GET /readyz", a.health.ready)
	if a.measured == nil {
		mux.Handle("GET /metrics", local(a.metrics.handler()))
	}
	mux.HandleFunc("/", home)
	return a.calls.Middleware(securityHeaders(mux)), nil
}

// loginKeys bounds how many logins and addresses the throttle remembers.
const loginKeys = 100_000

// egress is the policy of the one guarded client.
func egress(c config.Egress) webhook.Policy {
	p := webhook.Policy{Allow: config.Prefixes(c.Allow)}
	for _, port := range c.Ports {
		p.Ports = append(p.Ports, uint16(port)) // checked by the configuration: 1 to 65535
	}
	return p
}

// selartiFormat is the name of the 20-field webhook in the setup file.
const selartiFormat = "selarti"

// served are the webhook formats of this version.
func served() map[string]bool {
	return map[string]bool{selartiFormat: true, chat.FormatChatAPI: true}
}

func (a *app) listen() (err error) {
	if a.public, err = net.Listen("tcp", a.config.HTTP.Listen); err != nil {
		return fmt.Errorf("the address %s can't be served on; choose another --listen: %w", a.config.HTTP.Listen, err)
	}
	if a.admin, err = listenAdmin(a.config.Storage.Data); err != nil {
		return errors.Join(err, a.public.Close())
	}
	if a.config.Metrics.Listen == "" {
		return nil
	}
	if a.measured, err = net.Listen("tcp", a.config.Metrics.Listen); err != nil {
		return errors.Join(fmt.Errorf("the address %s can't be served on; choose another --metrics-listen: %w", a.config.Metrics.Listen, err),
			a.public.Close(), a.admin.Close())
	}
	return nil
}

// closeListeners closes what supervise has not: listeners of workers that were
// never started. Closing twice is no failure here.
func (a *app) closeListeners() error {
	var first error
	for _, l := range []net.Listener{a.public, a.admin, a.measured} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			first = firstOf(first, err)
		}
	}
	return first
}
