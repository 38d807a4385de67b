package delivery_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// world is the engine at work over the real core and store. It lives in a
// synctest bubble: hours pass in an instant, and exactly.
type world struct {
	*chat.Service
	t        *testing.T
	options  delivery.Options
	setup    chat.Setup
	store    *sqlite.Store
	outage   *outage // between the service and the store
	engine   *delivery.Engine
	receiver *receiver
	logs     *lines
	tenant   chat.ID
	stop     func()
	start    time.Time
}

// inWorld runs fn in a bubble with an engine that runs. The setup has one
// integration "hook" that wants every message, on task "shop", and a task
// "other" with integration "spare"; edit changes it and the options.
func inWorld(t *testing.T, edit func(s *chat.Setup, o *delivery.Options), fn func(w *world)) {
	t.Helper()
	t.Run("world", func(t *testing.T) {
		t.Parallel()
		bubble(t, edit, fn)
	})
}

func bubble(t *testing.T, edit func(s *chat.Setup, o *delivery.Options), fn func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, edit)
		w.run()
		defer func() { w.stop() }()
		fn(w)
	})
}

func newWorld(t *testing.T, edit func(s *chat.Setup, o *delivery.Options)) *world {
	w := &world{t: t, receiver: newReceiver(), logs: &lines{}, start: time.Now(), setup: chat.Setup{
		Tenant:   "acme",
		Channels: []chat.Channel{{Name: "messenger", Kind: chat.ChannelPageMessenger}},
		Integrations: []chat.Integration{
			{Name: "hook", Format: "native", URL: "http://hook.test/in", Events: []string{chat.AllMessages}},
			{Name: "spare", Format: "native", URL: "http://spare.test/in", Events: []string{chat.AllMessages}},
		},
		Tasks: []chat.Task{
			{Name: "shop", Channel: "messenger", Integrations: []string{"hook"}},
			{Name: "other", Channel: "messenger", Integrations: []string{"spare"}},
		},
	}}
	w.options = delivery.Options{
		Sender: w.receiver, Formats: map[string]delivery.Format{"native": plain{}}, Bots: map[chat.BotKind]delivery.Turner{},
		Log: slog.New(slog.NewJSONHandler(w.logs, nil)), Random: func() float64 { return 0 },
		Sweep: time.Hour, // what it is for has its own tests; time passes faster without
	}
	if edit != nil {
		edit(&w.setup, &w.options)
	}
	w.store = openStore(t)
	w.outage = &outage{Store: w.store}
	w.serve()
	w.apply()
	w.tenant = w.Catalog().TenantByName("acme").ID
	return w
}

// apply brings the setup in.
func (w *world) apply() {
	w.t.Helper()
	_, err := w.Apply(context.Background(), chat.Actor{Kind: chat.ActorAdmin}, []chat.Setup{w.setup}, chat.ApplyOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
}

// serve makes an engine and a service over the store, as a new process would.
func (w *world) serve() {
	w.engine = delivery.New(w.options)
	svc, err := chat.New(w.t.Context(), chat.Options{
		Store: w.outage, Bus: hub.New(), Waker: w.engine, Bots: w.engine, Passwords: noPasswords{},
		Formats: []string{"native"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = svc
	w.engine.Use(svc)
}

// run starts the engine; w.stop ends it and waits.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	engine := w.engine
	go func() { ended <- engine.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the engine ended with %v", err)
		}
	}
}

// restart ends the engine and starts another one, as a new process would.
func (w *world) restart() {
	w.stop()
	w.serve()
	w.run()
}

func openStore(t testing.TB) *sqlite.Store {
	s, err := sqlite.Open(context.Background(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "tolmach.db"), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// actor may do everything in the tenant.
func (w *world) actor() chat.Actor { return chat.SystemActor(w.tenant) }

// say lets a client write on a task.
func (w *world) say(task, client, text string) chat.Accepted {
	w.t.Helper()
	var id chat.ID
	for _, t := range w.Catalog().Tasks(w.tenant) {
		if t.Name == task {
			id = t.ID
		}
	}
	a, err := w.ClientMessage(context.Background(), w.actor(), chat.ClientMessage{
		Incoming: chat.Incoming{TaskID: id, ExternalID: client}, Content: chat.Content{Text: text},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// pass lets time go by and everything due in it happen.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// endpoint finds one by name.
func (w *world) endpoint(name string) chat.Endpoint {
	for _, e := range w.Catalog().Endpoints() {
		if e.Name == name {
			return e
		}
	}
	w.t.Fatalf("there is no endpoint %q", name)
	return chat.Endpoint{}
}

// state is the state of an endpoint in the engine's statistics.
func (w *world) state(name string) delivery.State {
	for _, s := range w.engine.Stats() {
		if s.Label == "acme/"+name {
			return s.State
		}
	}
	return ""
}

// deliveries lists the log of one endpoint.
func (w *world) deliveries(name string, state chat.DeliveryState) []chat.Delivery {
	w.t.Helper()
	list, err := w.Deliveries(context.Background(), w.actor(), chat.DeliveryFilter{EndpointID: w.endpoint(name).ID, State: state})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// lanes counts the conversations in which an endpoint is behind.
func (w *world) lanes(name string) int {
	w.t.Helper()
	e := w.endpoint(name)
	found, err := w.Backlogs(context.Background(), []chat.Endpoint{e})
	if err != nil {
		w.t.Fatal(err)
	}
	return found[e.ID].Lanes
}

type noPasswords struct{}

func (noPasswords) Hash(string) (string, error) { return "", nil }
func (noPasswords) Matches(string, string) bool { return false }
