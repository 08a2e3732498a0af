package proxy

import (
	"context"
	"net/http"

	"windlass"
)

// Directory finds what a request names: the store. It fails with windlass.NotFound for
// what does not exist.
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
	// others to try once. It fails with windlass.Unauthorized when the credentials are
	// not the cause, and with windlass.NeedsReconnect when they no longer work.
	Refused(ctx context.Context, connection windlass.Connection, version int64) (windlass.Credentials, error)
}

// Budget pays for requests (invariant 7).
type Budget interface {
	// Pay pays for one request that is to be sent now. It fails with
	// windlass.RateLimited and the time to wait, and has then spent nothing.
	Pay(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials) error
	// Learn updates the budget from the answer to a paid request.
	Learn(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials, resp *http.Response)
}
