package write

import (
	"cmp"
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
)

// Config is what a Flow is made of. Store, Jobs, Providers and Open are required.
type Config struct {
	operation.Options

	Store     Store
	Jobs      operation.Jobs
	Providers connector.Providers
	// Open returns a way to write to a connection's workspace. The mode,
	// windlass.WriteSync or WriteAsync, says whether a caller waits. One that has a
	// method Requests() int64 is asked how many requests it has sent; otherwise each
	// call counts as one.
	Open func(ctx context.Context, c windlass.Connection, mode string) (Target, error)
	// Notifier is told what became of asynchronous writes; nil is not called.
	Notifier Notifier
	// Patience is how long a synchronous write may take; 0 means 45 seconds.
	Patience time.Duration
	// Alive returns a context that ends when this process can no longer show that it
	// lives: others may take its writes over, so its calls end. Nil: it always can.
	Alive func() context.Context
}

// The defaults of a Config, and the constants.
const (
	defaultPatience = 45 * time.Second

	// MostRecords is how many records a batch may have.
	MostRecords = 100
	// keyLife is how long requests with the same key are one.
	keyLife = 24 * time.Hour
	// skew is how far the provider's clock may be behind ours.
	skew = time.Minute
)

// Flow writes. It is safe for concurrent use; any number may share one store. Its
// engine carries the operations on.
type Flow struct {
	*operation.Engine

	store Store
	opts  Config
}

// New returns a Flow.
func New(c Config) (*Flow, error) {
	if c.Store == nil || c.Jobs == nil || len(c.Providers) == 0 || c.Open == nil {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "set up writes", Message: "a store, jobs, a provider and a way to open it are required"}
	}
	c.Fill()
	c.Patience = cmp.Or(c.Patience, defaultPatience)
	if c.Alive == nil {
		c.Alive = context.Background
	}
	f := &Flow{store: c.Store, opts: c}
	f.Engine = operation.New(operation.Config{
		Options: c.Options, Kind: windlass.ActionWrite, Store: c.Store, Jobs: c.Jobs,
		Work: func(t *operation.Turn) operation.Work { return &step{Flow: f, Turn: t, marked: none} },
	})
	return f, nil
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

func (f *Flow) now() time.Time { return f.Now() }
