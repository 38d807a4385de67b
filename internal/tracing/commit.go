package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/tolmach/tolmach/internal/chat"
)

// Commit is a chat.Tracing: the span of a use case from its wait for the store
// to its durable commit. What nobody asked for, as a timer, is not followed: its
// trace begins with the deliveries it leads to.
func (t *Tracer) Commit(ctx context.Context) (string, func([]chat.Entry, error)) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return "", func([]chat.Entry, error) {}
	}
	ctx, span := t.spans.Start(ctx, "commit")
	return t.Parent(ctx), func(entries []chat.Entry, err error) {
		if len(entries) > 0 {
			e := &entries[0]
			span.SetAttributes(attribute.Int64("tolmach.tenant", int64(e.TenantID)),
				attribute.Int64("tolmach.conversation", int64(e.ConversationID)),
				attribute.Int64("tolmach.seq", e.Seq), attribute.Int("tolmach.events", len(entries)))
		}
		if err != nil {
			fail(span, string(chat.ErrorCode(err)))
		}
		span.End()
	}
}

// fail marks the span as failed, by the code alone.
func fail(span trace.Span, code string) {
	span.SetStatus(codes.Error, code)
	span.SetAttributes(attribute.String("error.type", code))
}
