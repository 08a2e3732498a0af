package server

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"windlass"
	"windlass/internal/budget"
	"windlass/internal/proxy"
)

// newProxy makes the proxy.
func (s *Server) newProxy() (*proxy.Proxy, error) {
	base := proxy.Unaltered(s.config.Base)
	return proxy.New(proxy.Config{
		Directory: s.store, Credentials: s.connect, Providers: s.config.Providers, Budget: &proxyBudget{s.budgets},
		Base:   func(provider string) http.RoundTripper { return s.metrics.transport(base, provider, "api") },
		Limits: proxy.Limits{Stall: 2 * s.config.AnswerStall},
		Logger: s.log, Now: s.config.Now, Observe: s.metrics.proxied(),
	})
}

// proxyBudget pays for proxied requests: a client waits for each of them.
type proxyBudget struct{ *budgets }

// Pay pays for one (invariant 7).
func (b *proxyBudget) Pay(ctx context.Context, c windlass.Connection, credentials windlass.Credentials) error {
	account, err := b.account(ctx, c, credentials)
	if err != nil {
		return err
	}
	return b.Acquire(ctx, account, budget.Interactive)
}

// Learn takes in an answer. What cannot be accounted for was not paid either.
func (b *proxyBudget) Learn(ctx context.Context, c windlass.Connection, credentials windlass.Credentials, resp *http.Response) {
	if account, err := b.account(ctx, c, credentials); err == nil {
		b.Budget.Learn(ctx, account, resp)
	}
}

// proxied counts proxied requests.
func (m *metrics) proxied() func(proxy.Seen) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "windlass_proxy_requests_total", Help: "Proxied requests, by status (ours or the provider's) and by who answered: the provider, windlass or cut (it could not be ended).",
	}, []string{"status", "answered"})
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "windlass_proxy_request_seconds", Help: "How long proxied requests took in all, by class of status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600},
	}, []string{"status"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "windlass_proxy_bytes_total", Help: "Bytes of proxied bodies: up to the provider, and down from it.",
	}, []string{"direction"})
	m.registry.MustRegister(requests, latency, bytes)
	return func(seen proxy.Seen) {
		answered := seen.Provider
		switch {
		case seen.Cut:
			answered = "cut"
		case seen.Ours:
			answered = "windlass"
		}
		status := statusLabel(seen.Status)
		requests.WithLabelValues(status, answered).Inc()
		latency.WithLabelValues(status[:1] + "xx").Observe(seen.Took.Seconds())
		bytes.WithLabelValues("up").Add(float64(seen.Up))
		bytes.WithLabelValues("down").Add(float64(seen.Down))
	}
}
