package server

import (
	"context"
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/tracing"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// traceGrace is how long a stopping server offers its last traces to the
// collector, if running calls may take as long.
const traceGrace = 5 * time.Second

// newTracer is nil when no traces are asked for.
func (a *app) newTracer() (*tracing.Tracer, error) {
	c := a.config.Trace
	if c.Endpoint == "" {
		return nil, nil
	}
	return tracing.New(tracing.Options{
		Endpoint: c.Endpoint, Sample: c.Sample, Version: Version(), Grace: min(traceGrace, a.config.HTTP.ShutdownTimeout), Log: a.log,
	})
}

// follow lets the tracer follow the parts. Without one they are left as they
// are, and pay nothing.
func (a *app) follow(deliveries *delivery.Observer) {
	if a.tracer == nil {
		return
	}
	a.calls.Follow(a.call)
	a.core.tracing = a.tracer.Commit
	deliveries.Begin = a.tracer.Try
}

// call follows every call that came in but those that look after the server.
func (a *app) call(r *http.Request) (context.Context, func(inbound.Call)) {
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics":
		return r.Context(), nil
	}
	return a.tracer.Call(r)
}

// ground is what everything else stands on.
func (a *app) ground() []worker {
	workers := []worker{{"store", a.core.store.Run}}
	if a.tracer != nil {
		workers = append(workers, worker{"tracing", a.tracer.Run})
	}
	return workers
}
