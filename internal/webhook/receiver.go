package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	receivedLimit = 1 << 20
	stopGrace     = time.Second
)

// ReceiverConfig is what `tolmach hooks` is told.
type ReceiverConfig struct {
	// Secrets verify the signatures; a call passes when one of them fits. None: nothing is verified.
	Secrets []string
	// Statuses are answered one a request, the last for ever; none means 200. See ParseStatuses.
	Statuses []int
	// Delay is waited before each answer.
	Delay time.Duration
	// Path limits what is shown to this path and those under it; "" shows everything. Calls to
	// other paths are answered all the same.
	Path string
	// JSON writes one JSON object a line instead of text for people.
	JSON bool
	// Out gets one record a call, in the order in which the calls arrived whole.
	Out io.Writer
	// Now is the clock that stamps records and judges timestamps.
	Now func() time.Time
}

// Receiver accepts webhooks and shows them: the other end of a Sender for a developer to look at.
// Bodies up to 1 MiB are taken, larger ones answered 413. A wrong signature is shown, not refused.
type Receiver struct {
	config ReceiverConfig
	tries  *tryCounter
	broken chan error // the first failure of Out

	mu sync.Mutex // one record at a time
	n  int
}

// NewReceiver checks the configuration: secrets (CheckSecret), statuses 200 to 599, Out and Now set.
func NewReceiver(config ReceiverConfig) (*Receiver, error) {
	for _, secret := range config.Secrets {
		if err := CheckSecret(secret); err != nil {
			return nil, err
		}
	}
	for _, status := range config.Statuses {
		if err := checkStatus(status); err != nil {
			return nil, err
		}
	}
	if config.Out == nil || config.Now == nil {
		return nil, errors.New("a webhook receiver needs a writer and a clock")
	}
	return &Receiver{config: config, tries: newTryCounter(), broken: make(chan error, 1)}, nil
}

// ParseStatuses reads a comma-separated list of HTTP statuses from 200 to 599, like "503,503,200".
func ParseStatuses(list string) ([]int, error) {
	var statuses []int
	for item := range strings.SplitSeq(list, ",") {
		status, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil {
			return nil, fmt.Errorf("the status list %q must look like 503,503,200", list)
		}
		if err := checkStatus(status); err != nil {
			return nil, err
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

func checkStatus(status int) error {
	if status < 200 || status > 599 {
		return fmt.Errorf("the status %d can't be answered: use 200 to 599", status)
	}
	return nil
}

// Run serves on l, which it closes, until ctx is done or Out fails. Calls under way get their
// answers at once then, within a second. The error is that of the listener or of Out.
func (r *Receiver) Run(ctx context.Context, l net.Listener) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler:           r,
		BaseContext:       func(net.Listener) context.Context { return serving },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute + r.config.Delay, // it would end a delay, too
		MaxHeaderBytes:    headerLimit,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	var err error
	select {
	case err = <-served:
		return fmt.Errorf("receive webhooks: %w", err)
	case err = <-r.broken:
		err = fmt.Errorf("show the webhooks: %w", err)
	case <-ctx.Done():
	}
	stop() // ends the delays
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		err = errors.Join(err, server.Close()) // a call outlived the grace: cut it off
	}
	<-served //nolint:errcheck // http.ErrServerClosed, as asked
	return err
}

// ServeHTTP takes one call, shows it, waits the delay and answers with the next status.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, receivedLimit))
	status := r.record(req, body, err)

	delay := time.NewTimer(r.config.Delay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-req.Context().Done():
	}
	w.WriteHeader(status)
}

// record numbers and shows a call, and returns the status to answer.
func (r *Receiver) record(req *http.Request, body []byte, readErr error) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	id := req.Header.Get(HeaderID)
	rec := record{
		N: r.n, At: r.config.Now(), Method: req.Method, Path: req.URL.EscapedPath(),
		ID: id[:min(len(id), idLimit)], ContentType: req.Header.Get("Content-Type"), body: body,
	}
	rec.Try = r.tries.next(rec.ID)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readErr, &tooLarge):
		rec.Status, rec.Problem = http.StatusRequestEntityTooLarge, "the body is over 1 MiB and was refused"
	case readErr != nil:
		rec.Status, rec.Problem = http.StatusBadRequest, "the body broke off"
	default:
		rec.Status = r.nextStatus()
	}
	rec.Signature, rec.Why = r.verdict(req.Header, body, rec.At)
	if !underPath(req.URL.Path, r.config.Path) {
		return rec.Status
	}
	if err := rec.write(r.config.Out, r.config.JSON); err != nil {
		select {
		case r.broken <- err:
		default: // Run has its reason to stop already
		}
	}
	return rec.Status
}

func (r *Receiver) nextStatus() int {
	if len(r.config.Statuses) == 0 {
		return http.StatusOK
	}
	status := r.config.Statuses[0]
	if len(r.config.Statuses) > 1 {
		r.config.Statuses = r.config.Statuses[1:]
	}
	return status
}

// verdict says "ok", "wrong" (and why), "none" for an unsigned call, or "unchecked" for a signed
// one when there is no secret to check it with.
func (r *Receiver) verdict(header http.Header, body []byte, now time.Time) (verdict, why string) {
	switch err := Verify(header, body, now, r.config.Secrets...); {
	case header.Get(HeaderSignature) == "":
		return "none", ""
	case len(r.config.Secrets) == 0:
		return "unchecked", "no secret given"
	case err != nil:
		return "wrong", err.Error()
	default:
		return "ok", ""
	}
}

func underPath(path, root string) bool {
	root = strings.TrimSuffix(root, "/")
	return path == root || strings.HasPrefix(path, root+"/")
}
