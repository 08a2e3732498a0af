package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"windlass/connector"
	"windlass/internal/connect"
	"windlass/internal/jobs"
)

// metrics are what a server counts of itself, in a registry of its own. Labels are
// words of ours and statuses: what a request brought never becomes one.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	providers map[string]*prometheus.CounterVec // requests made, by provider
	events    *prometheus.CounterVec
	keptAlive *prometheus.CounterVec
	attempts  *prometheus.CounterVec
	jobTime   *prometheus.HistogramVec
	pages     *prometheus.CounterVec
	checks    *prometheus.CounterVec
	records   prometheus.Counter
	batches   prometheus.Counter
	delivered *prometheus.CounterVec
}

func newMetrics(providers connector.Providers) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_http_requests_total", Help: "Requests answered, by operation (none: there is no such) and status.",
		}, []string{"operation", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "windlass_http_request_seconds", Help: "How long answers took, by operation.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30},
		}, []string{"operation"}),
		providers: map[string]*prometheus.CounterVec{},
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_connection_events_total", Help: "What happened to connections: created, updated, refreshed, deleted, error (has to be authorized again).",
		}, []string{"event"}),
		keptAlive: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_connections_kept_alive_total", Help: "Idle connections that the daily upkeep looked after: refreshed, bad or waiting.",
		}, []string{"result"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_job_attempts_total", Help: "Attempts at jobs that have ended, by kind and by what became of the job.",
		}, []string{"kind", "verdict"}),
		jobTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "windlass_job_seconds", Help: "How long attempts at jobs took, by kind.",
			Buckets: []float64{.005, .025, .1, .5, 1, 5, 15, 60, 300},
		}, []string{"kind"}),
		pages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_read_pages_total", Help: "Pages read, by what for: backfill, scheduled (or asked for) or interactive (samples).",
		}, []string{"class"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_read_checks_total",
			Help: "Scheduled checks, by what became of them: unchanged, changed, left (to an operation), limited, stopped or failed.",
		}, []string{"result"}),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "windlass_read_records_total", Help: "Records put into messages.",
		}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "windlass_messages_total", Help: "Messages put on their way: records and notifications.",
		}),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_delivery_attempts_total", Help: "Attempts at deliveries, by what became of the message: delivered, pending (again later) or failed (given up).",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(
		m.requests, m.latency, m.events, m.keptAlive, m.attempts, m.jobTime,
		m.pages, m.checks, m.records, m.batches, m.delivered,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for _, provider := range providers {
		info := provider.Info()
		m.providers[info.Name] = prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "windlass_" + strings.ReplaceAll(info.Name, "-", "_") + "_requests_total",
			Help: "Requests made to " + info.Brand + ", by endpoint (api or token) and status (error: no answer).",
		}, []string{"endpoint", "status"})
		m.registry.MustRegister(m.providers[info.Name])
	}
	return m
}

// handler serves them. What cannot be counted at the moment is left out.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 3, Timeout: 10 * time.Second,
	})
}

// request counts one request of the API.
func (m *metrics) request(operation string, status int, took time.Duration) {
	if operation == "" {
		operation = "none"
	}
	m.requests.WithLabelValues(operation, statusLabel(status)).Inc()
	m.latency.WithLabelValues(operation).Observe(took.Seconds())
}

// attempt counts one attempt at a job.
func (m *metrics) attempt(a jobs.Attempt) {
	m.attempts.WithLabelValues(a.Kind, string(a.Verdict)).Inc()
	m.jobTime.WithLabelValues(a.Kind).Observe(a.Took.Seconds())
}

// statusLabel is a status that there is; whatever else a provider sends is other.
func statusLabel(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status)
}

// connection counts what happens to connections.
func (m *metrics) connection(event connect.Event) {
	m.events.WithLabelValues(strings.TrimPrefix(event.Type, "connection.")).Inc()
}

// countedTransport counts the requests to a provider.
type countedTransport struct {
	base     http.RoundTripper
	endpoint string
	counted  *prometheus.CounterVec
}

// transport counts what base sends to a provider.
func (m *metrics) transport(base http.RoundTripper, provider, endpoint string) http.RoundTripper {
	return &countedTransport{base, endpoint, m.providers[provider]}
}

// RoundTrip makes a request and counts its answer.
func (t *countedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	status := "error"
	if err == nil {
		status = statusLabel(resp.StatusCode)
	}
	t.counted.WithLabelValues(t.endpoint, status).Inc()
	return resp, err
}
