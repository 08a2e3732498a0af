package connect

import (
	"context"
	"errors"
	"net/http"

	"windlass"
	"windlass/connector"
)

// Client returns a client for a connection's API requests. It puts the
// credentials on them that are good at that moment, sends a request that is
// answered with 401 once more with fresh ones if its body can be sent again, and
// never sends them to another host (invariant 6). It repeats nothing else: wrap
// its Transport in what does. Its errors are *windlass.Error.
//
// base sends each request and pays for it, in the class of the work that the client is
// for; nil means the service's own.
//
// The error is a *windlass.Error: windlass.NeedsReconnect when the connection
// is bad already.
func (s *Service) Client(ctx context.Context, connection windlass.Connection, base Base) (*http.Client, error) {
	const op = "use a connection"
	stored, err := s.store.Connection(ctx, connection.ProjectID, connection.ID)
	if err != nil {
		return nil, explain(op, err)
	}
	provider, err := s.provider(op, stored.Provider)
	if err != nil {
		return nil, err
	}
	if stored.Status == windlass.ConnectionBad {
		return nil, needsReconnect(stored)
	}
	if base == nil {
		base = s.base
	}
	return &http.Client{Transport: &transport{service: s, provider: provider, connection: stored, base: base}}, nil
}

type transport struct {
	service    *Service
	provider   connector.Provider
	connection windlass.Connection
	base       Base
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	stored, credentials, err := t.service.current(ctx, t.connection)
	if err != nil {
		closeBody(req)
		return nil, forTransport(notTheCustomer(err))
	}
	resp, err := t.send(req, credentials)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusUnauthorized {
		if stored.Status == windlass.ConnectionCreated && resp.StatusCode < http.StatusMultipleChoices {
			t.noteWorks(ctx, credentials)
		}
		return resp, nil
	}
	fresh, err := t.service.Refused(ctx, stored, credentials.Version)
	if errors.Is(err, windlass.NeedsReconnect) {
		_ = resp.Body.Close() // its message is replaced by a better one
		return nil, forTransport(err)
	}
	again, ok := rewound(req)
	if err != nil || !ok {
		return resp, nil //nolint:nilerr // the provider's own answer is returned
	}
	_ = resp.Body.Close() // there will be another answer
	return t.send(again, fresh)
}

func (t *transport) send(req *http.Request, credentials windlass.Credentials) (*http.Response, error) {
	signing, err := t.provider.Transport(credentials, t.base.of(t.connection, credentials))
	if err != nil {
		closeBody(req)
		return nil, forTransport(err)
	}
	return signing.RoundTrip(req)
}

// noteWorks notes the first success of a new connection.
func (t *transport) noteWorks(ctx context.Context, credentials windlass.Credentials) {
	changed, err := t.service.store.SetConnectionStatus(
		context.WithoutCancel(ctx), t.connection.ID, windlass.ConnectionWorking, "", credentials.Version)
	if err != nil {
		t.service.log.WarnContext(ctx, "a connection works, but that could not be noted",
			logConnection, t.connection.ID, logReason, err.Error())
	}
	if changed {
		t.service.logEvent(ctx, msgWorks, t.connection)
	}
}

// rewound returns the request with its body at the beginning, if that can be had.
func rewound(req *http.Request) (*http.Request, bool) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again.Body = body
	return again, true
}

// closeBody keeps a RoundTripper's promise to close the body even when it does
// not send it.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read from it
	}
}
