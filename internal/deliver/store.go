package deliver

import (
	"context"
	"time"

	"windlass"
)

// Store keeps batches, what was tried with them, and who sends to which
// destination. What is not there is an error of kind windlass.NotFound.
type Store interface {
	// In runs a function in one transaction, which the calls that are given its
	// context join.
	In(ctx context.Context, do func(ctx context.Context) error) error

	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)
	Destinations(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Destination, error)
	// Target finds a destination by its id alone, secrets and all.
	Target(ctx context.Context, destinationID string) (windlass.Destination, error)
	SetDestinationDisabled(
		ctx context.Context, destinationID string, disabled bool, why windlass.Disabling, now time.Time) (changed bool, err error)
	Health(ctx context.Context, destinationID string) (windlass.Health, error)

	LeaseStore
	QueueStore
	HistoryStore
}

// LeaseStore decides who sends to a destination.
type LeaseStore interface {
	// LeaseDestination makes owner the only sender, if there is none.
	LeaseDestination(ctx context.Context, destinationID, owner string, now, until time.Time) (h windlass.Health, won bool, err error)
	// ReleaseDestination keeps the lease when a batch is due, unless force is set.
	ReleaseDestination(ctx context.Context, destinationID, owner string, now time.Time, force bool) (released bool, err error)
	// ReleaseAllDestinations ends every lease.
	ReleaseAllDestinations(ctx context.Context) error
	// RecordOutcomes reports false, and keeps nothing, when the lease is lost.
	RecordOutcomes(ctx context.Context, o windlass.Outcomes) (held bool, err error)
}

// QueueStore says what is due.
type QueueStore interface {
	// DueDestinations leaves out those that are disabled, held back or leased.
	DueDestinations(ctx context.Context, now time.Time, limit int) ([]string, error)
	DueLanes(ctx context.Context, destinationID string, now time.Time, limit int) ([]string, error)
	// DueBatches returns them in the order in which they are to be sent, with
	// their bodies, and no more than so many bytes unless one alone is larger.
	DueBatches(ctx context.Context, destinationID, lane string, now time.Time, limit int, bytes int64) ([]windlass.Batch, error)
	// DueOfLanes is DueBatches for many lanes at once: for those in which fewer than
	// short are due and none waits, in each lane's order and lane by lane.
	DueOfLanes(ctx context.Context, destinationID string, now time.Time, lanes []string, short int, bytes int64) ([]windlass.Batch, error)
	// WaitingBatches lists those that were tried or held back before, due or not,
	// with the keys of their records and without their bodies.
	WaitingBatches(ctx context.Context, destinationID, lane string) ([]windlass.Batch, error)
}

// HistoryStore keeps what became of batches.
type HistoryStore interface {
	Batch(ctx context.Context, projectID, id string) (windlass.Batch, error)
	Batches(ctx context.Context, f windlass.BatchFilter) ([]windlass.Batch, error)
	Attempts(ctx context.Context, batchID string) ([]windlass.Attempt, error)
	// ReplayBatches makes at most limit of those behind the id due once more.
	ReplayBatches(ctx context.Context, r windlass.Replayed, now time.Time, after string, limit int) (n int, last string, err error)
}

// Notifier tells a product what happened, within the transaction of ctx.
type Notifier interface {
	Notify(ctx context.Context, projectID, event string, data any) error
}
