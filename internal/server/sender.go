package server

import (
	"context"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/tracing"
	"github.com/tolmach/tolmach/internal/webhook"
)

// sender lets the delivery engine, which knows the core only, send by the one
// guarded client.
type sender struct {
	http   *webhook.Sender
	now    func() time.Time
	tracer *tracing.Tracer // nil: no traces
}

// Send makes one try.
func (s sender) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	r := s.http.Send(ctx, webhook.Request{
		URL: c.URL, ID: c.ID, Body: c.Body, ContentType: c.ContentType, Secrets: c.Secrets,
		Headers: withTrace(c.Headers, s.tracer.Parent(ctx)),
		Timeout: c.Timeout, UserAgent: "Tolmach/" + Version(), Now: s.now(),
	})
	if r.Class == webhook.Delivered {
		failpoint.Here("webhook.answered")
	}
	return delivery.Outcome{
		Status: r.Status, Class: classes[r.Class], RetryAfter: r.RetryAfter, Took: r.Took, Error: r.Problem(),
	}
}

// withTrace adds the trace that the receiver may go on with, in place of one
// that the owner wrote by hand. headers are left as they are.
func withTrace(headers map[string]string, traceparent string) map[string]string {
	if traceparent == "" {
		return headers
	}
	with := map[string]string{tracing.Header: traceparent}
	for name, value := range headers {
		if !strings.EqualFold(name, tracing.Header) {
			with[name] = value
		}
	}
	return with
}

// classes translates what an answer means.
var classes = map[webhook.Class]delivery.Class{
	webhook.Delivered: delivery.Delivered,
	webhook.Retry:     delivery.Retry,
	webhook.Refused:   delivery.Refused,
	webhook.Gone:      delivery.Gone,
}
