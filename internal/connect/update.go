package connect

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"windlass"
	"windlass/connector"
)

// Change is what Update changes; what is zero stays.
type Change struct {
	// Credentials replace those of a connection that has no OAuth; they must be
	// of the same sort. For OAuth see Reconnect.
	Credentials *windlass.Credentials
	// Workspace is the workspace to use from now on.
	Workspace string
	// Metadata are added to those that there are.
	Metadata map[string]windlass.MetadataValue
}

// Update changes a connection, after checking that the credentials reach the
// workspace. It is how an API token that is about to end is replaced.
func (s *Service) Update(ctx context.Context, projectID, id string, change Change) (windlass.Connection, error) {
	const op = "update a connection"
	connection, err := s.store.Connection(ctx, projectID, id)
	if err != nil {
		return windlass.Connection{}, explain(op, err)
	}
	provider, err := s.provider(op, connection.Provider)
	if err != nil {
		return windlass.Connection{}, err
	}
	connection, err = changed(connection, change)
	if err != nil {
		return windlass.Connection{}, explain(op, err)
	}
	client, err := s.clientFor(ctx, provider, connection, change)
	if err != nil {
		return windlass.Connection{}, explain(op, err)
	}
	account, err := s.verifyThrough(ctx, provider, connection, client)
	if err != nil {
		return windlass.Connection{}, explain(op, err)
	}
	identify(&connection, account)
	if change.Credentials != nil {
		connection.Status = windlass.ConnectionWorking
		outcome, err := s.save(ctx, connection, *change.Credentials)
		if err != nil {
			return windlass.Connection{}, explain(op, err)
		}
		return outcome.Connection, nil
	}
	var stored windlass.Connection
	err = s.store.In(ctx, func(ctx context.Context) (err error) {
		// Read the credentials again: the check may have refreshed them, or found that
		// they work.
		if stored, err = s.store.Connection(ctx, projectID, id); err != nil {
			return err
		}
		stored.Workspace, stored.Metadata, stored.ConsumerRef = connection.Workspace, connection.Metadata, connection.ConsumerRef
		if len(stored.Scopes) == 0 {
			stored.Scopes = connection.Scopes
		}
		stored.Updated = s.now()
		if err := s.store.UpdateConnection(ctx, stored); err != nil {
			return err
		}
		return s.notify(ctx, Event{Type: EventUpdated, Connection: stored})
	})
	if err != nil {
		return windlass.Connection{}, explain(op, err)
	}
	return stored, nil
}

// changed returns a connection with a change made to it.
func changed(connection windlass.Connection, change Change) (windlass.Connection, error) {
	if change.Credentials != nil {
		scheme, issues := schemeOf(*change.Credentials)
		if len(issues) > 0 {
			return connection, &windlass.Error{Kind: windlass.Invalid, Message: "the credentials are not complete", Issues: issues}
		}
		if scheme != connection.Scheme || scheme == windlass.AuthOAuth {
			return connection, &windlass.Error{
				Kind:    windlass.Invalid,
				Message: "the connection authenticates with " + string(connection.Scheme) + ", and that cannot be changed here",
				Remedy:  "replace the credentials with others of the same sort; for OAuth, connect again",
			}
		}
	}
	change.Workspace = strings.TrimSpace(change.Workspace)
	if named := strings.TrimSpace(change.Metadata[metaWorkspace].Value); change.Workspace == "" {
		change.Workspace = named
	} else if named != "" && named != change.Workspace {
		return connection, &windlass.Error{
			Kind: windlass.Invalid, Message: "two workspaces are named",
			Issues: []windlass.Issue{{In: "body", Name: "providerWorkspaceRef", Message: "names " + quote(change.Workspace) +
				", while providerMetadata.workspace names " + quote(named)}},
		}
	}
	if change.Workspace != "" && !isWorkspace(change.Workspace) {
		return connection, &windlass.Error{
			Kind: windlass.Invalid, Message: "the workspace's name is not valid",
			Issues: []windlass.Issue{{In: "body", Name: "providerWorkspaceRef", Message: notWorkspace}},
		}
	}
	metadata := maps.Clone(connection.Metadata)
	if metadata == nil {
		metadata = map[string]windlass.MetadataValue{}
	}
	maps.Copy(metadata, change.Metadata)
	if !areMetadata(change.Metadata) || len(metadata) > maxMetadata+2 { // the workspace's two are ours
		return connection, &windlass.Error{
			Kind: windlass.Invalid, Message: "the connection would have too much metadata",
			Issues: []windlass.Issue{{In: "body", Name: "providerMetadata", Message: tooMuchOfMeta}},
		}
	}
	// These two identify the workspace, and only the check sets them.
	for _, name := range []string{metaWorkspace, metaWorkspaceID} {
		delete(metadata, name)
		if value, known := connection.Metadata[name]; known {
			metadata[name] = value
		}
	}
	if change.Workspace != "" && change.Workspace != connection.Workspace {
		connection.Workspace = change.Workspace
		metadata[metaWorkspace] = windlass.MetadataValue{Value: change.Workspace, Source: sourceInput}
		delete(metadata, metaWorkspaceID) // another one is what is asked for
	}
	connection.Metadata = metadata
	return connection, nil
}

// clientFor returns a client with the credentials that the connection will have.
func (s *Service) clientFor(
	ctx context.Context, provider connector.Provider, connection windlass.Connection, change Change,
) (*http.Client, error) {
	if change.Credentials == nil {
		return s.Client(ctx, connection, nil)
	}
	transport, err := provider.Transport(*change.Credentials, s.base.of(connection, *change.Credentials))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, nil
}
