package chat_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// world is the core at work: the Service over a real database and hub, set up
// for two companies, acme and rival, with everything outside it faked.
type world struct {
	*chat.Service
	ctx    context.Context
	store  *sqlite.Store
	shut   func() // closes the store before the test ends
	clock  *clock
	woken  *wakes
	bots   *directory
	tenant chat.ID // of acme

	clients    atomic.Int64
	neighbours neighbours
}

// newWorld starts one; edits change what acme is set up with.
func newWorld(t *testing.T, edits ...func(*chat.Setup)) *world {
	t.Helper()
	w := emptyWorld(t, hub.New())
	setup := company("acme", "")
	for _, edit := range edits {
		edit(&setup)
	}
	w.apply(t, setup, company("rival", "-rival"))
	w.tenant = w.Catalog().TenantByName("acme").ID
	return w
}

// emptyWorld has no company yet.
func emptyWorld(t *testing.T, bus chat.Bus) *world {
	t.Helper()
	w := &world{ctx: t.Context(), clock: newClock(), woken: &wakes{}, bots: &directory{}}
	w.store, w.shut = openStore(t, w.clock.now)
	var err error
	w.Service, err = chat.New(t.Context(), chat.Options{
		Store: w.store, Bus: bus, Waker: w.woken, Passwords: passwords{}, Bots: w.bots,
		Formats: []string{"native"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// openStore opens a database of the test's own and runs its writer, until shut
// is called or the test ends.
func openStore(t *testing.T, now func() time.Time) (store *sqlite.Store, shut func()) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "tolmach.db"), Now: now, Logger: slog.New(slog.DiscardHandler), Readers: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	shut = sync.OnceFunc(func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(shut)
	return s, shut
}

// company is a setup with a task for every kind of channel and of route. The
// suffix keeps credentials of two companies apart.
func company(name, suffix string) chat.Setup {
	url := "http://127.0.0.1:1/hook"
	return chat.Setup{
		Tenant: name,
		Channels: []chat.Channel{
			{Name: "messenger", Kind: chat.ChannelPageMessenger, Token: "messenger" + suffix},
			{Name: "app", Kind: chat.ChannelChatAPI, Token: "app" + suffix},
			{Name: "site", Kind: chat.ChannelWidget, Token: "site" + suffix},
		},
		Bots: []chat.Bot{
			{Name: "demo", Kind: chat.BotScenario, Scenario: "states: []"},
			{Name: "backup", Kind: chat.BotScenario, Scenario: "states: []"},
		},
		Integrations: []chat.Integration{
			{Name: "all", Format: "native", URL: url, Events: []string{chat.AllMessages}},
			{Name: "tags", Format: "native", URL: url, Events: chat.FlagNames()},
			{Name: "unserved", Format: "twin", URL: url, Events: []string{chat.AllMessages}},
		},
		Operators: []chat.Operator{
			{Login: "ann" + suffix, Name: "Ann", Password: "ann's password", Role: chat.RoleOperator},
			{Login: "bob" + suffix, Role: chat.RoleOperator},
			{Login: "sue" + suffix, Role: chat.RoleSupervisor},
			{Login: "root" + suffix, Role: chat.RoleAdmin},
		},
		Tasks: []chat.Task{
			{Name: "shop", Channel: "messenger", Bot: "demo", Integrations: []string{"all", "tags", "unserved"}},
			{Name: "app", Channel: "app", Route: chat.TaskRoute{Points: []chat.Point{{Bot: "demo"}, {Bot: "backup"}, {Anyone: true}}}},
			{Name: "site", Channel: "site", Bot: "demo"},
			{Name: "desk", Channel: "app", Route: chat.TaskRoute{Points: []chat.Point{{Anyone: true}}}},
		},
		APIKeys: []chat.APIKey{
			{Name: "bridge", Key: "k-bridge" + suffix, Scopes: chat.Scopes()},
			{Name: "other", Key: "k-other" + suffix, Scopes: chat.Scopes()},
		},
	}
}

// owner is whoever runs the server.
var owner = chat.Actor{Kind: chat.ActorAdmin}

// apply brings setups in, as they are.
func (w *world) apply(t tester, setups ...chat.Setup) []chat.Applied {
	t.Helper()
	applied, err := w.Apply(w.ctx, owner, setups, chat.ApplyOptions{})
	if err != nil {
		t.Fatalf("the setup was refused: %v", err)
	}
	return applied
}

// fire fires every timer that is due.
func (w *world) fire(t tester) {
	t.Helper()
	for {
		fired, err := w.FireTimer(w.ctx)
		if err != nil {
			t.Fatalf("firing a timer: %v", err)
		}
		if !fired {
			return
		}
	}
}

// pass lets time pass and fires what became due.
func (w *world) pass(t tester, d time.Duration) {
	t.Helper()
	w.clock.advance(d)
	w.fire(t)
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// clock is moved by hand.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// wakes counts how often each endpoint was woken.
type wakes struct {
	mu    sync.Mutex
	times map[chat.ID]int
}

func (w *wakes) Wake(endpoints []chat.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.times == nil {
		w.times = map[chat.ID]int{}
	}
	for _, id := range endpoints {
		w.times[id]++
	}
}

func (w *wakes) of(id chat.ID) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.times[id]
}

// directory answers for bots; those that are down can't be asked.
type directory struct{ down sync.Map }

func (d *directory) Available(b *chat.Bot) bool {
	_, down := d.down.Load(b.Name)
	return !down
}

// passwords are hashed in a way that a test can read.
type passwords struct{}

func (passwords) Hash(password string) (string, error) { return "hash of " + password, nil }
func (passwords) Matches(hash, password string) bool {
	return hash != "" && hash == "hash of "+password
}
