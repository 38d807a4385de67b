package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// log writes the one line of an attempt. It holds no text of a message and
// nothing of the URL.
func (r *runner) log(w *chat.Work, st chat.Settlement, class string, v verdict) {
	level := slog.LevelInfo
	if st.State == chat.DeliveryParked {
		level = slog.LevelWarn
	}
	log, ctx := r.engine.options.Log, context.Background()
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("endpoint", r.endpoint.label), slog.Int64("endpoint_id", int64(r.endpoint.ID)),
		slog.Int64("conversation", int64(w.Lane.ConversationID)), slog.Int64("seq", w.Entry.Seq),
		slog.String("webhook_id", w.WebhookID()), slog.Int("attempt", attemptNumber(w, st)),
		slog.String("class", class), slog.String("state", string(st.State)), slog.Bool("replay", w.Replay),
	}
	if a := st.Attempt; a != nil {
		attrs = append(attrs, slog.Int("status", a.Status), slog.Float64("took_ms", float64(a.TookMicros)/1000))
		if a.Error != "" {
			attrs = append(attrs, slog.String("error", a.Error))
		}
	}
	if st.Reason != "" {
		attrs = append(attrs, slog.String("reason", st.Reason))
	}
	if st.State == chat.DeliveryRetrying {
		attrs = append(attrs, slog.Time("retry_at", st.RetryAt.Time()), slog.Bool("event_ill", v.counts))
	}
	log.LogAttrs(ctx, level, "delivery.attempted", attrs...)
}

// attemptNumber counts calls of this delivery, this one included.
func attemptNumber(w *chat.Work, st chat.Settlement) int {
	n := 0
	if w.Delivery != nil {
		n = w.Delivery.Attempts
	}
	if st.Attempt != nil {
		n++
	}
	return n
}

func (r *runner) logFailure(message string, lane chat.Lane, err error) {
	r.engine.options.Log.Error(message, "endpoint", r.endpoint.label, "conversation", lane.ConversationID, "error", err)
}

// begin tells that a call or a turn begins.
func (r *runner) begin(w *chat.Work) (ctx context.Context, ended func(outcome string, status int)) {
	if r.engine.options.Observe.Begin == nil {
		return r.calls, unobserved
	}
	return r.engine.options.Observe.Begin(r.calls, r.endpoint.label, w)
}

func unobserved(string, int) {}

func (r *runner) observe(outcome string, took time.Duration) {
	if r.engine.options.Observe.Attempt != nil {
		r.engine.options.Observe.Attempt(r.endpoint.label, outcome, took)
	}
}
