package read

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind: windlass.NotFound for what is not there.
type Store interface {
	// In runs do in one transaction, which its context carries: what is called
	// with that context happens altogether or not at all. What is found in it by
	// its id stays as it is until it ends.
	In(ctx context.Context, do func(ctx context.Context) error) error
	// Afterwards calls do when the transaction of ctx has been committed, and never
	// when it is undone; at once without one.
	Afterwards(ctx context.Context, do func())
	Installations
	Operations
	Turns
	Logs
	Marks
	Checks
	LargeRecords
}

// Installations are what is read, for whom, and where it goes.
type Installations interface {
	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error)
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error)
	SaveSchedule(ctx context.Context, schedule windlass.Schedule) error
	// RenameWorkspace notes the name that a connection's workspace has now.
	RenameWorkspace(ctx context.Context, connectionID, workspace string, now time.Time) error
	// NoteStatus says how the last operation of an installation ended.
	NoteStatus(ctx context.Context, installationID, status string, healthy bool) error
}

// Operations are the reads.
type Operations interface {
	// BeginOperation fails with windlass.Conflict, without undoing the
	// transaction, while another read of the same object is under way.
	BeginOperation(ctx context.Context, operation windlass.Operation, config json.RawMessage) error
	OperationConfig(ctx context.Context, configID string) (json.RawMessage, error)
	Operation(ctx context.Context, projectID, id string) (windlass.Operation, error)
	Operations(ctx context.Context, filter windlass.OperationFilter) ([]windlass.Operation, error)
	// StalledOperations lists running ones that should have gone on before a time.
	StalledOperations(ctx context.Context, before time.Time, limit int) ([]windlass.Operation, error)
	WakeOperation(ctx context.Context, id string, now time.Time) error
}

// Turns are what carries an operation on. What only the holder of its lease may
// do fails with windlass.Conflict for everybody else.
type Turns interface {
	// LeaseOperation takes an operation that runs, does not wait, and is not
	// held; else it says until when it is held. The first one starts it.
	LeaseOperation(ctx context.Context, id, holder string, now, until time.Time) (
		operation windlass.Operation, won bool, held time.Time, err error)
	// ReleaseLeases takes everything from whoever has it.
	ReleaseLeases(ctx context.Context) error
	// MoveCursor compares the cursor before it moves it (invariant 1).
	MoveCursor(ctx context.Context, progress windlass.Progress) error
	RestartOperation(ctx context.Context, id, holder string, requests int64, now time.Time) error
	SuspendOperation(ctx context.Context, id, holder string, until time.Time, attempt int, requests int64, now time.Time) error
	// KeepReadPage is called in the page's transaction, DropReadPages in the one
	// that ends the operation.
	KeepReadPage(ctx context.Context, page windlass.ReadPage) error
	ReadPages(ctx context.Context, operationID string) ([]windlass.ReadPage, error)
	DropReadPages(ctx context.Context, operationID string) error
	EndOperation(ctx context.Context, id, holder, status, result string, requests int64, now time.Time) error
}

// Logs are for people who follow an operation.
type Logs interface {
	AppendLogs(ctx context.Context, lines []windlass.OperationLog) error
	OperationLogs(ctx context.Context, operationID, after string, limit int) ([]windlass.OperationLog, error)
}

// Marks are what is remembered from one read of an object to the next.
type Marks interface {
	ReadMark(ctx context.Context, installationID, object string) (windlass.ReadMark, error)
	MoveMark(ctx context.Context, installationID, object, workspace string, mark, now time.Time) error
	CountFailure(ctx context.Context, installationID, object string, now time.Time) (failures int, err error)
	PauseReads(ctx context.Context, installationID, object string, paused bool, reason string, now time.Time) error
	Standing(ctx context.Context, installationID, object string) (windlass.Standing, error)
	// Seen, Remember and Forget are about what was delivered in the overlap.
	Seen(ctx context.Context, installationID, object string, ids []string) (map[string]time.Time, error)
	Remember(ctx context.Context, installationID, object string, records []windlass.Sighting) error
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

// LargeRecords are the records that are too large for a message.
type LargeRecords interface {
	KeepLargeRecord(ctx context.Context, record windlass.LargeRecord) error
	LargeRecord(ctx context.Context, id string) (windlass.LargeRecord, error)
}

// Outbox takes what is to be delivered.
type Outbox interface {
	// AddBatches is called in the transaction of the page that the batches are
	// made of. They are delivered in this order.
	AddBatches(ctx context.Context, batches []windlass.Batch) error
}

// Jobs runs things later, exactly if the transaction of ctx is committed.
type Jobs interface {
	// EnqueueRead sees to it that [Flow.Step] is called, soon, even if another
	// job of the same operation waits: that one may be waiting for long.
	EnqueueRead(ctx context.Context, operationID string) error
	// EnqueueDelivery sees to it that what a lane has is delivered.
	EnqueueDelivery(ctx context.Context, destinationID, lane string) error
}

// Notifier tells the product what became of its reads. It is called within the
// transaction that makes it true: it stores what is to be sent.
type Notifier interface {
	Notify(ctx context.Context, projectID, kind string, data any) error
}
