// Package inbound keeps the record of calls that came in: one log line each,
// and the recent failures with their reason, so that an integrator sees why a
// call was refused. No body, token or path with a token is kept.
package inbound

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// kept is how many failures are remembered.
const kept = 500

// Call is one call. Route is the pattern that served it, never the path: a
// path may hold a token.
type Call struct {
	At        time.Time
	RequestID string
	Route     string
	Status    int
	Took      time.Duration
	Remote    string
	TenantID  chat.ID
	Actor     string // "api_key bridge", "operator ann"; "" when nobody was recognised
	Code      chat.Code
	Field     string
	Reason    string
}

// Log remembers and writes. It is safe for concurrent use.
type Log struct {
	log     *slog.Logger
	now     func() time.Time
	remote  func(*http.Request) string
	observe func(Call)
	begin   func(*http.Request) (context.Context, func(Call))

	mu     sync.Mutex
	recent []Call // a ring, next is the oldest
	next   int
}

// New makes a Log. remote tells a caller's address; observe is told of every
// call and may be nil.
func New(log *slog.Logger, now func() time.Time, remote func(*http.Request) string, observe func(Call)) *Log {
	return &Log{log: log, now: now, remote: remote, observe: observe}
}

// Follow lets begin be told when a call begins, once, before the Middleware
// serves. begin returns the context the call runs under and what is told of its
// end, nil for nothing.
func (l *Log) Follow(begin func(*http.Request) (context.Context, func(Call))) { l.begin = begin }

type contextKey struct{}

// Note records why the call failed; the dialect's error writer calls it. A
// later note replaces an earlier one.
func Note(ctx context.Context, err error) {
	if c, ok := ctx.Value(contextKey{}).(*record); ok && err != nil {
		c.err = err
	}
}

// Recognise records who calls.
func Recognise(ctx context.Context, actor chat.Actor) {
	if c, ok := ctx.Value(contextKey{}).(*record); ok {
		c.actor = actor
	}
}

// RequestID returns the id of the call, as in its X-Request-Id header.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(contextKey{}).(*record); ok {
		return c.id
	}
	return ""
}

// record is what is noted while a call runs, by its own goroutine only.
type record struct {
	id    string
	err   error
	actor chat.Actor
	ended func(Call) // nil: nobody follows
}

// Middleware gives every call its id, writes one line when it ends, and turns
// a panic into a plain 500.
func (l *Log) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := l.now()
		rec := &record{id: rand.Text()}
		w.Header().Set("X-Request-Id", rec.id)
		sw := &statusWriter{ResponseWriter: w}
		r = r.WithContext(context.WithValue(l.follow(r, rec), contextKey{}, rec))
		defer func() {
			if p := recover(); p != nil && !aborted(p) {
				l.log.Error("http.panic", "request_id", rec.id, "route", r.Pattern, "panic", p)
				rec.err = errors.New("the handler panicked")
				if sw.status == 0 {
					http.Error(sw, "internal error", http.StatusInternalServerError)
				}
			}
			l.finish(r, sw, rec, start)
		}()
		next.ServeHTTP(sw, r)
	})
}

// follow returns the context that the call runs under.
func (l *Log) follow(r *http.Request, rec *record) (ctx context.Context) {
	if l.begin == nil {
		return r.Context()
	}
	ctx, rec.ended = l.begin(r)
	return ctx
}

// aborted says whether a handler gave up on purpose.
func aborted(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

func (l *Log) finish(r *http.Request, sw *statusWriter, rec *record, start time.Time) {
	c := Call{
		At: start, RequestID: rec.id, Route: r.Pattern, Status: max(sw.status, http.StatusOK),
		Took: l.now().Sub(start), Remote: l.remote(r), TenantID: rec.actor.TenantID,
	}
	if rec.actor.Kind != "" {
		c.Actor = string(rec.actor.Kind) + " " + rec.actor.Name
	}
	if rec.err != nil {
		c.Code, c.Field, c.Reason = chat.ErrorCode(rec.err), chat.ErrorField(rec.err), chat.ErrorMessage(rec.err)
	}
	if l.observe != nil {
		l.observe(c)
	}
	if rec.ended != nil {
		rec.ended(c)
	}
	l.write(r.Context(), c, rec.err)
	if c.Status >= http.StatusBadRequest {
		l.remember(c)
	}
}

// write logs the outcome: failures of ours as errors with their cause,
// failures of the caller as information.
func (l *Log) write(ctx context.Context, c Call, cause error) {
	attrs := []any{
		"request_id", c.RequestID, "route", c.Route, "status", c.Status, "took_ms", float64(c.Took.Microseconds()) / 1000,
		"remote", c.Remote,
	}
	if c.Actor != "" {
		attrs = append(attrs, "tenant", c.TenantID, "actor", c.Actor)
	}
	level := slog.LevelDebug
	if c.Status >= http.StatusBadRequest {
		level = slog.LevelInfo
		attrs = append(attrs, "code", c.Code, "field", c.Field, "reason", c.Reason)
	}
	if c.Status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, "cause", cause)
	}
	l.log.Log(ctx, level, "http.request", attrs...)
}

func (l *Log) remember(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) < kept {
		l.recent = append(l.recent, c)
		return
	}
	l.recent[l.next] = c
	l.next = (l.next + 1) % kept
}

// Failures returns the remembered failures that match, the newest first.
func (l *Log) Failures(match func(Call) bool) []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var calls []Call
	for i := range l.recent {
		c := l.recent[(l.next+len(l.recent)-1-i)%len(l.recent)]
		if match(c) {
			calls = append(calls, c)
		}
	}
	return calls
}

// statusWriter notes the status on its way out.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
