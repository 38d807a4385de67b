package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
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
		Store: w.store, Bus: hub.New(), Waker: w.engine, Bots: w.engine, Passwords: noPasswords{},
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

// sent is a body of the plain format and a call that carried it.
type sent struct {
	Client string
	Seq    int64
	Text   string

	At    time.Time     `json:"-"`
	Call  delivery.Call `json:"-"`
	Class delivery.Class
}

// plain is the format of the tests.
type plain struct{}

func (plain) Encode(w *chat.Work) ([]byte, error) {
	body := sent{Client: w.Conversation.ExternalID, Seq: w.Entry.Seq}
	if w.Entry.Message != nil {
		body.Text = w.Entry.Message.Content.Text
	}
	switch body.Text {
	case "unencodable":
		return nil, fmt.Errorf("no body for this one")
	case "panic":
		panic("at the disco")
	}
	return json.Marshal(body)
}

// receiver is a Sender with all the endpoints of the world behind it.
type receiver struct {
	mu       sync.Mutex
	calls    []sent
	inflight map[string]int // by URL
	most     map[string]int
	talking  map[string]bool // URL and client with a call under way
	overlaps int

	// reply decides what the endpoint answers; nil: 200 at once. took is how
	// long the exchange takes.
	reply func(s sent) (status int, took time.Duration, retryAfter time.Duration)
}

func newReceiver() *receiver {
	return &receiver{inflight: map[string]int{}, most: map[string]int{}, talking: map[string]bool{}}
}

// answers replaces the reply.
func (r *receiver) answers(reply func(s sent) int) {
	r.replies(func(s sent) (int, time.Duration, time.Duration) { return reply(s), 0, 0 })
}

// replies does so with the time an exchange takes, and a Retry-After.
func (r *receiver) replies(reply func(s sent) (status int, took, retryAfter time.Duration)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply = reply
}

func (r *receiver) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	s := sent{At: time.Now(), Call: c}
	if err := json.Unmarshal(c.Body, &s); err != nil {
		return delivery.Outcome{Error: "not the body of a test: " + err.Error()}
	}
	status, took, retryAfter := r.begin(s)
	class, text := classOf(status), ""
	timer := time.NewTimer(min(took, c.Timeout))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		status, class, text = 0, delivery.Retry, "interrupted"
	}
	if took > c.Timeout {
		status, class, text = 0, delivery.Retry, "no answer in time"
	}
	if class != delivery.Delivered && text == "" {
		text = fmt.Sprintf("answered %d", status)
	}
	s.Class = class
	r.end(s)
	return delivery.Outcome{Status: status, Class: class, RetryAfter: retryAfter, Took: min(took, c.Timeout), Error: text}
}

func (r *receiver) begin(s sent) (status int, took, retryAfter time.Duration) {
	r.mu.Lock()
	reply := r.reply
	key := s.Call.URL + " " + s.Client
	if r.talking[key] {
		r.overlaps++
	}
	r.talking[key] = true
	r.inflight[s.Call.URL]++
	r.most[s.Call.URL] = max(r.most[s.Call.URL], r.inflight[s.Call.URL])
	r.mu.Unlock()
	if reply == nil {
		return 200, 0, 0
	}
	return reply(s)
}

func (r *receiver) end(s sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.talking[s.Call.URL+" "+s.Client] = false
	r.inflight[s.Call.URL]--
	r.calls = append(r.calls, s)
}

func classOf(status int) delivery.Class {
	switch {
	case status >= 200 && status < 300:
		return delivery.Delivered
	case status == 410:
		return delivery.Gone
	case status == 408 || status == 425 || status == 429 || status < 400 || status >= 500:
		return delivery.Retry
	default:
		return delivery.Refused
	}
}

// seen returns the calls so far that match, in the order of their ends.
func (r *receiver) seen(match func(s sent) bool) []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []sent
	for _, s := range r.calls {
		if match == nil || match(s) {
			list = append(list, s)
		}
	}
	return list
}

// of matches the calls about one client.
func of(client string) func(sent) bool { return func(s sent) bool { return s.Client == client } }

// texts are the texts of calls.
func texts(list []sent) string {
	var all []string
	for _, s := range list {
		all = append(all, s.Text)
	}
	return strings.Join(all, " ")
}

// arrived are the texts that a client's receiver took, in order.
func (r *receiver) arrived(client string) string {
	return texts(r.seen(func(s sent) bool { return s.Client == client && s.Class == delivery.Delivered }))
}

// gaps are the times between calls, from the start on.
func gaps(list []sent, from time.Time) []time.Duration {
	var all []time.Duration
	for _, s := range list {
		all = append(all, s.At.Sub(from))
		from = s.At
	}
	return all
}

type noPasswords struct{}

func (noPasswords) Hash(string) (string, error) { return "", nil }
func (noPasswords) Matches(string, string) bool { return false }

// lines collects log lines.
type lines struct {
	mu  sync.Mutex
	all []map[string]any
	raw strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := map[string]any{}
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	l.all = append(l.all, line)
	return l.raw.Write(p)
}

// of returns the lines with a message.
func (l *lines) of(message string) []map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []map[string]any
	for _, line := range l.all {
		if line["msg"] == message {
			list = append(list, line)
		}
	}
	return list
}
