package wiretest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// World is one installation: the companies acme and rival, set up alike.
type World struct {
	*chat.Service
	T     testing.TB
	Clock *Clock
	Log   *Log
	Acme  Company
	Rival Company
}

// Company is a tenant with what its callers hold. The suffix keeps the
// credentials of two companies apart.
type Company struct {
	Tenant *chat.Tenant
	Suffix string
	Task   *chat.BoundTask // "shop": page messenger, bot demo, integration all
}

// Key is the company's API key of a name, such as "all" or "none".
func (c Company) Key(name string) string { return "key-" + name + c.Suffix }

// Login is the login of an operator: ann (operator), sue (supervisor) or root
// (admin). Their passwords are Password.
func (c Company) Login(name string) string { return name + c.Suffix }

// Password is every operator's password.
const Password = "correct horse battery"

// Given is the Selarti id that acme's task "given" has in the setup.
const Given = "1721129985149x478019552540622850"

// PublicURL is the installation's address.
const PublicURL = "https://chat.example.com"

// New starts a world that ends with the test. Edits change what acme is set up
// with.
func New(t testing.TB, edits ...func(*chat.Setup)) *World {
	t.Helper()
	w := &World{T: t, Clock: NewClock(), Log: &Log{}}
	var err error
	w.Service, err = chat.New(t.Context(), chat.Options{
		Store: openStore(t, w.Clock.Now), Bus: hub.New(), Waker: nobody{}, Passwords: passwords{}, Bots: nobody{},
		Formats: []string{"selarti"}, Log: w.Log.Logger(), Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	acme := company("acme", "")
	acme.Tasks = append(acme.Tasks, chat.Task{Name: "given", Channel: "messenger", Bot: "demo", SelartiID: Given})
	for _, edit := range edits {
		edit(&acme)
	}
	w.Apply(acme, company("rival", "-rival"))
	w.Acme, w.Rival = companyOf(t, w.Service, "acme", ""), companyOf(t, w.Service, "rival", "-rival")
	return w
}

func openStore(t testing.TB, now func() time.Time) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "tolmach.db"), Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func company(name, suffix string) chat.Setup {
	return chat.Setup{
		Tenant:   name,
		Channels: []chat.Channel{{Name: "messenger", Kind: chat.ChannelPageMessenger, Token: "messenger" + suffix}},
		Bots:     []chat.Bot{{Name: "demo", Kind: chat.BotScenario, Scenario: "states: []"}},
		Integrations: []chat.Integration{{
			Name: "all", Format: "selarti", URL: "http://127.0.0.1:1/hook",
			Events: append([]string{chat.AllMessages}, chat.FlagNames()...),
		}},
		Managers: []chat.Manager{{Name: "Virtual sales"}},
		Operators: []chat.Operator{
			{Login: "ann" + suffix, Name: "Anna", Email: "ann" + suffix + "@example.com", Password: Password, Role: chat.RoleOperator},
			{Login: "sue" + suffix, Name: "Susan", Password: Password, Role: chat.RoleSupervisor},
			{Login: "root" + suffix, Name: "Root", Password: Password, Role: chat.RoleAdmin},
		},
		Tasks: []chat.Task{{Name: "shop", Channel: "messenger", Bot: "demo", Manager: "Virtual sales", Integrations: []string{"all"}}},
		APIKeys: []chat.APIKey{
			{Name: "all", Key: "key-all" + suffix, Scopes: chat.Scopes()},
			{Name: "bridge", Key: "key-bridge" + suffix, Scopes: []string{chat.ScopeMessagesWrite}},
			{Name: "reader", Key: "key-reader" + suffix, Scopes: []string{chat.ScopeConversationsRead}},
			{Name: "worker", Key: "key-worker" + suffix, Scopes: []string{chat.ScopeConversations}},
			{Name: "sender", Key: "key-sender" + suffix, Scopes: []string{chat.ScopeDeliveries}},
		},
	}
}

// Apply brings setups in.
func (w *World) Apply(setups ...chat.Setup) {
	w.T.Helper()
	if _, err := w.Service.Apply(w.T.Context(), chat.Actor{Kind: chat.ActorAdmin}, setups, chat.ApplyOptions{}); err != nil {
		w.T.Fatalf("the setup was refused: %v", err)
	}
}

// companyOf finds what company set up.
func companyOf(t testing.TB, svc *chat.Service, name, suffix string) Company {
	t.Helper()
	tenant := svc.Catalog().TenantByName(name)
	return Company{Tenant: tenant, Suffix: suffix, Task: taskOf(t, svc, tenant.ID, "shop")}
}

// Task finds a task by name.
func (w *World) Task(tenant chat.ID, name string) *chat.BoundTask {
	w.T.Helper()
	return taskOf(w.T, w.Service, tenant, name)
}

func taskOf(t testing.TB, svc *chat.Service, tenant chat.ID, name string) *chat.BoundTask {
	t.Helper()
	for _, task := range svc.Catalog().Tasks(tenant) {
		if task.Name == name {
			return task
		}
	}
	t.Fatalf("there is no task %q", name)
	return nil
}

// Gate is the installation's authentication with a bound of three failed
// logins and no trusted proxies but 10.0.0.0/8.
func (w *World) Gate(kinds ...auth.Kind) *auth.Gate {
	w.T.Helper()
	g, err := auth.NewGate(auth.Options{
		Service: w.Service, Kinds: kinds, PublicURL: PublicURL,
		Trusted:  []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Throttle: auth.NewThrottle(auth.Limits{PerLogin: 3, PerAddress: 100, Window: time.Minute, Keys: 1000}, w.Clock.Now),
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return g
}

// Actor is a company's API key with every scope.
func (w *World) Actor(c Company) chat.Actor {
	k := w.Catalog().APIKeyByHash(chat.HashToken(c.Key("all")))
	return chat.Actor{Kind: chat.ActorAPIKey, TenantID: k.TenantID, ID: k.ID, Name: k.Name, Scopes: k.Scopes}
}

// Say makes a client of a company's shop say something.
func (w *World) Say(c Company, external, text string) chat.Accepted {
	w.T.Helper()
	a, err := w.ClientMessage(w.T.Context(), w.Actor(c), chat.ClientMessage{
		Incoming: chat.Incoming{TaskID: c.Task.ID, ExternalID: external},
		Content:  chat.Content{Text: text},
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return a
}

// Clock is set by hand and never goes back.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a round moment.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 2, 3, 4, 5, 6, 7_000_000, time.UTC)} }

// Now is the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log keeps what was logged, as text.
type Log struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// String is everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// Logger writes to the log, debug lines included.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Writer(l), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// nobody sends nothing and has every bot at hand.
type nobody struct{}

func (nobody) Wake([]chat.ID)           {}
func (nobody) Available(*chat.Bot) bool { return true }

// passwords are hashed in a way that costs a test nothing.
type passwords struct{}

func (passwords) Hash(password string) (string, error) { return "hash of " + password, nil }

func (passwords) Matches(hash, password string) bool {
	return hash != "" && hash == "hash of "+password
}
