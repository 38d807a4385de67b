package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is the name of the W3C trace context, in headers of calls that come in
// and go out. Its companion tracestate is not passed on: the log keeps what
// everybody understands.
const Header = "traceparent"

// under returns ctx with the span that traceparent names as the parent of what
// comes; what is no traceparent changes nothing.
func under(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: traceparent})
}

// Parent is the traceparent of the span that ctx runs under, "" for none. A nil
// Tracer says "".
func (t *Tracer) Parent(ctx context.Context) string {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	// Inject would add a tracestate, which nothing here begins.
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}
