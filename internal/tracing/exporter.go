package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// errorLength is how much of a failure is logged: it quotes the collector's
// answer.
const errorLength = 500

// exporter sends batches to the collector. A collector that fails loses traces
// and nothing else: the log says so once, and once when it works again.
type exporter struct {
	sdktrace.SpanExporter
	calls   context.Context // interrupts what is under way
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans sends one batch. It reports no failure, since the library would
// write it to where it likes.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.calls, cancel)()
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err == nil && e.failing.CompareAndSwap(true, false):
		e.log.Info("tracing.export_resumed")
	case err != nil && e.failing.CompareAndSwap(false, true):
		e.log.Warn("tracing.export_failed", "spans", len(spans), "error", shorten(err))
	}
	return nil
}

func shorten(err error) string {
	text := err.Error()
	if len(text) > errorLength {
		text = text[:errorLength] + "…"
	}
	return text
}
