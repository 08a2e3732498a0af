package proxy

import (
	"context"
	"net/http"

	"windlass"
)

// Directory finds what a request names: the store. What is not there is an error
// of kind windlass.NotFound.
type Directory interface {
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
}

// Credentials keeps credentials fresh: *connect.Service.
type Credentials interface {
	// Credential returns what to send now. It fails with windlass.NeedsReconnect
	// when the customer has to consent again.
	Credential(ctx context.Context, connection windlass.Connection) (windlass.Credentials, error)
	// Refused says that the provider answered 401 to this version, and returns
	// others to try once. It fails with windlass.Unauthorized when the credentials
	// are not what is wrong, and with windlass.NeedsReconnect when they are dead.
	Refused(ctx context.Context, connection windlass.Connection, version int64) (windlass.Credentials, error)
}

// Budget pays for requests (invariant 7).
type Budget interface {
	// Pay pays for one request that is to be sent now. It fails with
	// windlass.RateLimited and the time to wait, and has then spent nothing.
	Pay(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials) error
	// Learn takes in the answer to a request that was paid.
	Learn(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials, resp *http.Response)
}
