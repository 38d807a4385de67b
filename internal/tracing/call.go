package tracing

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// Call begins the span of a call that came in, under the caller's if it names
// one. The span gets the route's name when the call ends.
func (t *Tracer) Call(r *http.Request) (context.Context, func(inbound.Call)) {
	method := methodOf(r)
	ctx, span := t.spans.Start(under(r.Context(), r.Header.Get(Header)), method,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, func(c inbound.Call) {
		if route := c.Route[strings.Index(c.Route, " ")+1:]; route != "" { // a pattern may begin with a method
			span.SetName(method + " " + route)
			span.SetAttributes(attribute.String("http.route", route))
		}
		span.SetAttributes(
			attribute.Int("http.response.status_code", c.Status), attribute.String("tolmach.request_id", c.RequestID))
		if c.TenantID != 0 {
			span.SetAttributes(attribute.Int64("tolmach.tenant", int64(c.TenantID)))
		}
		if c.Status >= http.StatusBadRequest {
			span.SetAttributes(attribute.String("error.type", string(c.Code)))
		}
		if c.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, string(c.Code))
		}
		span.End()
	}
}

// methodOf is the method of the call, if it is a known one: others are any
// text.
func methodOf(r *http.Request) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace,
	}
	if slices.Contains(known, r.Method) {
		return r.Method
	}
	return "_OTHER"
}
