package read

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
	"windlass/internal/operation"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind: windlass.NotFound for what is not there. What is found in a
// transaction by its id stays as it is until that ends.
type Store interface {
	operation.Store
	// Afterwards calls do when the transaction of ctx has been committed, and never
	// when it is undone; at once without one.
	Afterwards(ctx context.Context, do func())
	Installations
	Operations
	Pages
	Units
	Marks
	Checks
}

// Installations are what is read, for whom, and where it goes.
type Installations interface {
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error)
	SaveSchedule(ctx context.Context, schedule windlass.Schedule) error
	// RenameWorkspace notes the name that a connection's workspace has now.
	RenameWorkspace(ctx context.Context, connectionID, workspace string, now time.Time) error
	// NoteStatus says how the last operation of an installation ended.
	NoteStatus(ctx context.Context, installationID, status string, healthy bool) error
}

// Operations are the reads, for people who follow them.
type Operations interface {
	OperationConfig(ctx context.Context, configID string) (json.RawMessage, error)
	Operation(ctx context.Context, projectID, id string) (windlass.Operation, error)
	OperationLogs(ctx context.Context, operationID, after string, limit int) ([]windlass.OperationLog, error)
}

// Pages are those of an operation under way. KeepReadPage is called in the page's
// transaction, DropReadPages in the one that ends the operation.
type Pages interface {
	KeepReadPage(ctx context.Context, page windlass.ReadPage) error
	ReadPages(ctx context.Context, operationID string) ([]windlass.ReadPage, error)
	DropReadPages(ctx context.Context, operationID string) error
}

// Units are the parts of an operation under way whose object is below another, and
// the marks of their parents.
type Units interface {
	// AddReadUnits leaves those as they are that are there.
	AddReadUnits(ctx context.Context, units []windlass.ReadUnit) error
	// NextReadUnit fails with windlass.NotFound when none is open.
	NextReadUnit(ctx context.Context, operationID string) (windlass.ReadUnit, error)
	SaveReadUnit(ctx context.Context, unit windlass.ReadUnit) error
	CountReadUnits(ctx context.Context, operationID string) (map[string]int64, error)
	DropReadUnits(ctx context.Context, operationID string) error
	ParentMark(ctx context.Context, installationID, object, parentID string) (time.Time, error)
	NoteParent(ctx context.Context, installationID, object, parentID, status string, mark, now time.Time) error
}

// Marks are what is remembered from one read of an object to the next.
type Marks interface {
	ReadState(ctx context.Context, installationID, object string) (windlass.ReadState, error)
	MoveMark(ctx context.Context, installationID, object, workspace string, mark, now time.Time) error
	CountFailure(ctx context.Context, installationID, object string, now time.Time) (failures int, err error)
	PauseReads(ctx context.Context, installationID, object string, paused bool, reason string, now time.Time) error
	// Seen, Remember and Forget are about what was delivered in the overlap.
	Seen(ctx context.Context, installationID, object string, ids []string) (map[string]time.Time, error)
	Remember(ctx context.Context, installationID, object string, records []windlass.SeenRecord) error
	Forget(ctx context.Context, installationID, object string, before time.Time) error
}

// Checks are schedules that are due, see [Flow.RunChecks].
type Checks interface {
	// ClaimReads takes what is due and makes it due again at a later time.
	ClaimReads(ctx context.Context, now, until time.Time, limit int) ([]windlass.Schedule, error)
	// EndChecks says when they are due next, and moves the marks of those that found
	// nothing. What has changed meanwhile stays as it is.
	EndChecks(ctx context.Context, checks []windlass.Check) error
	// CheckStarts returns what the checks of schedules begin with, by the schedules'
	// ids. Of one whose installation is gone there is none.
	CheckStarts(ctx context.Context, schedules []windlass.Schedule) (map[string]windlass.CheckStart, error)
}

// Outbox takes what is to be delivered.
type Outbox interface {
	// AddBatches is called in the transaction of the page that the batches are
	// made of. They are delivered in this order.
	AddBatches(ctx context.Context, batches []windlass.Batch) error
}

// Notifier tells the product what became of its reads. It is called within the
// transaction that makes it true: it stores what is to be sent.
type Notifier interface {
	Notify(ctx context.Context, projectID, kind string, data any) error
}
