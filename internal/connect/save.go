package connect

import (
	"context"
	"errors"

	"windlass"
	"windlass/internal/ids"
)

// save stores checked credentials, in one transaction and without the network
// (invariant 3): for the connection that is named, for the one that the same
// person already has to the same workspace, or for a new one.
func (s *Service) save(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials) (Outcome, error) {
	missing, err := s.Missing(ctx, connection)
	if err != nil {
		return Outcome{}, err
	}
	if connection.Status == windlass.ConnectionWorking {
		connection.StatusReason = missingScopes(missing)
	}
	outcome := Outcome{Missing: missing}
	store := func(ctx context.Context) error {
		id, err := s.existing(ctx, connection, credentials)
		if err != nil {
			return err
		}
		if outcome.Created = id == ""; outcome.Created {
			outcome.Connection, err = s.create(ctx, connection, credentials)
		} else {
			outcome.Connection, err = s.replace(ctx, id, connection, credentials)
		}
		return err
	}
	err = s.store.In(ctx, store)
	if outcome.Created && errors.Is(err, windlass.Conflict) {
		err = s.store.In(ctx, store) // another request made it a moment ago: now it is found
	}
	if err != nil {
		return Outcome{Missing: missing}, err
	}
	s.holds.clear(outcome.Connection.ID)
	return outcome, nil
}

// existing finds the connection whose credentials are to be replaced; empty when
// there is none. All credentials of one person share one connection: a consent replaces
// an API token. A Connect app acts for itself, with access that no person has; so it
// has its own connection.
func (s *Service) existing(
	ctx context.Context, connection windlass.Connection, credentials windlass.Credentials,
) (id string, err error) {
	if connection.ID != "" {
		return connection.ID, nil
	}
	// Two consents of one person that end at once are to be one connection: reading
	// the provider app's row within the transaction locks it, so that the second
	// finds what the first made.
	if connection.ProviderAppID != "" {
		if _, err := s.store.ProviderApp(ctx, connection.ProjectID, connection.ProviderAppID); err != nil {
			return "", err
		}
	}
	all, err := s.store.Connections(ctx, windlass.ConnectionFilter{
		ProjectID: connection.ProjectID, Provider: connection.Provider,
		GroupRef: connection.Group.Ref, ConsumerRef: connection.Consumer.Ref,
	})
	for _, old := range all {
		if !sameWorkspace(old, connection) {
			continue
		}
		app := false
		if old.Scheme == windlass.AuthAPIKey { // an access token's is the same
			known, err := s.store.Credentials(ctx, old.ID)
			if errors.Is(err, windlass.NotFound) {
				continue // deleted meanwhile
			}
			if err != nil {
				return "", err
			}
			app = isConnectApp(known)
		}
		if app == isConnectApp(credentials) {
			return old.ID, nil
		}
	}
	return "", err
}

func isConnectApp(credentials windlass.Credentials) bool { return credentials.ClientKey != "" }

// replace gives a connection new credentials. It keeps its id, so that the
// installations which use it go on.
func (s *Service) replace(
	ctx context.Context, id string, connection windlass.Connection, credentials windlass.Credentials,
) (windlass.Connection, error) {
	if connection.Status == windlass.ConnectionCreated {
		return windlass.Connection{}, &windlass.Error{
			Kind: windlass.Unavailable, Message: connection.StatusReason,
			Remedy: "the connection was left as it was: try again later",
		}
	}
	old, _, err := s.load(ctx, connection.ProjectID, id)
	if err == nil {
		err = s.store.ReplaceCredentials(ctx, id, credentials)
	}
	if errors.Is(err, windlass.NotFound) {
		err = deletedMeanwhile(err)
	}
	if err != nil {
		return windlass.Connection{}, err
	}
	connection.ID, connection.Created = old.ID, old.Created
	connection.Group, connection.Consumer = old.Group, old.Consumer
	connection.Used, connection.Updated = s.now(), s.now()
	if err := s.store.UpdateConnection(ctx, connection); err != nil {
		return windlass.Connection{}, err
	}
	if old.Status == windlass.ConnectionBad {
		s.logEvent(ctx, msgReauthorized, connection)
	}
	return connection, s.notify(ctx, Event{Type: EventUpdated, Connection: connection})
}

func (s *Service) create(
	ctx context.Context, connection windlass.Connection, credentials windlass.Credentials,
) (windlass.Connection, error) {
	connection.ID = ids.New()
	connection.Used, connection.Created, connection.Updated = s.now(), s.now(), s.now()
	if err := s.store.CreateConnection(ctx, connection, credentials); err != nil {
		return windlass.Connection{}, err
	}
	// Read again: the group and the consumer may have been there before.
	connection, err := s.store.Connection(ctx, connection.ProjectID, connection.ID)
	if err != nil {
		return windlass.Connection{}, err
	}
	s.logEvent(ctx, msgCreated, connection)
	return connection, s.notify(ctx, Event{Type: EventCreated, Connection: connection})
}
