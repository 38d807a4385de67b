package delivery

import (
	"context"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// Class is what the outcome of a call means (the table of specs/delivery.md).
type Class int

// The classes. The zero Class is Retry: what is not known to have arrived is
// sent again.
const (
	Retry     Class = iota // network error, timeout, 5xx, 408, 425, 429, 3xx
	Delivered              // 2xx
	Refused                // another 4xx: the endpoint doesn't want this event
	Gone                   // 410: the endpoint wants no more events
)

// String is the class in lower case, for logs and metrics.
func (c Class) String() string {
	switch c {
	case Delivered:
		return "delivered"
	case Refused:
		return "refused"
	case Gone:
		return "gone"
	default:
		return "retry"
	}
}

// Call is one try to deliver one event.
type Call struct {
	URL         string
	ID          string // webhook-id, the same on every try
	Body        []byte
	ContentType string
	Secrets     []string // each signs; none: not signed
	Headers     map[string]string
	Timeout     time.Duration // of the whole exchange
}

// Outcome is what became of a Call.
type Outcome struct {
	Status     int // 0 when no answer came
	Class      Class
	RetryAfter time.Duration // what the endpoint asked for, 0 to 1 h
	Took       time.Duration
	Error      string // for the owner of the endpoint, in one line, without the URL's query; "" when delivered
}

// Sender makes one call. It returns when the call's timeout is over or ctx is
// done, at the latest, and is safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, c Call) Outcome
}

// Format encodes an event as the body of a webhook. The same work gives the
// same bytes. An error parks the event.
type Format interface {
	Encode(w *chat.Work) ([]byte, error)
}

// Turner asks a built-in bot one question. It returns when ctx is done, at the
// latest. The engine fills in what the answer answers; an error means that the
// bot failed, and its text, which is logged and shown to the owner, holds no
// word of a message.
type Turner interface {
	Turn(ctx context.Context, w *chat.Work) (chat.Answer, error)
}
