package delivery

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	webhookTimeout = 15 * time.Second // of a whole exchange
	gapHeader      = "Tolmach-Gap"    // the webhook-id of the event parked just before this one
)

// send makes one try of a webhook and settles it.
func (r *runner) send(w *chat.Work) (step, error) {
	e, began := r.engine, r.engine.now()
	st := chat.Settlement{Work: w, State: chat.DeliveryParked}
	if w.Delivery != nil {
		st.Body = w.Delivery.Body
	}
	if !w.Replay && began.Sub(w.Entry.At) > e.options.Horizon {
		st.Reason = fmt.Sprintf("not sent: the event is older than %s; replay it to send it all the same", e.options.Horizon)
		r.log(w, st, "expired", verdict{})
		return r.settle(st)
	}
	if st.Body == nil {
		body, err := r.encode(w)
		if err != nil {
			st.Reason = "not sent: the body can't be made: " + err.Error()
			r.log(w, st, "unencodable", verdict{})
			return r.settle(st)
		}
		st.Body = body
	}
	ctx, ended := r.begin(w)
	out := e.options.Sender.Send(ctx, callOf(w, st.Body, began))
	ended(out.Class.String(), out.Status)
	now := e.now()
	st.Attempt = &chat.Attempt{At: began, Status: out.Status, Error: out.Error, TookMicros: out.Took.Microseconds()}
	v := verdict{state: chat.DeliveryRetrying}
	if out.Class != Retry || r.calls.Err() == nil { // an interrupted call is nobody's fault
		v = r.endpoint.health.judge(now, w.Lane.ConversationID, w.Lane.Attempts, out)
	}
	st.State, st.Counts = v.state, v.counts
	if v.state == chat.DeliveryRetrying {
		st.RetryAt = now.Add(v.wait)
	}
	r.observe(out.Class.String(), out.Took)
	r.log(w, st, out.Class.String(), v)
	return r.settle(st)
}

// encode makes the body. A format that panics fails like any other.
func (r *runner) encode(w *chat.Work) (body []byte, err error) {
	format, ok := r.engine.options.Formats[w.Endpoint.Integration.Format]
	if !ok {
		return nil, fmt.Errorf("the format %q is not served here", w.Endpoint.Integration.Format)
	}
	defer contain(&err)
	return format.Encode(w)
}

// contain turns a panic into an error.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic of type %T", p) // its text may hold anything
	}
}

func callOf(w *chat.Work, body []byte, now chat.Micros) Call {
	i := w.Endpoint.Integration
	c := Call{
		URL: i.URL, ID: w.WebhookID(), Body: body, ContentType: "application/json",
		Secrets: i.SigningSecrets(now), Headers: i.Headers, Timeout: webhookTimeout,
	}
	if w.GapID != "" {
		c.Headers = maps.Clone(i.Headers)
		if c.Headers == nil {
			c.Headers = map[string]string{}
		}
		maps.DeleteFunc(c.Headers, func(name, _ string) bool { return strings.EqualFold(name, gapHeader) })
		c.Headers[gapHeader] = w.GapID
	}
	return c
}
