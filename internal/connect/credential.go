package connect

import (
	"context"
	"errors"
	"time"

	"windlass"
	"windlass/connector"
)

const (
	// margin is how long before its expiry an access token is replaced: longer than
	// clocks differ, and longer than a request takes.
	margin = 2 * time.Minute
	// briefWait is how long a caller whose access token is still valid waits for the
	// next one. After that it uses the old one, and the refresh goes on.
	briefWait = 2 * time.Second
)

// Credential returns a connection's credentials to use now: for OAuth an access
// token that is good for some minutes, refreshed if need be. The error is a
// *windlass.Error: windlass.NeedsReconnect when the customer has to consent
// again, windlass.Unavailable or windlass.RateLimited with the time to wait when
// a refresh did not succeed now.
//
// Only the connection's ID and ProjectID are used. Credential must not be
// called within a transaction.
func (s *Service) Credential(ctx context.Context, connection windlass.Connection) (windlass.Credentials, error) {
	_, credentials, err := s.current(ctx, connection)
	return credentials, err
}

// current is Credential, with the connection as it is stored.
func (s *Service) current(
	ctx context.Context, connection windlass.Connection,
) (windlass.Connection, windlass.Credentials, error) {
	const op = "use a connection"
	stored, credentials, err := s.load(ctx, connection.ProjectID, connection.ID)
	if err != nil {
		return windlass.Connection{}, windlass.Credentials{}, explain(op, err)
	}
	if stored.Status == windlass.ConnectionBad {
		return stored, windlass.Credentials{}, needsReconnect(stored)
	}
	if stored.Scheme != windlass.AuthOAuth || !endsWithin(credentials, s.now(), margin) {
		return stored, credentials, nil
	}
	good := !endsWithin(credentials, s.now(), 0)
	fresh, err := s.refresh(ctx, stored, credentials, need{good: good})
	if err != nil && good && !errors.Is(err, windlass.NeedsReconnect) {
		return stored, credentials, nil // the old one lasts a little longer, and what is wrong may pass meanwhile
	}
	return stored, fresh, err
}

// endsWithin reports whether an access token is over within some time. One of unknown
// expiry is used until it is refused.
func endsWithin(credentials windlass.Credentials, now time.Time, within time.Duration) bool {
	if credentials.AccessToken.IsZero() {
		return true
	}
	return !credentials.AccessExpiry.IsZero() && !now.Add(within).Before(credentials.AccessExpiry)
}

// granted puts a provider's grant into credentials. asked is when it was asked
// for: the token is not younger than that.
func granted(old windlass.Credentials, grant connector.Grant, asked time.Time) windlass.Credentials {
	old.AccessToken, old.AccessIssued, old.AccessExpiry = grant.AccessToken, asked, time.Time{}
	if grant.ExpiresIn > 0 {
		old.AccessExpiry = asked.Add(grant.ExpiresIn)
	}
	if !grant.RefreshToken.IsZero() { // where they do not rotate, the old one goes on
		old.RefreshToken = grant.RefreshToken
	}
	return old
}
