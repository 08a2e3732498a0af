package server

import (
	"context"
	"net/http"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/budget"
)

// builtIn are the providers of a server that is given no others. Nothing else in the
// server knows one of them: another provider is another line.
func builtIn(c *Config) connector.Providers {
	return connector.Providers{
		&bitbucket.Provider{Endpoints: c.Endpoints[bitbucket.Name], Now: c.Now},
	}
}

// workspace is a connection's workspace, opened for one sort of requests, which it
// counts.
type workspace struct {
	connector.Connector

	spending *spending
}

// Requests is how many were sent in all.
func (w *workspace) Requests() int64 { return w.spending.sent.Load() }

// openTo opens a connection's workspace for requests of a class. again has what fails
// for a moment sent again.
func (s *Server) openTo(ctx context.Context, c windlass.Connection, class budget.Class, again bool) (*workspace, error) {
	spending := &spending{class: class}
	client, err := s.connect.Client(ctx, c, s.paying(spending))
	if err != nil {
		return nil, err
	}
	provider, known := s.config.Providers.Named(c.Provider)
	if !known { // what has a client has a provider
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "open a workspace", Message: "there is no provider " + c.Provider}
	}
	options := connector.Options{Workspace: c.WorkspacePath()}
	if again {
		client.Transport = &connector.Retry{
			Base: client.Transport, MaxAttempts: 3, MaxWait: 5 * time.Second, Provider: provider.Info().Brand,
		}
		// A connection that is moved to another workspace learns anew.
		options.Lessons = c.ID + " " + options.Workspace
	}
	opened, err := provider.Open(client, options)
	if err != nil {
		return nil, err
	}
	return &workspace{opened, spending}, nil
}

// paying is what sends a connection's requests: each is paid first (invariant 7).
func (s *Server) paying(spending *spending) func(windlass.Connection, windlass.Credentials) http.RoundTripper {
	return func(c windlass.Connection, credentials windlass.Credentials) http.RoundTripper {
		return &payer{s.budgets, c, credentials, spending, s.metrics.transport(s.config.Base, c.Provider, "api")}
	}
}
