package deploy

import (
	"context"
	"time"

	"windlass"
	"windlass/internal/installed"
)

// Store is where the flow keeps everything. A thing that is not there is an
// error of kind windlass.NotFound, a name or a place that is taken one of kind
// windlass.Conflict.
type Store interface {
	// In runs a function in one transaction, which the calls that are given its
	// context join. An error undoes all of it.
	In(ctx context.Context, do func(ctx context.Context) error) error

	// Project takes an id or a name.
	Project(ctx context.Context, idOrName string) (windlass.Project, error)

	IntegrationStore
	InstallationStore
	DisabledStore
	UploadStore
	// Destination takes an id or a name.
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
}

// IntegrationStore keeps integrations and all of their revisions.
type IntegrationStore interface {
	// SaveIntegrations inserts or updates by name, and adds each Latest that is new.
	SaveIntegrations(ctx context.Context, projectID string, all []windlass.Integration) error
	// Integration keeps others from changing what it returns until the end of the
	// transaction, if it is called in one; as do the other calls that find one thing.
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Integrations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Integration, error)
	DeleteIntegration(ctx context.Context, projectID, id string) error
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
}

// InstallationStore keeps installations with their schedules.
type InstallationStore interface {
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	DeleteInstallation(ctx context.Context, projectID, id string) error
	installed.Store
}

// DisabledStore keeps what deploys disabled, so that a later one can enable it
// again.
type DisabledStore interface {
	DisabledByDeploy(ctx context.Context, integrationID string) ([]windlass.DisabledObject, error)
	MarkDisabledByDeploy(ctx context.Context, d windlass.DisabledObject, now time.Time) error
	ForgetDisabledByDeploy(ctx context.Context, d windlass.DisabledObject) error
}

// UploadStore keeps uploaded files until they are deployed.
type UploadStore interface {
	CreateUpload(ctx context.Context, u windlass.Upload) error
	Upload(ctx context.Context, id string) (windlass.Upload, error)
	// PutUpload stores the file if the token's hash is right and the time is not up.
	PutUpload(ctx context.Context, id, tokenHash string, data []byte, now time.Time) error
	// TakeUpload returns the file of a project, or of any, and forgets it.
	TakeUpload(ctx context.Context, projectID, id string) ([]byte, error)
}
