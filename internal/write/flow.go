package write

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

// Config is what a Flow is made of. Store, Jobs, Providers and Open are required.
type Config struct {
	Store     Store
	Jobs      Jobs
	Providers connector.Providers
	// Open returns a way to write to a connection's workspace. The mode,
	// windlass.WriteSync or WriteAsync, says whether somebody waits. One that has a
	// method Requests() int64 is asked how many requests it has sent; otherwise each
	// call counts as one.
	Open func(ctx context.Context, c windlass.Connection, mode string) (Target, error)
	// Notifier is told what became of asynchronous writes; nil means nobody is.
	Notifier Notifier
	// Logger gets what a person has to act on; nil means nobody does.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now. It should agree with the clocks of the
	// other processes to within seconds: leases are compared by it.
	Now func() time.Time

	// Patience is how long a synchronous write may take; 0 means 45 seconds.
	Patience time.Duration
	// Slice bounds one step of an asynchronous write; 0 means half a minute.
	Slice time.Duration
	// Lease is how long an operation is held without a sign of life; 0 means two
	// minutes. Whoever lets calls take longer than it extends the leases of Owner.
	Lease time.Duration
	// Call is how long one record's calls of the provider may take; 0 means half a
	// lease.
	Call time.Duration
	// Owner is the process whose leases they are, by which others find them when it
	// is gone; empty means none in particular.
	Owner string
	// Alive returns a context that ends when this process can no longer show that it
	// lives: others may take its writes over, so its calls end. Nil: it always can.
	Alive func() context.Context
}

// The defaults of a Config, and what nobody can change.
const (
	defaultPatience = 45 * time.Second
	defaultSlice    = 30 * time.Second
	defaultLease    = 2 * time.Minute

	// MostRecords is how many records a batch may have.
	MostRecords = 100
	// keyLife is how long requests with the same key are one.
	keyLife = 24 * time.Hour
	// skew is how far the provider's clock may be behind ours.
	skew = time.Minute
)

// The keys of what is logged.
const (
	logOperation = logkey.Operation
	logObject    = logkey.Object
	logReason    = logkey.Error
	logRecord    = logkey.Record
	logRecordID  = logkey.RecordID
	logUntil     = logkey.Until
	logTook      = logkey.Duration
	logWritten   = logkey.Written
	logFailed    = logkey.Failed
	logRequests  = logkey.Requests
)

// Flow writes. It is safe for concurrent use; any number may share one store.
type Flow struct {
	store Store
	jobs  Jobs
	opts  Config

	holders sync.Map // of the steps that are under way
}

// New returns a Flow.
func New(c Config) (*Flow, error) {
	if c.Store == nil || c.Jobs == nil || len(c.Providers) == 0 || c.Open == nil {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "set up writes", Message: "a store, jobs, a provider and a way to open it are required"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Patience = cmp.Or(c.Patience, defaultPatience)
	c.Slice = cmp.Or(c.Slice, defaultSlice)
	c.Lease = cmp.Or(c.Lease, defaultLease)
	c.Call = cmp.Or(c.Call, c.Lease/2)
	if c.Alive == nil {
		c.Alive = context.Background
	}
	return &Flow{store: c.Store, jobs: c.Jobs, opts: c}, nil
}

// provider is a connection's; nil where the server does not know it.
func (f *Flow) provider(c windlass.Connection) connector.Provider {
	found, _ := f.opts.Providers.Named(c.Provider)
	return found
}

// secretFields are the fields at the top of an object's record whose values are not
// to be seen by anyone.
func (f *Flow) secretFields(c windlass.Connection, object string) []string {
	provider := f.provider(c)
	if provider == nil {
		return nil
	}
	fields, err := provider.Fields(object)
	if err != nil {
		return nil // an object that is not known has none
	}
	return connector.SecretFields(fields)
}

// now is cut to what the store keeps of a time.
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

// note adds a line to an operation's log.
func (f *Flow) note(ctx context.Context, operationID, severity, message string, details map[string]string) error {
	return f.store.AppendLogs(ctx, []windlass.OperationLog{{
		ID: newID(), OperationID: operationID, Time: f.now(), Severity: severity, Message: message, Details: details,
	}})
}
