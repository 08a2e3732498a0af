package setup

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
	CustomerStore
	ProviderAppStore
	DestinationStore
	APIKeyStore
	JWTKeyStore
	UserStore
}

// ProjectStore keeps projects.
type ProjectStore interface {
	CreateProject(ctx context.Context, p windlass.Project) error
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Projects(ctx context.Context, page windlass.Page) ([]windlass.Project, error)
	// ProjectNamed takes capitals and small letters for the same.
	ProjectNamed(ctx context.Context, name string) (windlass.Project, error)
	UpdateProject(ctx context.Context, p windlass.Project) error
	// DeleteProject refuses while the project holds more than groups and consumers.
	DeleteProject(ctx context.Context, id string) error
	// Topics lists the topics of a project, which stand in the way of deleting it.
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

// UserStore finds what uses a thing, and so stands in the way of deleting or renaming
// it.
type UserStore interface {
	Integrations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Integration, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
}
