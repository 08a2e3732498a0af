package write

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
	"windlass/connector"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind: windlass.NotFound for what is not there.
type Store interface {
	// In runs do in one transaction, which its context carries. What is found in it
	// by its id stays as it is until it ends.
	In(ctx context.Context, do func(ctx context.Context) error) error
	Installations
	Operations
	Writes
	Keys
}

// Installations are what is written to, and for whom.
type Installations interface {
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
}

// Operations are the writes as everybody sees them. What only the holder of a
// lease may do fails with windlass.Conflict for everybody else.
type Operations interface {
	BeginOperation(ctx context.Context, operation windlass.Operation, config json.RawMessage) error
	OperationConfig(ctx context.Context, configID string) (json.RawMessage, error)
	Operation(ctx context.Context, projectID, id string) (windlass.Operation, error)
	Operations(ctx context.Context, filter windlass.OperationFilter) ([]windlass.Operation, error)
	StalledOperations(ctx context.Context, before time.Time, limit int) ([]windlass.Operation, error)
	LeaseOperation(ctx context.Context, id, holder string, now, until time.Time) (
		operation windlass.Operation, won bool, held time.Time, err error)
	// MoveCursor compares the cursor before it moves it, and prolongs the lease.
	MoveCursor(ctx context.Context, progress windlass.Progress) error
	SuspendOperation(ctx context.Context, id, holder string, until time.Time, attempt int, requests int64, now time.Time) error
	WakeOperation(ctx context.Context, id string, now time.Time) error
	AppendLogs(ctx context.Context, lines []windlass.OperationLog) error
}

// Writes are what is to be written, until it has been.
type Writes interface {
	CreateWrite(ctx context.Context, w windlass.Write, records []windlass.WriteRecord) error
	Write(ctx context.Context, operationID string) (windlass.Write, error)
	WriteRecords(ctx context.Context, operationID string) ([]windlass.WriteRecord, error)
	SaveWriteRecord(ctx context.Context, r windlass.WriteRecord) error
	// EndWrite ends the operation, and erases what belongs to it here.
	EndWrite(ctx context.Context, id, holder, status, result string, requests int64, now time.Time) error

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
	// before; saved is false when somebody else was faster.
	SaveWriteKey(ctx context.Context, k windlass.WriteKey, before string) (saved bool, err error)
}

// Jobs runs things later, exactly if the transaction of ctx is committed.
type Jobs interface {
	// EnqueueWrite sees to it that [Flow.Step] is called, at a time or, if that is
	// zero, soon.
	EnqueueWrite(ctx context.Context, operationID string, at time.Time) error
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
