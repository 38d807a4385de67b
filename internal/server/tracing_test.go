package server

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/internal/config"
)

// The trace that the test's caller is in.
const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
	callersTree  = "00-" + callersTrace + "-" + callersSpan + "-01"
)

const route = "POST /api/1.1/wf/{workflow...}"

// hook is a webhook's receiver: status answers calls, which are kept.
type hook struct {
	url string

	mu     sync.Mutex
	status int
	calls  []http.Header
}

func startHook(t *testing.T, status int) *hook {
	t.Helper()
	h := &hook{status: status}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Errorf("reading a webhook: %v", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, r.Header)
		w.WriteHeader(h.status)
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

// answers changes the status.
func (h *hook) answers(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// parents are the traceparents of the calls.
func (h *hook) parents() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, header := range h.calls {
		all = append(all, header.Get("Traceparent"))
	}
	return all
}

// startTraced is a server with a bot and an integration behind it. The owner of
// the integration has a traceparent of his own among its headers.
func startTraced(t *testing.T, h *hook, trace config.Trace) *running {
	t.Helper()
	dir := dirTraced(t, h)
	return serveIn(t, dir, configTraced(dir, trace))
}

// dirTraced is the set-up of that server.
func dirTraced(t *testing.T, h *hook) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	setup := strings.Replace(testSetup, "bot: b}", "bot: b, integrations: [hook]}", 1) +
		"integrations: [{name: hook, format: selarti, url: '" + h.url + "/in-path?key=in-query', events: [all_messages], echo_user: false," +
		" headers: {Authorization: 'Bearer in-header'}}]\n"
	write(t, filepath.Join(dir, "setup.yaml"), setup)
	write(t, filepath.Join(dir, "bot.yaml"), botThatSays("a-bots-words"))
	return dir
}

func configTraced(dir string, trace config.Trace) config.Config {
	c := testConfig(dir)
	c.Egress = config.Egress{Allow: []config.Network{config.Network(netip.MustParsePrefix("127.0.0.0/8"))}}
	c.Trace = trace
	return c
}

// ask sends a message under the caller's trace.
func (r *running) ask(t *testing.T, words string) {
	t.Helper()
	status, body := r.do(t, "POST", "/api/1.1/wf/send_external_message",
		`{"task_id":"1721129985149x478019552540622850","chat_id":"a-persons-id","message":"`+words+`"}`,
		"Authorization", "Bearer k-demo", "traceparent", callersTree, "tracestate", "vendor=a-callers-state")
	if status != 200 {
		t.Fatalf("sending answered %d %s", status, body)
	}
}

// leavesNothing checks for goroutines when the test has cleaned up.
func leavesNothing(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func stopped(t *testing.T, r *running) {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestAMessageIsOneTraceFromItsCallToTheWebhook(t *testing.T) {
	leavesNothing(t)
	c, h := startCollector(t), startHook(t, http.StatusOK)
	r := startTraced(t, h, config.Trace{Endpoint: c.url, Sample: 1})
	r.ask(t, "very private words")
	eventually(t, "the answer is delivered", func() bool { return len(h.parents()) == 1 })
	stopped(t, r)

	want := []string{
		route,
		route + " > commit",
		route + " > commit > bot turn",
		route + " > commit > bot turn > commit",
		route + " > commit > bot turn > commit > webhook",
	}
	if got := c.paths(callersTrace); !slices.Equal(got, want) {
		t.Fatalf("the trace is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	spans := c.of(callersTrace)
	if got := hex.EncodeToString(spans[0].ParentSpanId); got != callersSpan {
		t.Errorf("the call's parent is %q, want the caller's span", got)
	}
	if got, want := h.parents()[0], fmt.Sprintf("00-%s-%x-01", callersTrace, spans[4].SpanId); got != want {
		t.Errorf("the webhook carried %q, want %q", got, want)
	}
	for i, seq := range []int64{0, 1, 2, 3, 3} { // 1 is the session's opening, in the commit of the message
		if got := number(spans[i], "tolmach.seq"); got != seq {
			t.Errorf("%s: seq %d, want %d", spans[i].Name, got, seq)
		}
	}
	conversation := number(spans[1], "tolmach.conversation")
	for _, s := range spans {
		if number(s, "tolmach.tenant") == 0 || s != spans[0] && (number(s, "tolmach.conversation") != conversation || conversation == 0) {
			t.Errorf("%s: %v lacks its tenant or conversation", s.Name, s.Attributes)
		}
	}
	if last := spans[4]; text(last, "tolmach.endpoint") != "local/hook" || number(last, "http.response.status_code") != 200 ||
		!strings.HasPrefix(text(last, "tolmach.webhook_id"), "msg_") || text(last, "tolmach.outcome") != "delivered" {
		t.Errorf("the webhook's span: %v", last.Attributes)
	}
	if !slices.Contains(c.resource, "service.name=tolmach") || !slices.Contains(c.resource, "service.version="+Version()) {
		t.Errorf("the resource is %v", c.resource)
	}
}

func TestTracesHoldNoTextsAndNoSecrets(t *testing.T) {
	c, h := startCollector(t), startHook(t, http.StatusBadRequest)
	r := startTraced(t, h, config.Trace{Endpoint: c.url, Sample: 1})
	r.ask(t, "very private words")
	eventually(t, "the answer is refused", func() bool { return len(h.parents()) >= 1 })
	r.do(t, "POST", "/console/api/login", `{"login":"ann","password":"wrong-password-9"}`)
	r.do(t, "GET", "/share/0123456789abcdef?token=in-the-query", "")
	r.do(t, "PROPFIND", "/a-path-of-nobody", "")
	r.do(t, "GET", "/healthz", "")
	stopped(t, r)

	for _, secret := range []string{
		"very private words", "a-bots-words", "a-persons-id", "k-demo", "in-path", "in-query", "in-header", "a-callers-state",
		"wrong-password-9", "0123456789abcdef", "in-the-query", "a-path-of-nobody", "PROPFIND", "healthz", "127.0.0.1", "ann",
	} {
		if strings.Contains(string(c.raw), secret) {
			t.Errorf("the traces hold %q", secret)
		}
	}
	keys, failed := map[string]bool{}, map[string]string{}
	for _, s := range c.spans {
		for _, a := range s.Attributes {
			keys[a.Key] = true
		}
		if len(s.Events)+len(s.Links) != 0 {
			t.Errorf("%s has events or links: %v %v", s.Name, s.Events, s.Links)
		}
		if s.Status.GetMessage() != "" {
			failed[s.Name] = s.Status.GetMessage()
		}
	}
	known := []string{
		"error.type", "http.request.method", "http.response.status_code", "http.route", "tolmach.attempt", "tolmach.conversation",
		"tolmach.endpoint", "tolmach.events", "tolmach.outcome", "tolmach.request_id", "tolmach.seq", "tolmach.tenant",
		"tolmach.webhook_id",
	}
	if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, known) {
		t.Errorf("attributes\n%v, want\n%v", got, known)
	}
	if failed["webhook"] != "refused" {
		t.Errorf("failures by span: %v, want the webhook refused", failed)
	}
}

func TestATraceSurvivesARestart(t *testing.T) {
	c, h := startCollector(t), startHook(t, http.StatusServiceUnavailable)
	trace := config.Trace{Endpoint: c.url, Sample: 1}
	r := startTraced(t, h, trace)
	r.ask(t, "hello")
	eventually(t, "the first try fails", func() bool { return len(h.parents()) == 1 })
	stopped(t, r)
	h.answers(http.StatusOK)
	before := len(c.paths(callersTrace))
	again := serveIn(t, r.dir, configTraced(r.dir, trace))
	eventually(t, "the second try is made", func() bool { return len(h.parents()) == 2 })
	stopped(t, again)

	answered := route + " > commit > bot turn > commit"
	tries := c.paths(callersTrace)[before-1:]
	if want := []string{answered + " > webhook", answered + " > webhook"}; !slices.Equal(tries, want) {
		t.Fatalf("the tries are\n%s\nwant\n%s", strings.Join(tries, "\n"), strings.Join(want, "\n"))
	}
	spans := c.of(callersTrace)[before-1:]
	for i, want := range []struct {
		attempt, status int64
		outcome         string
	}{{1, 503, "retry"}, {2, 200, "delivered"}} {
		s := spans[i]
		if number(s, "tolmach.attempt") != want.attempt || number(s, "http.response.status_code") != want.status || text(s, "tolmach.outcome") != want.outcome {
			t.Errorf("try %d: %v", i+1, s.Attributes)
		}
		if got, want := h.parents()[i], fmt.Sprintf("00-%s-%x-01", callersTrace, s.SpanId); got != want {
			t.Errorf("try %d carried %q, want %q", i+1, got, want)
		}
	}
}

func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	h := startHook(t, http.StatusOK)
	r := startTraced(t, h, config.Trace{Sample: 1})
	r.ask(t, "hello")
	eventually(t, "the answer is delivered", func() bool { return len(h.parents()) == 1 })
	if got := h.parents()[0]; got != "" {
		t.Errorf("the webhook carried %q", got)
	}
	if log := r.eventsOf(t); strings.Contains(log, `"trace"`) || strings.Contains(log, callersTrace) || !strings.Contains(log, "a-bots-words") {
		t.Errorf("the log of events is %s", log)
	}
}

// eventsOf is the log of the only conversation, as the console is told it.
func (r *running) eventsOf(t *testing.T) string {
	t.Helper()
	_, list := r.do(t, "GET", "/console/api/conversations", "", "Authorization", "Bearer k-demo")
	id, _, _ := strings.Cut(list[strings.Index(list, `"id":`)+len(`"id":`):], ",")
	status, log := r.do(t, "GET", "/console/api/conversations/"+strings.Trim(id, `" `)+"/events", "", "Authorization", "Bearer k-demo")
	if status != http.StatusOK {
		t.Fatalf("events answered %d %s", status, log)
	}
	return log
}

func TestACallerDecidesForItsTrace(t *testing.T) {
	c, h := startCollector(t), startHook(t, http.StatusOK)
	r := startTraced(t, h, config.Trace{Endpoint: c.url, Sample: 0})
	r.say(t, "hello")
	eventually(t, "the answer is delivered", func() bool { return len(h.parents()) == 1 })
	if got := h.parents()[0]; !strings.HasSuffix(got, "-00") {
		t.Errorf("the webhook of a trace that isn't kept carried %q", got)
	}
	r.ask(t, "hello")
	eventually(t, "the second answer is delivered", func() bool { return len(h.parents()) == 2 })
	stopped(t, r)
	if len(c.of(callersTrace)) != 5 || len(c.spans) != 5 {
		t.Errorf("%d spans of the caller's trace, %d in all; want its 5 alone", len(c.of(callersTrace)), len(c.spans))
	}
}

func TestACollectorThatHangsHoldsNothingUp(t *testing.T) {
	leavesNothing(t)
	stuck := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(stuck)
	h := startHook(t, http.StatusOK)
	dir := dirTraced(t, h)
	config := configTraced(dir, config.Trace{Endpoint: srv.URL, Sample: 1})
	config.HTTP.ShutdownTimeout = 500 * time.Millisecond // bounds the last offer too
	r := serveIn(t, dir, config)
	r.ask(t, "hello")
	eventually(t, "the answer is delivered", func() bool { return len(h.parents()) == 1 })
	start := time.Now()
	stopped(t, r)
	if took := time.Since(start); took > traceGrace {
		t.Errorf("stopping took %v", took)
	}
}

func TestOurTraceReplacesAWrittenOne(t *testing.T) {
	own := map[string]string{"TraceParent": "by hand", "X-Key": "1"}
	got := withTrace(own, callersTree)
	if len(got) != 2 || got["traceparent"] != callersTree || got["X-Key"] != "1" || len(own) != 2 {
		t.Errorf("got %v from %v", got, own)
	}
	if got := withTrace(own, ""); got["TraceParent"] != "by hand" {
		t.Errorf("without a trace: %v", got)
	}
}
