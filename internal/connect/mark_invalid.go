package connect

import (
	"context"

	"windlass"
)

// markInvalid marks a connection bad, once, and tells the product in the same
// transaction. judged are the credentials that were refused. The stored credentials are
// read again first: if they were replaced meanwhile, those are returned and nothing is
// marked. A lease of owner on the refresh ends; owner may be empty.
func (s *Service) markInvalid(
	ctx context.Context, connection windlass.Connection, judged windlass.Credentials, reason, owner string,
) (windlass.Credentials, error) {
	const op = "mark a connection bad"
	var stored windlass.Connection
	var credentials windlass.Credentials
	var marked bool
	err := s.store.In(ctx, func(ctx context.Context) (err error) {
		marked = false
		if stored, credentials, err = s.load(ctx, connection.ProjectID, connection.ID); err != nil {
			return err
		}
		if owner != "" {
			if err := s.store.ReleaseRefresh(ctx, stored.ID, owner, stored.StatusReason); err != nil {
				return err
			}
		}
		if credentials.Version != judged.Version || stored.Status == windlass.ConnectionBad {
			return nil
		}
		marked, err = s.store.SetConnectionStatus(ctx, connection.ID, windlass.ConnectionBad, reason, judged.Version)
		if err != nil || !marked {
			return err
		}
		stored.Status, stored.StatusReason = windlass.ConnectionBad, reason
		return s.notify(ctx, Event{Type: EventError, Connection: stored, Problem: reason})
	})
	if err != nil {
		return windlass.Credentials{}, explain(op, err)
	}
	if marked {
		s.store.Afterwards(ctx, func() {
			s.log.WarnContext(ctx, "a connection has to be authorized again", append(about(stored), logReason, reason)...)
		})
	}
	if credentials.Version != judged.Version {
		return credentials, nil
	}
	stored.StatusReason = reason
	return windlass.Credentials{}, needsReconnect(stored)
}
