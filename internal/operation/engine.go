package operation

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"windlass"
	"windlass/internal/ids"
)

// Store is what this package needs to have kept. Every error carries a
// windlass.Kind: windlass.NotFound for what is not there.
type Store interface {
	// In runs do in one transaction, which its context carries.
	In(ctx context.Context, do func(ctx context.Context) error) error
	// BeginOperation fails with windlass.Conflict, without undoing the transaction,
	// while there is another operation that it must not run beside.
	BeginOperation(ctx context.Context, operation windlass.Operation, config json.RawMessage) error
	WakeOperation(ctx context.Context, id string, now time.Time) error
	AppendLogs(ctx context.Context, lines []windlass.OperationLog) error
	Operations(ctx context.Context, filter windlass.OperationFilter) ([]windlass.Operation, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
	Standing(ctx context.Context, installationID, object string) (windlass.Standing, error)
	// StalledOperations lists those of one kind that should have gone on before a
	// time.
	StalledOperations(ctx context.Context, kind string, before time.Time, limit int) ([]windlass.Operation, error)
	Leases
}

// Leases are what an operation is carried on under. What only the owner of a lease
// may do fails with windlass.Conflict for all others.
type Leases interface {
	// LeaseOperation takes an operation that runs, does not wait, and is not leased;
	// else it says until when it is. The first lease starts it.
	LeaseOperation(ctx context.Context, id, lease string, now, until time.Time) (
		operation windlass.Operation, won bool, leased time.Time, err error)
	// MoveCursor compares the cursor before it moves it (invariant 1), and extends
	// the lease.
	MoveCursor(ctx context.Context, progress windlass.Progress) error
	RestartOperation(ctx context.Context, id, lease string, requests int64, now time.Time) error
	SuspendOperation(ctx context.Context, id, lease string, until time.Time, attempt int, requests int64, now time.Time) error
	EndOperation(ctx context.Context, id, lease, status, result string, requests int64, now time.Time) error
	// ReleaseLeases ends the leases of a process, or, when owner is empty, of all, on
	// operations of one kind, and returns the ids of these.
	ReleaseLeases(ctx context.Context, kind, owner string) ([]string, error)
}

// Jobs runs things later, exactly if the transaction of ctx is committed.
type Jobs interface {
	// Enqueue sees to it that [Engine.Step] is called, at a time or, if that is zero,
	// soon, even if another job of the operation waits: that may be for long.
	Enqueue(ctx context.Context, operationID string, at time.Time) error
}

// Options are what a flow and the engine of its operations have in common. The zero
// value works.
type Options struct {
	// Logger gets what a person has to act on; nil means no log.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now. It should agree with the clocks of the
	// other processes to within seconds: leases are compared by it.
	Now func() time.Time
	// Slice and SliceSteps bound a slice; 0 means half a minute, and any number.
	Slice      time.Duration
	SliceSteps int
	// Lease is how long an operation is leased without a sign of life; 0 means two
	// minutes. A process in which steps take longer extends the leases of Owner.
	Lease time.Duration
	// Call is how long the calls of one step may take; 0 means half a lease.
	Call time.Duration
	// Owner is the process that the leases belong to, by which others find them when
	// it is gone; empty means none in particular.
	Owner string
}

// Fill fills in what was left out.
func (o *Options) Fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Slice = cmp.Or(o.Slice, defaultSlice)
	o.Lease = cmp.Or(o.Lease, defaultLease)
	o.Call = cmp.Or(o.Call, o.Lease/2)
}

// Config is what an Engine is made of.
type Config struct {
	Options

	// Kind is the windlass.Operation.Action of the operations.
	Kind  string
	Store Store
	Jobs  Jobs
	// Work returns what carries one slice of an operation on. The turn has no
	// operation yet.
	Work func(*Turn) Work
	// Connected is what else there is to do for an installation whose connection works
	// again, in the same transaction; nil for nothing.
	Connected func(ctx context.Context, in windlass.Installation) error
}

const (
	defaultSlice = 30 * time.Second
	defaultLease = 2 * time.Minute

	// stalledAfter is how long an operation may do nothing, without a reason, before
	// it counts as one that has lost its job.
	stalledAfter = 10 * time.Minute
	// maxStalled is how many stalled operations one look finds.
	maxStalled = 1000
)

// Engine carries operations of one kind on. It is safe for concurrent use; any
// number may share one store.
type Engine struct {
	store  Store
	config Config
	leases sync.Map // of the turns that are under way
}

// New returns an Engine.
func New(c Config) *Engine {
	c.Fill()
	return &Engine{store: c.Store, config: c}
}

// Kind is the windlass.Operation.Action of the operations.
func (e *Engine) Kind() string { return e.config.Kind }

// Now is the time, cut to what the store and the provider's filters keep of it.
func (e *Engine) Now() time.Time { return e.config.Now().UTC().Truncate(time.Microsecond) }

// Begin adds an operation and the first line of its log, within a transaction. It
// fails with windlass.Conflict while there is another one that it must not run
// beside.
func (e *Engine) Begin(ctx context.Context, p windlass.Operation, config json.RawMessage, line string, details map[string]string) error {
	if err := e.store.BeginOperation(ctx, p, config); err != nil {
		return err
	}
	return e.Note(ctx, p.ID, windlass.SeverityInfo, line, details)
}

// Note adds a line to an operation's log.
func (e *Engine) Note(ctx context.Context, operationID, severity, message string, details map[string]string) error {
	return e.store.AppendLogs(ctx, []windlass.OperationLog{{
		ID: ids.New(), OperationID: operationID, Time: e.Now(), Severity: severity, Message: message, Details: details,
	}})
}

// Enqueue sees to it that an operation is carried on, at a time or, if that is
// zero, soon.
func (e *Engine) Enqueue(ctx context.Context, operationID string, at time.Time) error {
	return e.config.Jobs.Enqueue(ctx, operationID, at)
}

// Wake lets an operation go on at once, whatever it waits for, within a transaction.
func (e *Engine) Wake(ctx context.Context, operationID string) error {
	if err := e.store.WakeOperation(ctx, operationID, e.Now()); err != nil {
		return err
	}
	return e.Enqueue(ctx, operationID, time.Time{})
}

// Connected lets the operations go on that have waited for a connection to work
// again. It may be called in the transaction that replaces the credentials, and any
// number of times.
func (e *Engine) Connected(ctx context.Context, connection windlass.Connection) error {
	return e.store.In(ctx, func(ctx context.Context) error {
		all, err := e.store.Installations(ctx, windlass.InstallationFilter{ProjectID: connection.ProjectID, ConnectionID: connection.ID})
		if err != nil {
			return err
		}
		for i := range all {
			if err := e.wakeAll(ctx, all[i].ID); err != nil {
				return err
			}
			if e.config.Connected == nil {
				continue
			}
			if err := e.config.Connected(ctx, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakeAll lets the operations of an installation go on that have started. The others
// have jobs that are on their way, or not due yet.
func (e *Engine) wakeAll(ctx context.Context, installationID string) error {
	running, err := e.store.Operations(ctx, windlass.OperationFilter{
		InstallationID: installationID, Action: e.config.Kind, Status: windlass.OperationRunning,
	})
	for i := range running {
		if running[i].Started.IsZero() {
			continue
		}
		if err := e.Wake(ctx, running[i].ID); err != nil {
			return err
		}
	}
	return err
}

// Resume finds operations that have lost their jobs, or their processes, and gives
// them new jobs. It belongs on a timer of some minutes; a job too many does no harm.
// It returns how many it found.
func (e *Engine) Resume(ctx context.Context) (n int, err error) {
	stalled, err := e.store.StalledOperations(ctx, e.config.Kind, e.Now().Add(-stalledAfter), maxStalled)
	if err != nil || len(stalled) == 0 {
		return 0, err
	}
	return len(stalled), e.store.In(ctx, func(ctx context.Context) error {
		for i := range stalled {
			if err := e.Enqueue(ctx, stalled[i].ID, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TakeOver ends the leases of a process that is gone and lets its operations go on:
// of all processes when owner is empty, for a process that knows itself to be alone
// with the database, as it starts. It returns how many operations it found.
func (e *Engine) TakeOver(ctx context.Context, owner string) (n int, err error) {
	err = e.store.In(ctx, func(ctx context.Context) error {
		ids, err := e.store.ReleaseLeases(ctx, e.config.Kind, owner)
		if err != nil {
			return err
		}
		n = len(ids)
		for _, id := range ids {
			if err := e.Enqueue(ctx, id, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Leases are those that turns of this process work under now. One that could not be
// given back is not among them.
func (e *Engine) Leases() (leases []string) {
	e.leases.Range(func(lease, _ any) bool {
		if name, ok := lease.(string); ok { // hold puts nothing else in
			leases = append(leases, name)
		}
		return true
	})
	return leases
}
