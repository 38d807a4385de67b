package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// metrics are what Prometheus is told. docs/OPERATIONS.md lists them with what
// to do about each.
type metrics struct {
	registry *prometheus.Registry
	commits  prometheus.Histogram
	batch    prometheus.Histogram
	waiting  prometheus.Gauge
	failed   prometheus.Counter
	requests *prometheus.HistogramVec
	attempts *prometheus.HistogramVec
}

// latency buckets from a third of a millisecond to a bit over ten seconds.
var latency = prometheus.ExponentialBuckets(0.000_32, 2, 16)

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tolmach_commit_seconds", Help: "Time of one durable commit of a batch.", Buckets: latency}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tolmach_commit_batch_size", Help: "Use cases in one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tolmach_writer_queue", Help: "Use cases that wait for the writer."}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tolmach_commit_failures_total", Help: "Batches whose commit failed; nothing of them was acknowledged."}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tolmach_http_request_seconds", Help: "Time of calls that came in.", Buckets: latency}, []string{"route", "status"}),
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tolmach_delivery_attempt_seconds", Help: "Time of calls that went out.", Buckets: latency}, []string{"endpoint", "outcome"}),
	}
	m.registry.MustRegister(m.commits, m.batch, m.waiting, m.failed, m.requests, m.attempts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// committed is told of every commit by the store.
func (m *metrics) committed(c commit) {
	m.commits.Observe(c.took.Seconds())
	m.batch.Observe(float64(c.size))
	m.waiting.Set(float64(c.waiting))
	if c.err != nil {
		m.failed.Inc()
	}
}

// called is told of every call that came in.
func (m *metrics) called(c inbound.Call) {
	m.requests.WithLabelValues(c.Route, strconv.Itoa(c.Status)).Observe(c.Took.Seconds())
}

// attempted is told of every call that went out.
func (m *metrics) attempted(endpoint, outcome string, took time.Duration) {
	m.attempts.WithLabelValues(endpoint, outcome).Observe(took.Seconds())
}

// watch adds what is read when somebody asks.
func (m *metrics) watch(h *hub.Hub, engine *delivery.Engine, now func() time.Time) {
	m.registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tolmach_hub_dropped_total", Help: "Live notices that slow readers missed; they read the log instead.",
		}, func() float64 { return float64(h.Dropped()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tolmach_hub_subscribers", Help: "Open live subscriptions.",
		}, func() float64 { return float64(h.Subscribers()) }),
		&endpointCollector{engine: engine, now: now},
	)
}

// endpointCollector reports each endpoint's backlog and breaker.
type endpointCollector struct {
	engine *delivery.Engine
	now    func() time.Time
}

var (
	oldestDue = prometheus.NewDesc("tolmach_lane_oldest_due_seconds", "How long the longest due lane of the endpoint waits.", []string{"endpoint", "kind"}, nil)
	lanes     = prometheus.NewDesc("tolmach_lanes", "Conversations in which the endpoint is behind.", []string{"endpoint", "kind"}, nil)
	breaker   = prometheus.NewDesc("tolmach_endpoint_state", "1 for the state the endpoint is in.", []string{"endpoint", "kind", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (c *endpointCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- oldestDue
	ch <- lanes
	ch <- breaker
}

// Collect implements prometheus.Collector.
func (c *endpointCollector) Collect(ch chan<- prometheus.Metric) {
	now := c.now()
	for _, s := range c.engine.Stats() {
		age := 0.0
		if !s.OldestDue.IsZero() {
			age = max(0, now.Sub(s.OldestDue).Seconds())
		}
		kind := string(s.Kind)
		ch <- prometheus.MustNewConstMetric(oldestDue, prometheus.GaugeValue, age, s.Label, kind)
		ch <- prometheus.MustNewConstMetric(lanes, prometheus.GaugeValue, float64(s.Lanes), s.Label, kind)
		ch <- prometheus.MustNewConstMetric(breaker, prometheus.GaugeValue, 1, s.Label, kind, string(s.State))
	}
}

// handler serves the metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
