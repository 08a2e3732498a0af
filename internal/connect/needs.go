package connect

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind, as in windlass.NotFound for what is not there.
type Store interface {
	// In runs do in one transaction, which its context carries: all calls with that
	// context happen or none does.
	In(ctx context.Context, do func(ctx context.Context) error) error
	// Afterwards calls do when the transaction of ctx has been committed, and never
	// when it is undone; at once without one.
	Afterwards(ctx context.Context, do func())
	Setup
	States
	Connections
	Leases
}

// Setup reads the configuration of the product.
type Setup interface {
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Projects(ctx context.Context, page windlass.Page) ([]windlass.Project, error)
	// ProviderApp reads one; within In it locks its row.
	ProviderApp(ctx context.Context, projectID, idOrProvider string) (windlass.ProviderApp, error)
	ProviderApps(ctx context.Context, projectID string, page windlass.Page) ([]windlass.ProviderApp, error)
	Integrations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Integration, error)
}

// States are the consents that have begun and not come back.
type States interface {
	CreateState(ctx context.Context, state windlass.ConnectState) error
	// PendingStates counts those of a project, and of a group of it, that have not
	// expired.
	PendingStates(ctx context.Context, projectID, groupRef string, now time.Time) (windlass.PendingStates, error)
	// State returns a state's data and leaves it there. It fails as TakeState does.
	State(ctx context.Context, hash string, now time.Time) (json.RawMessage, error)
	// ForgetStates deletes those that have expired.
	ForgetStates(ctx context.Context, now time.Time) error
	// TakeState returns a state's data and forgets it in the same statement, so
	// that of two callbacks one gets it. It fails with windlass.NotFound when the
	// state is unknown or was taken, and with windlass.Gone when it expired.
	TakeState(ctx context.Context, hash string, now time.Time) (json.RawMessage, error)
}

// Connections are the connections and, kept apart and sealed, their credentials.
type Connections interface {
	// CreateConnection adds a connection, and its group and consumer if they are
	// new. It may fail with windlass.Conflict when another request has just added
	// one for the same customer and workspace.
	CreateConnection(ctx context.Context, connection windlass.Connection, credentials windlass.Credentials) error
	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
	UpdateConnection(ctx context.Context, connection windlass.Connection) error
	Credentials(ctx context.Context, connectionID string) (windlass.Credentials, error)
	// ReplaceCredentials gives a connection new credentials with the next
	// version, and ends a lease on the old ones: a refresh that is under way
	// must not overwrite what the customer has just consented to.
	ReplaceCredentials(ctx context.Context, connectionID string, credentials windlass.Credentials) error
	// DeleteConnection erases a connection and its credentials. It fails with
	// windlass.Conflict while installations use it.
	DeleteConnection(ctx context.Context, projectID, id string) error
	// SetConnectionStatus changes the status if the credentials still have the
	// version that the caller judges by; it says whether they had.
	SetConnectionStatus(
		ctx context.Context, id string, status windlass.ConnectionStatus, reason string, version int64,
	) (changed bool, err error)
}

// Leases say which process may refresh a connection (invariant 4).
type Leases interface {
	// LeaseRefresh gives the lease to owner unless another one has it until
	// later than now.
	LeaseRefresh(ctx context.Context, id, owner string, now, until time.Time) (won bool, err error)
	// SaveRefreshed stores refreshed credentials with the next version and ends
	// the lease. It fails with windlass.Conflict when the lease was lost.
	SaveRefreshed(ctx context.Context, id, owner string, credentials windlass.Credentials) error
	// ReleaseRefresh ends the lease, if owner still has it, and notes why
	// nothing was refreshed.
	ReleaseRefresh(ctx context.Context, id, owner, reason string) error
}

// Notifier tells the product what happened to its connections.
type Notifier interface {
	// Notify is called once for each event, within the transaction of its cause: it
	// stores the message and does not send it.
	Notify(ctx context.Context, event Event) error
}

// Event is something that happened to a connection.
type Event struct {
	Type       string
	Connection windlass.Connection
	Problem    string // a sentence, for EventError
}

// The types of event, as the published contract names them.
const (
	EventCreated   = "connection.created"
	EventUpdated   = "connection.updated"
	EventRefreshed = "connection.refreshed"
	EventDeleted   = "connection.deleted"
	EventError     = "connection.error"
)
