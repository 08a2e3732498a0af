package read

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/connector"
	"windlass/internal/logkey"
)

// Config is what a Flow is made of. Store, Outbox, Jobs, Open and DownloadURL are
// required.
type Config struct {
	Store  Store
	Outbox Outbox
	Jobs   Jobs
	// Open returns a reader of a connection's workspace. The purpose says what
	// its requests are for, and with that who is served first: windlass.Trigger…,
	// or PurposeSample. A reader that has a method Requests() int64 is asked how
	// many it has sent; otherwise each call of Read counts as one.
	Open func(ctx context.Context, c windlass.Connection, purpose string) (connector.Reader, error)
	// DownloadURL is where a large record is fetched, for [Flow.Download].
	DownloadURL func(id string, token windlass.Secret) string
	// LastAttempt returns when the delivery of a batch was last tried, zero for
	// never: a download URL lives on from there, because every retry carries the
	// same bytes (invariant 2). Nil: it lives from when it was made.
	LastAttempt func(ctx context.Context, batchID string) (time.Time, error)
	// Checked is told what became of each scheduled check: Checked…; nil means that
	// it is not counted.
	Checked func(result string)
	// Notifier is told what became of reads; nil means nobody is.
	Notifier Notifier
	// Logger gets what a person has to act on; nil means nobody does.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now. It should agree with the clocks of
	// the other processes to within seconds: leases are compared by it.
	Now func() time.Time

	// SlicePages and Slice bound one step; 0 means 50 pages, and half a minute.
	SlicePages int
	Slice      time.Duration
	// Overlap is how far an incremental read goes back behind the start of the
	// one before; 0 means five minutes.
	Overlap time.Duration
	// Lease is how long an operation is held without a sign of life; 0 means two
	// minutes. Whoever lets pages take longer than it extends the leases of Owner.
	Lease time.Duration
	// Page is how long one page may take; 0 means half a lease.
	Page time.Duration
	// SearchPages, Search and SearchBytes bound a search; 0 means 20 pages, 30 seconds
	// and 8 MiB of what is found.
	SearchPages, SearchBytes int
	Search                   time.Duration
	// Owner is the process whose leases they are, by which others find them when it
	// is gone; empty means none in particular.
	Owner string
}

// PurposeSample is a read of one record, while somebody waits for the answer.
const PurposeSample = "sample"

// The defaults of a Config.
const (
	defaultSlicePages = 50
	defaultSlice      = 30 * time.Second
	defaultOverlap    = 5 * time.Minute
	defaultLease      = 2 * time.Minute
)

// The kinds of notification, as the published contract names them.
const (
	NotifyBackfillDone   = "read.backfill.done"
	NotifyTriggeredDone  = "read.triggered.done"
	NotifyTriggeredError = "read.triggered.error"
	NotifySchedulePaused = "read.schedule.paused"
)

// The keys of what is logged.
const (
	logOperation    = logkey.Operation
	logInstallation = logkey.Installation
	logObject       = logkey.Object
	logReason       = logkey.Error
	logUntil        = logkey.Until
	logRecords      = logkey.Records
	logMessages     = logkey.Messages
	logRequests     = logkey.Requests
	logPages        = logkey.Pages
	logTook         = logkey.Duration
	logEstimate     = logkey.Estimate
	logDelivered    = logkey.DeliveredBefore
)

// Flow reads. It is safe for concurrent use; any number may share one store.
type Flow struct {
	store  Store
	outbox Outbox
	jobs   Jobs
	opts   Config

	holders sync.Map // of the steps that are under way
}

// New returns a Flow.
func New(c Config) (*Flow, error) {
	if c.Store == nil || c.Outbox == nil || c.Jobs == nil || c.Open == nil || c.DownloadURL == nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up reads",
			Message: "a store, an outbox, jobs, a way to the provider and one to large records are required",
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Checked == nil {
		c.Checked = func(string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.SlicePages = cmp.Or(c.SlicePages, defaultSlicePages)
	c.Slice = cmp.Or(c.Slice, defaultSlice)
	c.Overlap = cmp.Or(c.Overlap, defaultOverlap)
	c.Lease = cmp.Or(c.Lease, defaultLease)
	c.Page = cmp.Or(c.Page, c.Lease/2)
	c.SearchPages, c.SearchBytes = cmp.Or(c.SearchPages, defaultSearchPages), cmp.Or(c.SearchBytes, defaultSearchBytes)
	c.Search = cmp.Or(c.Search, defaultSearch)
	return &Flow{store: c.Store, outbox: c.Outbox, jobs: c.Jobs, opts: c}, nil
}

// now is cut to what the store and the provider's filters keep of a time.
func (f *Flow) now() time.Time { return f.opts.Now().UTC().Truncate(time.Microsecond) }

// holder names a step.
func (f *Flow) holder() string { return f.opts.Owner + "/" + newID() }

// hold counts a step among those whose leases are extended, until done is called.
func (f *Flow) hold(holder string) (done func()) {
	f.holders.Store(holder, nil)
	return func() { f.holders.Delete(holder) }
}

// Leases are those that steps of this process work under now. A step that could not
// give its lease back is not among them.
func (f *Flow) Leases() (holders []string) {
	f.holders.Range(func(holder, _ any) bool {
		if name, ok := holder.(string); ok { // hold puts nothing else in
			holders = append(holders, name)
		}
		return true
	})
	return holders
}

// newID returns an id that sorts by the time it was made.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // the system's random source has failed once: an id that does not sort will do
	}
	return id.String()
}

func kindIs(err error, kind windlass.Kind) bool { return err != nil && errors.Is(err, kind) }

// note is a line for an operation's log.
func (f *Flow) note(operationID, severity, message string, details map[string]string) windlass.OperationLog {
	return windlass.OperationLog{
		ID: newID(), OperationID: operationID, Time: f.now(), Severity: severity, Message: message, Details: details,
	}
}

// append adds lines to logs.
func (f *Flow) append(ctx context.Context, lines ...windlass.OperationLog) error {
	if len(lines) == 0 {
		return nil
	}
	return f.store.AppendLogs(ctx, lines)
}
