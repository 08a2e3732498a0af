package api

import (
	"context"

	"windlass"
	"windlass/internal/connect"
)

// Lookup is what the API looks up without a flow: the store. What is not there is
// an error of kind windlass.NotFound.
type Lookup interface {
	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
	// JWTKey returns the public key that a token names, whatever its project.
	JWTKey(ctx context.Context, id string) (windlass.JWTKey, error)
}

// Connecting is what connections are to the API: *connect.Service.
type Connecting interface {
	Start(ctx context.Context, ask connect.Ask, opener connect.Opener) (connect.Consent, error)
	Reconnect(ctx context.Context, projectID, id string, opener connect.Opener) (connect.Consent, error)
	Open(ctx context.Context, ticket string, kept windlass.Secret) (connect.Opening, error)
	Continue(ctx context.Context, ticket string, kept windlass.Secret, confirmation string) (connect.Opening, error)
	Callback(ctx context.Context, answer connect.Answer) (connect.Outcome, error)
	Generate(ctx context.Context, given connect.Import) (connect.Outcome, error)
	Get(ctx context.Context, projectID, id string, fresh connect.Freshness) (windlass.Connection, windlass.Credentials, error)
	Update(ctx context.Context, projectID, id string, change connect.Change) (windlass.Connection, error)
	Delete(ctx context.Context, projectID, id string) error
}
