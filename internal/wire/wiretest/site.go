package wiretest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// MaxBody is how long a call's body may be at a site, in bytes.
const MaxBody = 256 << 10

// Site is one installation of the companies acme and rival at work, as a process
// runs it: the store, the core, the hub, the delivery engine, the scenario bot,
// and the dialect behind a port. It may be stopped and started again.
type Site struct {
	*chat.Service // of the process that runs
	T             testing.TB
	Acme, Rival   Company
	Hooks         *Hooks
	HTTP          *http.Client    // of the apps
	Stopping      context.Context // of the process: done when calls that wait shall end

	dialect Dialect
	open    opener
	stop    func() // nil while it is stopped

	mu  sync.Mutex
	url string
	up  chan struct{} // closed while the url is good
}

// newSite starts a site that ends with the test.
func newSite(t testing.TB, d Dialect, open opener) *Site {
	t.Helper()
	s := &Site{T: t, dialect: d, open: open, up: make(chan struct{}), HTTP: &http.Client{Transport: &http.Transport{}}}
	s.Hooks = newHooks(t, d.Decode)
	t.Cleanup(s.Hooks.end)
	t.Cleanup(s.HTTP.CloseIdleConnections)
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// setup is that of a company: the bot speaks as script says.
func (s *Site) setup(name, suffix string) chat.Setup {
	c := company(name, suffix)
	c.Bots[0].Scenario = script
	s.dialect.Equip(&c, s.Hooks.URL(name))
	return c
}

// Start begins a process on the site's database.
func (s *Site) Start() {
	s.T.Helper()
	p := &process{site: s}
	if err := p.start(); err != nil {
		s.T.Fatal(err)
	}
	s.Acme, s.Rival = companyOf(s.T, s.Service, "acme", ""), companyOf(s.T, s.Service, "rival", "-rival")
	mux := http.NewServeMux()
	if err := s.dialect.Serve(s, mux); err != nil {
		s.T.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.T.Fatal(err)
	}
	p.serve(l, mux)
	s.stop = p.stop
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = "http://" + l.Addr().String()
	close(s.up)
}

// Stop ends the process in order, as a server that is told to: calls under way
// end first. Stopping twice is harmless.
func (s *Site) Stop() {
	s.T.Helper()
	if s.stop == nil {
		return
	}
	s.mu.Lock()
	s.up = make(chan struct{})
	s.mu.Unlock()
	s.stop()
	s.stop = nil
}

// URL is where the site is served; it waits while the site is stopped, and fails
// when ctx ends first.
func (s *Site) URL(ctx context.Context) (string, error) {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	select {
	case <-up:
		return s.address(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *Site) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Call makes one call, to nobody while the site is stopped. Errors are those of
// the network.
func (s *Site) Call(ctx context.Context, a Ask) (Answer, error) {
	url := s.address()
	method := a.Method
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, url+a.Path, strings.NewReader(a.Body))
	if err != nil {
		return Answer{}, err
	}
	a.dress(r)
	res, err := s.HTTP.Do(r)
	if err != nil {
		return Answer{}, err
	}
	return answerOf(s.T, res)
}

// Operator is one of acme's people: ann, sue or root.
func (s *Site) Operator(name string) chat.Actor {
	s.T.Helper()
	for _, o := range s.Catalog().Operators() {
		if o.Login == s.Acme.Login(name) {
			return chat.Actor{Kind: chat.ActorOperator, TenantID: o.TenantID, ID: o.ID, Name: o.Name, Role: o.Role}
		}
	}
	s.T.Fatalf("there is no operator %q", name)
	return chat.Actor{}
}

// Conversations lists those of a company.
func (s *Site) Conversations(c Company) []chat.Listed {
	s.T.Helper()
	list, err := s.Service.Conversations(s.T.Context(), chat.SystemActor(c.Tenant.ID), chat.ConversationFilter{})
	if err != nil {
		s.T.Fatal(err)
	}
	return list
}

// Conversation is that of acme's client.
func (s *Site) Conversation(client string) chat.ID {
	s.T.Helper()
	for _, l := range s.Conversations(s.Acme) {
		if l.ExternalID == client {
			return l.Conversation.ID
		}
	}
	s.T.Fatalf("nothing is stored of %s", client)
	return 0
}

// Stored are the lines of the client's log.
func (s *Site) Stored(client string) []string {
	s.T.Helper()
	var lines []string
	id, after := s.Conversation(client), int64(0)
	for {
		entries, err := s.Events(s.T.Context(), chat.SystemActor(s.Acme.Tenant.ID), id, after, 250)
		if err != nil {
			s.T.Fatal(err)
		}
		if len(entries) == 0 {
			return lines
		}
		for _, e := range entries {
			if e.Kind == chat.EventMessageCreated {
				lines = append(lines, Line(e.Message.Author, e.Message.Content.Text))
			}
		}
		after = entries[len(entries)-1].Seq
	}
}

// Shown are those of the lines that an app is shown.
func (s *Site) Shown(lines ...string) []string {
	if s.dialect.Traits().Echo {
		return lines
	}
	shown := []string{}
	for _, line := range lines {
		if !strings.HasPrefix(line, byClient) {
			shown = append(shown, line)
		}
	}
	return shown
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
