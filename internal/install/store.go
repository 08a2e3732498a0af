package install

import (
	"context"
	"time"

	"windlass"
)

// Store is where the flow keeps everything. A thing that is not there is an
// error of kind windlass.NotFound, a name or a place that is taken one of kind
// windlass.Conflict.
type Store interface {
	// In runs a function in one transaction, which the calls that are given its
	// context join. An error undoes all of it.
	In(ctx context.Context, do func(ctx context.Context) error) error

	ProjectStore
	ProviderAppStore
	IntegrationStore
	InstallationStore
	DisabledStore
	DestinationStore
	APIKeyStore
	JWTKeyStore
	UploadStore
}

// ProjectStore keeps projects, with the customers in them.
type ProjectStore interface {
	CustomerStore
	CreateProject(ctx context.Context, p windlass.Project) error
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Projects(ctx context.Context, page windlass.Page) ([]windlass.Project, error)
	// ProjectNamed takes capitals and small letters for the same.
	ProjectNamed(ctx context.Context, name string) (windlass.Project, error)
	UpdateProject(ctx context.Context, p windlass.Project) error
	// DeleteProject refuses while the project holds more than groups and consumers.
	DeleteProject(ctx context.Context, id string) error
	// Topics lists the topics of a project, which prevent its deletion.
	Topics(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Topic, error)
}

// CustomerStore keeps groups and consumers. An empty name keeps the one that is
// known.
type CustomerStore interface {
	KeepGroup(ctx context.Context, g windlass.Group) (windlass.Group, error)
	KeepConsumer(ctx context.Context, c windlass.Consumer) (windlass.Consumer, error)
	// CountCustomers counts what was added since a time, no further than limit.
	CountCustomers(ctx context.Context, projectID string, since time.Time, limit int) (groups, consumers int, err error)
}

// ProviderAppStore keeps provider apps.
type ProviderAppStore interface {
	CreateProviderApp(ctx context.Context, a windlass.ProviderApp) error
	// ProviderApp takes an id, or the name of a provider that has only one.
	ProviderApp(ctx context.Context, projectID, idOrProvider string) (windlass.ProviderApp, error)
	ProviderApps(ctx context.Context, projectID string, page windlass.Page) ([]windlass.ProviderApp, error)
	UpdateProviderApp(ctx context.Context, a windlass.ProviderApp) error
	DeleteProviderApp(ctx context.Context, projectID, id string) error
}

// IntegrationStore keeps integrations and all of their revisions.
type IntegrationStore interface {
	// SaveIntegrations inserts or updates by name, and adds each Latest that is new.
	SaveIntegrations(ctx context.Context, projectID string, all []windlass.Integration) error
	// Integration locks what it returns until the end of the transaction, if it is
	// called in one; as do the other calls that find one thing.
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Integrations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Integration, error)
	DeleteIntegration(ctx context.Context, projectID, id string) error
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
}

// InstallationStore keeps installations with their schedules, and finds the
// connections that they use.
type InstallationStore interface {
	// CreateInstallation refuses a second one of the same integration and group.
	CreateInstallation(ctx context.Context, in windlass.Installation, schedules []windlass.Schedule) error
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	// Schedules lists an installation's schedules.
	Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error)
	// UpdateInstallation replaces the installation's schedules by those given.
	UpdateInstallation(ctx context.Context, in windlass.Installation, schedules []windlass.Schedule) error
	DeleteInstallation(ctx context.Context, projectID, id string) error

	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
}

// DisabledStore keeps what deploys disabled, so that a later one can enable it
// again.
type DisabledStore interface {
	DisabledByDeploy(ctx context.Context, integrationID string) ([]windlass.DisabledObject, error)
	MarkDisabledByDeploy(ctx context.Context, d windlass.DisabledObject, now time.Time) error
	ForgetDisabledByDeploy(ctx context.Context, d windlass.DisabledObject) error
}

// DestinationStore keeps destinations.
type DestinationStore interface {
	CreateDestination(ctx context.Context, d windlass.Destination) error
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Destinations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Destination, error)
	UpdateDestination(ctx context.Context, d windlass.Destination) error
	DeleteDestination(ctx context.Context, projectID, id string) error
}

// APIKeyStore keeps the keys that open the API: of each only its hash, which is
// windlass.Secret.Hash of the whole key.
type APIKeyStore interface {
	CreateAPIKey(ctx context.Context, k windlass.APIKey) error
	APIKeyByHash(ctx context.Context, hash string) (windlass.APIKey, error)
	APIKey(ctx context.Context, projectID, id string) (windlass.APIKey, error)
	APIKeys(ctx context.Context, projectID string, active bool, page windlass.Page) ([]windlass.APIKey, error)
	UpdateAPIKey(ctx context.Context, k windlass.APIKey) error
	DeleteAPIKey(ctx context.Context, projectID, id string) error
}

// JWTKeyStore keeps the keys that verify tokens.
type JWTKeyStore interface {
	CreateJWTKey(ctx context.Context, k windlass.JWTKey) error
	JWTKey(ctx context.Context, id string) (windlass.JWTKey, error)
	JWTKeys(ctx context.Context, projectID string, active bool, page windlass.Page) ([]windlass.JWTKey, error)
	UpdateJWTKey(ctx context.Context, k windlass.JWTKey) error
	DeleteJWTKey(ctx context.Context, projectID, id string) error
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
