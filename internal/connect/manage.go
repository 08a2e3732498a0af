package connect

import (
	"context"
	"errors"

	"windlass"
)

// Freshness says whether Get refreshes the access token.
type Freshness string

// The values, as the published contract names them.
const (
	AsIs      Freshness = ""
	IfExpired Freshness = "ifExpired"
	Force     Freshness = "force"
)

// Get returns a connection and its credentials, refreshed if that is asked for
// and the connection has OAuth. Force tries even a connection that is bad, or one that
// waits after a failure.
func (s *Service) Get(
	ctx context.Context, projectID, id string, fresh Freshness,
) (windlass.Connection, windlass.Credentials, error) {
	const op = "get a connection"
	connection, credentials, err := s.load(ctx, projectID, id)
	if err != nil {
		return windlass.Connection{}, windlass.Credentials{}, explain(op, err)
	}
	oauth := connection.Scheme == windlass.AuthOAuth
	switch {
	case fresh != AsIs && fresh != IfExpired && fresh != Force:
		return windlass.Connection{}, windlass.Credentials{}, &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "refresh is ifExpired or force",
			Issues: []windlass.Issue{{In: "query", Name: "refresh", Message: "is neither ifExpired nor force"}},
		}
	case oauth && fresh == Force && !credentials.RefreshToken.IsZero():
		_, err = s.refresh(ctx, connection, credentials, need{force: true})
	case oauth && fresh == IfExpired && connection.Status != windlass.ConnectionBad:
		_, err = s.Credential(ctx, connection)
	default:
		return connection, credentials, nil
	}
	if err != nil && !errors.Is(err, windlass.NeedsReconnect) {
		return windlass.Connection{}, windlass.Credentials{}, explain(op, err)
	}
	// A connection that turned out to be bad is an answer too: its status says so.
	connection, credentials, err = s.load(ctx, projectID, id)
	if err != nil {
		return windlass.Connection{}, windlass.Credentials{}, explain(op, err)
	}
	return connection, credentials, nil
}

// Delete erases a connection and its credentials. It fails with
// windlass.Conflict while installations use it. Nothing is revoked at the
// provider: see the package's documentation.
func (s *Service) Delete(ctx context.Context, projectID, id string) error {
	err := s.store.In(ctx, func(ctx context.Context) error {
		connection, _, err := s.load(ctx, projectID, id)
		if err != nil {
			return err
		}
		if err := s.store.DeleteConnection(ctx, projectID, id); err != nil {
			return err
		}
		s.logEvent(ctx, msgDeleted, connection)
		return s.notify(ctx, Event{Type: EventDeleted, Connection: connection})
	})
	if err != nil {
		return explain("delete a connection", err)
	}
	s.holds.clear(id)
	return nil
}
