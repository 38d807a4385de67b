package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/tolmach/tolmach/internal/chat"
)

// Try begins the span of one try of a webhook, or of a bot's turn, under the
// trace that the event keeps. It is what delivery.Observer calls Begin.
func (t *Tracer) Try(ctx context.Context, endpoint string, w *chat.Work) (context.Context, func(outcome string, status int)) {
	name, kind := "webhook", trace.SpanKindClient
	if w.Endpoint.Kind == chat.EndpointBot {
		name, kind = "bot turn", trace.SpanKindInternal
	}
	number := 1
	if w.Delivery != nil {
		number += w.Delivery.Attempts
	}
	ctx, span := t.spans.Start(under(ctx, w.Entry.Data.Trace), name, trace.WithSpanKind(kind), trace.WithAttributes(
		attribute.Int64("tolmach.tenant", int64(w.Lane.TenantID)),
		attribute.Int64("tolmach.conversation", int64(w.Lane.ConversationID)),
		attribute.Int64("tolmach.seq", w.Entry.Seq),
		attribute.String("tolmach.endpoint", endpoint),
		attribute.String("tolmach.webhook_id", w.WebhookID()),
		attribute.Int("tolmach.attempt", number),
	))
	return ctx, func(outcome string, status int) {
		span.SetAttributes(attribute.String("tolmach.outcome", outcome))
		if status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		if outcome != "delivered" && outcome != "answered" {
			fail(span, outcome)
		}
		span.End()
	}
}
