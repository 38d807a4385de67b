package tracing

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// sink is a collector that answers as told.
type sink struct {
	url   string
	mu    sync.Mutex
	spans []*otlp.Span
}

// newSink starts one; answer is called before a batch is taken.
func newSink(t *testing.T, answer http.HandlerFunc) *sink {
	t.Helper()
	s := &sink{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it was interrupted
		}
		if answer != nil {
			answer(w, r)
		}
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				s.spans = append(s.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// run runs a Tracer while fn works with it, and returns its log and how long it
// took to end.
func run(t *testing.T, o Options, fn func(tr *Tracer)) (log string, took time.Duration) {
	t.Helper()
	var out bytes.Buffer
	o.Log, o.Version = slog.New(slog.NewTextHandler(&out, nil)), "1.2.3"
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tr.Run(ctx) }()
	fn(tr)
	cancel()
	began := time.Now()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	return out.String(), time.Since(began)
}

// called makes the span of one call.
func called(tr *Tracer, method, traceparent string, c inbound.Call) context.Context {
	r := httptest.NewRequest(method, "/path", nil)
	r.Header.Set("traceparent", traceparent)
	ctx, ended := tr.Call(r)
	ended(c)
	return ctx
}

func TestSpansOfCalls(t *testing.T) {
	s := newSink(t, nil)
	calls := []struct {
		method     string
		call       inbound.Call
		name       string
		failed     string
		attributes string
	}{
		{"POST", inbound.Call{Route: "POST /things/{token}", Status: 200, RequestID: "a", TenantID: 7}, "POST /things/{token}", "",
			"http.request.method=POST http.route=/things/{token} http.response.status_code=200 tolmach.request_id=a tolmach.tenant=7"},
		{"GET", inbound.Call{Route: "/", Status: 404, RequestID: "b", Code: chat.CodeNotFound, Reason: "who is Ann?"}, "GET /", "",
			"http.request.method=GET http.route=/ http.response.status_code=404 tolmach.request_id=b error.type=" + string(chat.CodeNotFound)},
		{"STEAL", inbound.Call{Status: 503, RequestID: "c", Code: chat.CodeUnavailable, Reason: "who is Ann?"}, "_OTHER", string(chat.CodeUnavailable),
			"http.request.method=_OTHER http.response.status_code=503 tolmach.request_id=c error.type=" + string(chat.CodeUnavailable)},
	}
	run(t, Options{Endpoint: s.url, Sample: 1, Grace: time.Minute}, func(tr *Tracer) {
		for _, c := range calls {
			called(tr, c.method, "", c.call)
		}
	})
	if len(s.spans) != len(calls) {
		t.Fatalf("%d spans", len(s.spans))
	}
	for i, want := range calls {
		got := s.spans[i]
		var attributes []string
		for _, a := range got.Attributes {
			value := a.Value.GetStringValue()
			if value == "" {
				value = strconv.FormatInt(a.Value.GetIntValue(), 10)
			}
			attributes = append(attributes, a.Key+"="+value)
		}
		if got.Name != want.name || got.Status.GetMessage() != want.failed || strings.Join(attributes, " ") != want.attributes {
			t.Errorf("%s %s: span %q, failed %q, with\n%s, want\n%s", want.method, want.call.Route, got.Name, got.Status.GetMessage(),
				strings.Join(attributes, " "), want.attributes)
		}
	}
}

func TestTheCallersTraceGoesOn(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	s := newSink(t, nil)
	run(t, Options{Endpoint: s.url, Sample: 0, Grace: time.Minute}, func(tr *Tracer) {
		for header, want := range map[string]string{
			"00-" + trace + "-00f067aa0ba902b7-01": "00-" + trace + "-…-01",
			"00-" + trace + "-00f067aa0ba902b7-00": "00-" + trace + "-…-00",
			"":                                     "00-another-…-00",
			"00-" + trace + "-00f067aa0ba902b7-01-more":                       "00-another-…-00",
			"00-00000000000000000000000000000000-00f067aa0ba902b7-01":         "00-another-…-00",
			"00-" + strings.ToUpper(trace) + "-00f067aa0ba902b7-01":           "00-another-…-00",
			strings.Repeat("very long ", 1000):                                "00-another-…-00",
			"ff-" + trace + "-00f067aa0ba902b7-01":                            "00-another-…-00",
			"00-" + trace + "-00f067aa0ba902b7-01\r\nAuthorization: not ours": "00-another-…-00",
		} {
			parent := tr.Parent(called(tr, "GET", header, inbound.Call{Status: 200}))
			parts := strings.Split(parent, "-")
			if len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 || parts[2] == "00f067aa0ba902b7" {
				t.Errorf("%.80q became %q", header, parent)
				continue
			}
			if parts[1] != trace {
				parts[1] = "another"
			}
			if got := parts[0] + "-" + parts[1] + "-…-" + parts[3]; got != want {
				t.Errorf("%.80q became %q, want %q", header, got, want)
			}
		}
	})
	if len(s.spans) != 1 {
		t.Errorf("%d spans were sent, want the one whose caller keeps its trace", len(s.spans))
	}
}

func TestParentOfNothing(t *testing.T) {
	var off *Tracer
	if got := off.Parent(t.Context()); got != "" {
		t.Errorf("off: %q", got)
	}
	run(t, Options{Endpoint: newSink(t, nil).url, Sample: 1, Grace: time.Minute}, func(tr *Tracer) {
		if got := tr.Parent(t.Context()); got != "" {
			t.Errorf("outside of a span: %q", got)
		}
		if got, ended := tr.Commit(t.Context()); got != "" {
			t.Errorf("the commit of a timer: %q", got)
		} else {
			ended(nil, nil)
		}
	})
}

// TestADeadCollectorSlowsNothing: spans by far beyond the queue take no time,
// and the end takes no longer than the grace.
func TestADeadCollectorSlowsNothing(t *testing.T) {
	stuck := make(chan struct{})
	for name, url := range map[string]string{
		"refuses": "http://127.0.0.1:1",
		"hangs": newSink(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stuck:
			case <-r.Context().Done():
			}
		}).url,
		"fails": newSink(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }).url,
	} {
		t.Run(name, func(t *testing.T) {
			const spans = 4 * queued
			var busy time.Duration
			log, took := run(t, Options{Endpoint: url, Sample: 1, Grace: 100 * time.Millisecond}, func(tr *Tracer) {
				began := time.Now()
				for range spans {
					called(tr, "GET", "", inbound.Call{Route: "/", Status: 200})
				}
				busy = time.Since(began)
			})
			if busy > callTimeout {
				t.Errorf("%d spans took %v", spans, busy)
			}
			if took > callTimeout/2 {
				t.Errorf("the end took %v", took)
			}
			if strings.Count(log, "tracing.export_failed") != 1 {
				t.Errorf("the log should say once that the collector fails: %s", log)
			}
		})
	}
	close(stuck)
}

func TestALongFailureIsLoggedShort(t *testing.T) {
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		if _, err := io.WriteString(w, strings.Repeat("no ", 10_000)); err != nil {
			t.Error(err)
		}
	})
	log, _ := run(t, Options{Endpoint: s.url, Sample: 1, Grace: time.Minute}, func(tr *Tracer) {
		called(tr, "GET", "", inbound.Call{Route: "/", Status: 200})
	})
	if !strings.Contains(log, "400 Bad Request") || len(log) > 2*errorLength {
		t.Errorf("the log is %d bytes: %.300s", len(log), log)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere := newSink(t, nil)
	s := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.url, http.StatusTemporaryRedirect)
	})
	run(t, Options{Endpoint: s.url, Sample: 1, Grace: time.Minute}, func(tr *Tracer) {
		called(tr, "GET", "", inbound.Call{Route: "/", Status: 200})
	})
	if len(elsewhere.spans) != 0 {
		t.Error("traces went to where the owner did not send them")
	}
}

func TestSignalURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318":                 "http://127.0.0.1:4318/v1/traces",
		"http://127.0.0.1:4318/":                "http://127.0.0.1:4318/v1/traces",
		"https://collector.test/otlp/traces":    "https://collector.test/otlp/traces",
		"https://collector.test:8443/v1/traces": "https://collector.test:8443/v1/traces",
	} {
		if got := signalURL(endpoint); got != want {
			t.Errorf("%s became %s, want %s", endpoint, got, want)
		}
	}
}
