package connect

import (
	"context"
	"errors"
	"time"

	"windlass"
)

// minTokenAge is the age below which a refused access token is not replaced. It is not the
// cause: some endpoints answer 401 to every credential of the wrong type, and each call
// to them would use up a refresh token.
const minTokenAge = time.Minute

// Refused says that the provider answered 401 to a connection's credentials of
// this version, and returns others to try again with, once. Without any it fails:
// with windlass.Unauthorized when the credentials are good and something else is
// refused, with windlass.NeedsReconnect when they no longer work, and otherwise as
// Credential does.
func (s *Service) Refused(ctx context.Context, connection windlass.Connection, version int64) (windlass.Credentials, error) {
	const op = "replace refused credentials"
	stored, credentials, err := s.load(ctx, connection.ProjectID, connection.ID)
	switch {
	case err != nil:
		return windlass.Credentials{}, explain(op, err)
	case credentials.Version != version:
		return credentials, nil // replaced since: by another process, or by the customer
	case stored.Status == windlass.ConnectionBad:
		return windlass.Credentials{}, needsReconnect(stored)
	case stored.Scheme != windlass.AuthOAuth, credentials.RefreshToken.IsZero():
		return s.examine(ctx, stored, credentials)
	case s.now().Sub(credentials.AccessIssued) < minTokenAge:
		return windlass.Credentials{}, notTheCredentials(op)
	default:
		return s.refresh(ctx, stored, credentials, need{})
	}
}

// examine checks whether credentials that cannot be refreshed no longer work, or were
// refused for one request only.
func (s *Service) examine(
	ctx context.Context, connection windlass.Connection, credentials windlass.Credentials,
) (windlass.Credentials, error) {
	const op = "check refused credentials"
	if failure := s.holds.standing(connection.ID, s.now()); failure != nil {
		return windlass.Credentials{}, failure
	}
	provider, err := s.provider(op, connection.Provider)
	if err != nil {
		return windlass.Credentials{}, err
	}
	_, err = s.verify(ctx, provider, connection, credentials)
	if errors.Is(err, windlass.Unauthorized) {
		return s.markInvalid(ctx, connection, credentials, message(explain("", err)), "")
	}
	failure := notTheCredentials(op)
	if err != nil && explain(op, err).Kind.Temporary() {
		failure = explain(op, err)
	}
	// The result is kept for a while: not every refused request needs another check.
	failure.RetryAfter = max(failure.RetryAfter, minTokenAge)
	return windlass.Credentials{}, s.holds.failed(connection.ID, s.now(), failure)
}

func notTheCredentials(op string) *windlass.Error {
	return &windlass.Error{
		Kind: windlass.Unauthorized, Op: op,
		Message: "the connection's credentials work, but this request needs another type of credentials",
	}
}
