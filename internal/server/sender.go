package server

import (
	"context"
	"time"

	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/failpoint"
	"github.com/tolmach/tolmach/internal/webhook"
)

// sender lets the delivery engine, which knows the core only, send by the one
// guarded client.
type sender struct {
	http *webhook.Sender
	now  func() time.Time
}

// Send makes one try.
func (s sender) Send(ctx context.Context, c delivery.Call) delivery.Outcome {
	r := s.http.Send(ctx, webhook.Request{
		URL: c.URL, ID: c.ID, Body: c.Body, ContentType: c.ContentType, Secrets: c.Secrets, Headers: c.Headers,
		Timeout: c.Timeout, UserAgent: "Tolmach/" + Version(), Now: s.now(),
	})
	if r.Class == webhook.Delivered {
		failpoint.Here("webhook.answered")
	}
	return delivery.Outcome{
		Status: r.Status, Class: classes[r.Class], RetryAfter: r.RetryAfter, Took: r.Took, Error: r.Problem(),
	}
}

// classes translates what an answer means.
var classes = map[webhook.Class]delivery.Class{
	webhook.Delivered: delivery.Delivered,
	webhook.Retry:     delivery.Retry,
	webhook.Refused:   delivery.Refused,
	webhook.Gone:      delivery.Gone,
}
