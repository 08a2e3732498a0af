package connect

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"windlass"
)

const (
	// leaseLife is how long one process may take for a refresh, and so how long the
	// others wait if it dies. A provider that rotates refresh tokens has to accept a
	// used one for longer.
	leaseLife = 30 * time.Second
	// A process that waits for another one polls after minPoll, then at doubling
	// intervals up to maxPoll.
	minPoll = 25 * time.Millisecond
	maxPoll = time.Second
	// maxRefreshWait bounds the wait: two owners in a row have died.
	maxRefreshWait = 2*leaseLife + maxPoll
)

// need says how urgently a caller needs a fresh access token.
type need struct {
	good  bool // its own still works
	force bool // refresh even after a failure
}

// refresh returns credentials that are newer than those given. Concurrent calls, in all
// processes, make one request to the provider.
func (s *Service) refresh(
	ctx context.Context, connection windlass.Connection, old windlass.Credentials, why need,
) (windlass.Credentials, error) {
	if old.RefreshToken.IsZero() {
		return s.cannotRefresh(ctx, connection, old, why)
	}
	if !why.force {
		if failure := s.holds.standing(connection.ID, s.now()); failure != nil {
			return windlass.Credentials{}, failure
		}
		if err := s.appRefused(ctx, connection); err != nil {
			return windlass.Credentials{}, err
		}
	}
	for {
		// The refresh outlives the request that asked for it: the provider has used up
		// the refresh token even if the caller no longer waits.
		call := s.flights.join(connection.ID, func() (windlass.Credentials, error) {
			return s.renew(context.WithoutCancel(ctx), connection, old.Version, why.force)
		})
		if err := call.wait(ctx, why.good); err != nil {
			return windlass.Credentials{}, err
		}
		if call.err != nil || call.credentials.Version > old.Version {
			return call.credentials, call.err
		}
		// That call began for older credentials than ours.
	}
}

// appRefused returns the failure of a provider app that is refused, as long as the
// provider is not to be asked again.
func (s *Service) appRefused(ctx context.Context, connection windlass.Connection) error {
	if !s.apps.troubled(connection.ProviderAppID) {
		return nil
	}
	app, err := s.app(ctx, connection.ProjectID, connection.Provider, connection.ProviderAppID)
	if err != nil {
		return explain("refresh a connection", err)
	}
	if failure := s.apps.admit(connection, app, s.now(), false); failure != nil {
		return failure
	}
	return nil
}

// cannotRefresh is for credentials that were imported without a refresh token.
func (s *Service) cannotRefresh(
	ctx context.Context, connection windlass.Connection, old windlass.Credentials, why need,
) (windlass.Credentials, error) {
	if why.good {
		return old, nil
	}
	return s.markInvalid(ctx, connection, old, "the access token has expired, and there is no refresh token to get a new one", "")
}

// renew waits for the lease, or for another process to finish the refresh.
// Invariant 4: one refresh at a time for each connection, over all processes.
func (s *Service) renew(ctx context.Context, connection windlass.Connection, seen int64, force bool) (windlass.Credentials, error) {
	const op = "refresh a connection"
	// Two refreshes of one process are told apart too: the first may have lost
	// its lease without knowing.
	owner := s.name + "/" + uuid.NewString()
	begun := s.now()
	for look := minPoll; ; look = min(2*look, maxPoll) {
		won, err := s.store.LeaseRefresh(ctx, connection.ID, owner, s.now(), s.now().Add(leaseLife))
		if err != nil {
			return windlass.Credentials{}, explain(op, err)
		}
		if won {
			fresh, err := s.renewAs(ctx, owner, connection, seen, force)
			if !errors.Is(err, errLeaseLost) {
				return fresh, err
			}
		}
		pause(ctx, look)
		stored, credentials, err := s.load(ctx, connection.ProjectID, connection.ID)
		switch {
		case err != nil:
			return windlass.Credentials{}, explain(op, err)
		case credentials.Version != seen:
			return credentials, nil
		case stored.Status == windlass.ConnectionBad && !force:
			return windlass.Credentials{}, needsReconnect(stored)
		case s.now().Sub(begun) > maxRefreshWait:
			return windlass.Credentials{}, &windlass.Error{
				Kind: windlass.Unavailable, Op: op, Message: "other processes are refreshing this connection and do not finish",
				Remedy: "try again", RetryAfter: leaseLife,
			}
		}
	}
}

// pause sleeps until the time is over or the context ends.
func pause(ctx context.Context, long time.Duration) {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
