package install

import (
	"context"

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

	RevisionStore
	InstallationStore
	DestinationStore
}

// RevisionStore finds integrations with their latest revisions, and older ones.
type RevisionStore interface {
	// Integration keeps others from changing what it returns until the end of the
	// transaction, if it is called in one; as do the other calls that find one thing.
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
}

// InstallationStore keeps installations with their schedules, and finds the
// connections that they use.
type InstallationStore interface {
	// CreateInstallation refuses a second one of the same integration and group.
	CreateInstallation(ctx context.Context, in windlass.Installation, schedules []windlass.Schedule) error
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	DeleteInstallation(ctx context.Context, projectID, id string) error
	installed.Store

	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
}

// DestinationStore finds destinations.
type DestinationStore interface {
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Destinations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Destination, error)
}
