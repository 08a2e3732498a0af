package connect

import (
	"context"
	"errors"
	"time"

	"windlass"
)

// idle is how long a refresh token may be unused before KeepAlive uses it. Providers
// expire one after some months.
const idle = 30 * 24 * time.Hour

// Kept is the result of KeepAlive.
type Kept struct {
	Refreshed int
	Bad       int // found to be refused: the customers have to consent again
	Waiting   int // left for the next time
}

// KeepAlive refreshes every OAuth connection that was not refreshed for 30 days
// before now, so that the tokens of a rarely used one do not expire. It is meant
// to be called daily and may be repeated at any time. When a provider app cannot
// refresh now its other connections are left for the next time. The error is one
// that stopped it: the store's, or that ctx ended.
func (s *Service) KeepAlive(ctx context.Context, now time.Time) (Kept, error) {
	const op = "keep connections alive"
	var kept Kept
	projects, err := s.store.Projects(ctx, windlass.Page{})
	if err != nil {
		return kept, explain(op, err)
	}
	for _, project := range projects {
		connections, err := s.store.Connections(ctx, windlass.ConnectionFilter{ProjectID: project.ID})
		if err != nil {
			return kept, explain(op, err)
		}
		stuck := map[string]bool{} // by provider app
		for _, connection := range connections {
			if err := ctx.Err(); err != nil {
				return kept, explain(op, err)
			}
			credentials, due, err := s.dueToLive(ctx, connection, now)
			if err != nil {
				return kept, explain(op, err)
			}
			if due {
				kept.count(s.refreshIdle(ctx, connection, credentials, stuck))
			}
		}
	}
	return kept, nil
}

// needsKeepAlive reports whether a connection's refresh token was unused for long enough.
func (s *Service) dueToLive(
	ctx context.Context, connection windlass.Connection, now time.Time,
) (windlass.Credentials, bool, error) {
	before := now.Add(-idle)
	if connection.Scheme != windlass.AuthOAuth || connection.Status == windlass.ConnectionBad || connection.Used.After(before) {
		return windlass.Credentials{}, false, nil
	}
	credentials, err := s.store.Credentials(ctx, connection.ID)
	if errors.Is(err, windlass.NotFound) {
		return credentials, false, nil // deleted meanwhile
	}
	due := !credentials.RefreshToken.IsZero() && !credentials.AccessIssued.After(before)
	return credentials, due, err
}

// refreshIdle refreshes one connection, unless its provider app is refused.
func (s *Service) refreshIdle(
	ctx context.Context, connection windlass.Connection, credentials windlass.Credentials, stuck map[string]bool,
) error {
	if stuck[connection.ProviderAppID] {
		return windlass.Unavailable
	}
	_, err := s.refresh(ctx, connection, credentials, need{})
	if err != nil && !errors.Is(err, windlass.NeedsReconnect) {
		stuck[connection.ProviderAppID] = true
	}
	return err
}

func (k *Kept) count(err error) {
	switch {
	case err == nil:
		k.Refreshed++
	case errors.Is(err, windlass.NeedsReconnect):
		k.Bad++
	default:
		k.Waiting++
	}
}
