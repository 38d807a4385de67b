// Package tracing follows a message with OpenTelemetry, from the call that
// brought it to the webhooks that carry it on: a span for the call, for the
// commit of each use case, for a bot's turn and for each try of a delivery.
// What lies in between is durable, so the trace is too: events keep its W3C
// traceparent (chat.Tracing), and a delivery finds its parent there, even after
// a restart. Spans hold ids, routes, states and codes; no text of a message, no
// token and no path.
package tracing

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Spans that wait for the collector; what comes while the queue is full is
// dropped.
const (
	queued    = 8192
	batch     = 1024
	batchTime = time.Second
)

// How long one batch is offered to a collector that fails.
const (
	callTimeout = 10 * time.Second
	firstPause  = time.Second
	offered     = 10 * time.Second
)

// Options say where traces go. All are needed but Grace.
type Options struct {
	Endpoint string        // URL of a collector that takes OTLP over HTTP; without a path, /v1/traces is meant
	Sample   float64       // share of the traces begun here that are kept, 0 to 1
	Version  string        // of the server
	Grace    time.Duration // for what still waits when Run is to end
	Log      *slog.Logger
}

// Tracer makes spans and sends them off. A nil Tracer is off. Its methods are
// safe for concurrent use, return at once and work before Run, which must run
// for the Tracer to be let go.
type Tracer struct {
	spans     trace.Tracer
	provider  *sdktrace.TracerProvider
	transport *http.Transport
	interrupt context.CancelFunc // of the calls to the collector
	grace     time.Duration
	log       *slog.Logger
}

// New makes a Tracer. Further headers for the collector, as of an
// authorization, come from OTEL_EXPORTER_OTLP_HEADERS, as is the standard.
func New(o Options) (*Tracer, error) {
	t := &Tracer{grace: o.Grace, log: o.Log, transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: callTimeout, IdleConnTimeout: time.Minute, MaxConnsPerHost: 2,
	}}
	calls, interrupt := context.WithCancel(context.Background())
	t.interrupt = interrupt
	sink, err := otlptracehttp.New(calls,
		otlptracehttp.WithEndpointURL(signalURL(o.Endpoint)),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: t.transport, Timeout: callTimeout, CheckRedirect: stay}),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: firstPause, MaxInterval: offered, MaxElapsedTime: offered,
		}))
	if err != nil {
		interrupt()
		return nil, err
	}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&exporter{SpanExporter: sink, calls: calls, log: o.Log},
			sdktrace.WithMaxQueueSize(queued), sdktrace.WithMaxExportBatchSize(batch), sdktrace.WithBatchTimeout(batchTime)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Sample))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "tolmach"), attribute.String("service.version", o.Version))),
	)
	t.spans = t.provider.Tracer("github.com/tolmach/tolmach", trace.WithInstrumentationVersion(o.Version))
	return t, nil
}

// stay follows no redirect: traces go where the owner said.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// signalURL is the address for traces at a collector.
func signalURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return endpoint
	}
	return u.JoinPath("v1", "traces").String()
}

// Run waits until ctx ends, then sends off what still waits, within the grace.
// Nothing runs on when it has returned.
func (t *Tracer) Run(ctx context.Context) error {
	<-ctx.Done()
	defer t.transport.CloseIdleConnections()
	defer t.interrupt()
	defer time.AfterFunc(t.grace, t.interrupt).Stop()
	// It has no deadline of its own, so that it leaves nothing behind: when the
	// grace is over its calls are interrupted, and it ends.
	if err := t.provider.Shutdown(context.WithoutCancel(ctx)); err != nil {
		t.log.Warn("tracing.shutdown_failed", "error", err)
	}
	return nil
}
