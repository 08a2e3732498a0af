package connect

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"

	"windlass"
	"windlass/connector"
)

// verify checks whether credentials that are not stored yet have access to the
// connection's workspace.
func (s *Service) verify(
	ctx context.Context, provider connector.Provider, connection windlass.Connection, credentials windlass.Credentials,
) (connector.Account, error) {
	transport, err := provider.Transport(credentials, s.base.of(connection, credentials))
	if err != nil {
		return connector.Account{}, err
	}
	return s.verifyThrough(ctx, provider, connection, &http.Client{Transport: transport})
}

// verifyThrough is verify for a client that authenticates already.
func (s *Service) verifyThrough(
	ctx context.Context, provider connector.Provider, connection windlass.Connection, client *http.Client,
) (connector.Account, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// By its id once that is known: the name may be another workspace's by now.
	account, err := provider.Check(ctx, client, connection.WorkspacePath())
	if errors.Is(err, windlass.NotFound) && connection.WorkspacePath() != connection.Workspace {
		if other, failed := provider.Check(ctx, client, connection.Workspace); failed == nil {
			account, err = other, nil // which has the name now: that is said below
		}
	}
	if err != nil {
		return connector.Account{}, err
	}
	// An access token belongs to no person, or to a pseudo user, whose membership means
	// nothing.
	if account.Membership == connector.NotMember && connection.Scheme != windlass.AuthAPIKey {
		return connector.Account{}, &windlass.Error{
			Kind:    windlass.Forbidden,
			Message: "the person who consented does not belong to the workspace " + quote(connection.Workspace),
			Remedy:  "connect as a member of it, or name another workspace",
		}
	}
	if known := connection.Metadata[metaWorkspaceID].Value; known != "" && known != account.WorkspaceID {
		return connector.Account{}, &windlass.Error{
			Kind:    windlass.Conflict,
			Message: "the workspace " + quote(connection.Workspace) + " is not the one that was connected: another workspace has its name now",
			Remedy:  "make a new connection to it",
		}
	}
	return account, nil
}

// identify stores the result of a check in a connection.
func identify(connection *windlass.Connection, account connector.Account) {
	connection.ConsumerRef = account.User
	if len(connection.Scopes) == 0 {
		connection.Scopes = account.Scopes
	}
	if connection.Metadata[metaWorkspaceID].Value == account.WorkspaceID && !strings.HasPrefix(connection.Workspace, "{") {
		connection.Workspace = account.Workspace // it may have been renamed
	}
	connection.Metadata = maps.Clone(connection.Metadata)
	if connection.Metadata == nil {
		connection.Metadata = map[string]windlass.MetadataValue{}
	}
	connection.Metadata[metaWorkspaceID] = windlass.MetadataValue{
		Value: account.WorkspaceID, Source: sourceProvider, DisplayName: account.WorkspaceName,
	}
}

// sameWorkspace reports whether two connections are to one workspace: by its id
// where both have been told, else by name.
func sameWorkspace(a, b windlass.Connection) bool {
	one, other := a.Metadata[metaWorkspaceID].Value, b.Metadata[metaWorkspaceID].Value
	if one != "" && other != "" {
		return one == other
	}
	return strings.EqualFold(a.Workspace, b.Workspace)
}
