package webhook

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	replyLimit    = 64 << 10
	maxRetryAfter = time.Hour
)

// Class is what the outcome of an exchange means to the delivery (the table of specs/delivery.md).
type Class int

// The zero Class is Retry: what is not known to have arrived is sent again.
const (
	// Retry: network error, timeout, refused address, 5xx, 408, 425, 429, 3xx, a 2xx that broke off.
	Retry Class = iota
	// Delivered: a 2xx with its whole body, or with the first 64 KiB of it.
	Delivered
	// Refused: another 4xx; the endpoint doesn't want this event.
	Refused
	// Gone: 410; the endpoint wants no more events.
	Gone
)

// String is the lower case word for logs and metrics.
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

// Reply is what became of a Request.
type Reply struct {
	Class      Class
	Status     int           // 0 when no answer came
	Header     http.Header   // nil when no answer came
	Body       []byte        // at most 64 KiB
	Truncated  bool          // the body went on, or broke off
	RetryAfter time.Duration // what the endpoint asked for, 0 to 1 h; 0 when it asked for nothing
	Took       time.Duration // the whole exchange
	// Err tells why there is no complete answer, in words for the owner; nil when the status decides.
	Err error
}

// Problem tells the owner of the endpoint in one line what went wrong; "" for Delivered. It holds
// nothing of the URL but the host.
func (r Reply) Problem() string {
	switch {
	case r.Class == Delivered:
		return ""
	case r.Err != nil:
		return r.Err.Error()
	}
	text := strings.TrimSpace(fmt.Sprintf("the endpoint answered %d %s", r.Status, http.StatusText(r.Status)))
	switch {
	case r.Status >= 300 && r.Status < 400:
		return text + ": redirects are not followed, set the URL to the final address"
	case r.Class == Gone:
		return text + ": it wants no more events"
	default:
		return text
	}
}

func classOf(status int) Class {
	switch {
	case status >= 200 && status < 300:
		return Delivered
	case status == http.StatusGone:
		return Gone
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return Retry
	case status >= 400 && status < 500:
		return Refused
	default:
		return Retry
	}
}

// readReply reads at most replyLimit bytes and closes the body. A body cut at the limit is no
// error: the receiver has spoken, the rest is left unread and its connection given up.
func readReply(body io.ReadCloser) (data []byte, truncated bool, err error) {
	data, err = io.ReadAll(io.LimitReader(body, replyLimit+1))
	_ = body.Close() // what was read is read: nothing depends on it
	if len(data) > replyLimit {
		return data[:replyLimit], true, nil
	}
	return data, err != nil, err
}

// retryAfter reads a Retry-After header (RFC 9110 §10.2.3), seconds or a date, as a delay from now
// between 0 and 1 h. What can't be read counts as absent.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // digits only: the number is merely too large
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
