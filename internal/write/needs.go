package write

import (
	"context"
	"encoding/json"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind: windlass.NotFound for what is not there. What is found in a
// transaction by its id stays as it is until that ends.
type Store interface {
	operation.Store
	Installations
	Writes
	Keys

	OperationConfig(ctx context.Context, configID string) (json.RawMessage, error)
	Operation(ctx context.Context, projectID, id string) (windlass.Operation, error)
}

// Installations are what is written to, and for whom.
type Installations interface {
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
}

// Writes are what is to be written, until it has been.
type Writes interface {
	CreateWrite(ctx context.Context, w windlass.Write, records []windlass.WriteRecord) error
	Write(ctx context.Context, operationID string) (windlass.Write, error)
	WriteRecords(ctx context.Context, operationID string) ([]windlass.WriteRecord, error)
	SaveWriteRecord(ctx context.Context, r windlass.WriteRecord) error
	// EraseWrite erases what belongs to an operation that has ended, and notes its
	// status as the installation's last one.
	EraseWrite(ctx context.Context, operationID string) error

	// CollectingWrite finds the write that may be joined under a name; of several
	// that begin at once under one, all but the first fail with windlass.Conflict.
	CollectingWrite(ctx context.Context, collects string) (windlass.Write, error)
	JoinWrite(ctx context.Context, record windlass.WriteRecord) error
	CloseWrite(ctx context.Context, operationID string) error
}

// Keys recognize requests that are sent again.
type Keys interface {
	WriteKey(ctx context.Context, id string) (windlass.WriteKey, error)
	// SaveWriteKey adds a key, or replaces the one that stands for the operation
	// before; saved is false when another request was faster.
	SaveWriteKey(ctx context.Context, k windlass.WriteKey, before string) (saved bool, err error)
}

// Notifier tells the product what became of its writes. It is called within the
// transaction that makes it true: it stores what is to be sent.
type Notifier interface {
	Notify(ctx context.Context, projectID, event string, data any) error
}

// Target writes to one workspace.
type Target interface {
	connector.Writer
	connector.Deleter
	connector.Finder
	connector.Getter
}
