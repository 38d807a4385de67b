package webhook

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultTimeout     = 15 * time.Second
	defaultContentType = "application/json"
	defaultUserAgent   = "Tolmach"
)

// Request is one try to deliver an event (specs/delivery.md).
type Request struct {
	URL         string
	ID          string            // webhook-id: the same at every try, see CheckID
	Body        []byte            // sent as it is; must not change while Send runs
	ContentType string            // "" means application/json
	Secrets     []string          // none: not signed; several while one is being replaced; see CheckSecret
	Headers     map[string]string // the owner's static headers; those that CheckHeader reserves are left out
	Timeout     time.Duration     // of the whole exchange with the answer's body; 0 means 15 s
	UserAgent   string            // "" means Tolmach
	Now         time.Time         // the moment of this try: webhook-timestamp
}

// Sender delivers events. It is safe for concurrent use.
type Sender struct {
	client *Client
}

// NewSender returns a Sender over client, which stays the caller's to close.
func NewSender(client *Client) *Sender { return &Sender{client: client} }

// Send makes one POST and tells what became of it. It returns at the latest when r.Timeout is over
// or ctx is done, and leaves nothing running. The receiver may get the same bytes twice: a
// connection that died while idle is replaced once, as webhook-id makes the call repeatable.
func (s *Sender) Send(ctx context.Context, r Request) Reply {
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	late := &failure{text: fmt.Sprintf("no complete answer within %v", timeout), cause: context.DeadlineExceeded}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, late)
	defer cancel()

	start := time.Now()
	reply := s.exchange(ctx, r)
	reply.Took = time.Since(start)
	if reply.Class != Delivered {
		reply.RetryAfter = retryAfter(reply.Header.Get("Retry-After"), r.Now.Add(reply.Took))
	}
	return reply
}

func (s *Sender) exchange(ctx context.Context, r Request) Reply {
	req, err := newRequest(ctx, r)
	if err != nil {
		return Reply{Class: Retry, Err: err}
	}
	resp, err := s.client.Do(req) //nolint:bodyclose // readReply closes it
	if err != nil {
		return Reply{Class: Retry, Err: err}
	}
	reply := Reply{Status: resp.StatusCode, Header: resp.Header, Class: classOf(resp.StatusCode)}
	reply.Body, reply.Truncated, err = readReply(resp.Body)
	if err != nil && reply.Class == Delivered {
		reply.Class = Retry
		reply.Err = fmt.Errorf("the endpoint answered %d, but not to the end: %w", reply.Status, explain(ctx, err))
	}
	return reply
}

func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	target, err := parseTarget(r.URL)
	if err != nil {
		return nil, err
	}
	signature, err := Sign(r.ID, r.Now, r.Body, r.Secrets...)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	req.URL, req.Host = target, target.Host
	// Present and empty: not sent, but lets the transport replace a connection that died while idle.
	req.Header["Idempotency-Key"] = []string{}
	if err := setOwnHeaders(req.Header, r.Headers); err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", or(r.UserAgent, defaultUserAgent))
	req.Header.Set("Content-Type", or(r.ContentType, defaultContentType))
	req.Header.Set(HeaderID, r.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(r.Now.Unix(), 10))
	if signature != "" {
		req.Header.Set(HeaderSignature, signature)
	}
	return req, nil
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
