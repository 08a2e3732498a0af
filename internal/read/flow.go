package read

import (
	"cmp"
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
	"windlass/internal/sink"
)

// Config is what a Flow is made of. Store, Outbox, Sinks, Jobs and Open are required.
type Config struct {
	// Options are those of the engine; SliceSteps are pages, and 0 means 50.
	operation.Options

	Store  Store
	Outbox Outbox
	Sinks  *sink.Table // makes messages: the server's types of destinations
	Jobs   operation.Jobs
	// Open returns a reader of a connection's workspace. The purpose says what
	// its requests are for, and with that who is served first: windlass.Trigger…,
	// or PurposeSample. A reader that has a method Requests() int64 is asked how
	// many it has sent; otherwise each call of Read counts as one.
	Open func(ctx context.Context, c windlass.Connection, purpose string) (connector.Reader, error)
	// Providers say which objects are below others; nil: none is.
	Providers connector.Providers
	// Checked is told what became of each scheduled check: Checked…; nil means that
	// it is not counted.
	Checked func(result string)
	// Notifier is told what became of reads; nil is not called.
	Notifier Notifier
	// Overlap is how far an incremental read goes back behind the start of the
	// one before; 0 means five minutes.
	Overlap time.Duration
	// SearchPages, Search and SearchBytes bound a search; 0 means 20 pages, 30 seconds
	// and 8 MiB of what is found.
	SearchPages, SearchBytes int
	Search                   time.Duration
}

// PurposeSample is a read of one record, while a person waits for the answer.
const PurposeSample = "sample"

// The defaults of a Config.
const (
	defaultSlicePages = 50
	defaultOverlap    = 5 * time.Minute
)

// The kinds of notification, as the published contract names them.
const (
	NotifyBackfillDone   = "read.backfill.done"
	NotifyTriggeredDone  = "read.triggered.done"
	NotifyTriggeredError = "read.triggered.error"
	NotifySchedulePaused = "read.schedule.paused"
)

// Flow reads. It is safe for concurrent use; any number may share one store. Its
// engine carries the operations on.
type Flow struct {
	*operation.Engine

	store  Store
	outbox Outbox
	opts   Config
	lines  map[[2]string][]connector.Object // see lineage
}

// New returns a Flow.
func New(c Config) (*Flow, error) {
	if c.Store == nil || c.Outbox == nil || c.Sinks == nil || c.Jobs == nil || c.Open == nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up reads",
			Message: "a store, an outbox, the types of destinations, jobs and a way to the provider are required",
		}
	}
	c.Fill()
	if c.Checked == nil {
		c.Checked = func(string) {}
	}
	c.SliceSteps = cmp.Or(c.SliceSteps, defaultSlicePages)
	c.Overlap = cmp.Or(c.Overlap, defaultOverlap)
	c.SearchPages, c.SearchBytes = cmp.Or(c.SearchPages, defaultSearchPages), cmp.Or(c.SearchBytes, defaultSearchBytes)
	c.Search = cmp.Or(c.Search, defaultSearch)
	f := &Flow{store: c.Store, outbox: c.Outbox, opts: c, lines: lineages(c.Providers)}
	f.Engine = operation.New(operation.Config{
		Options: c.Options, Kind: windlass.ActionRead, Store: c.Store, Jobs: c.Jobs, Connected: f.makeUp,
		Work: func(t *operation.Turn) operation.Work { return &step{Flow: f, Turn: t} },
	})
	return f, nil
}

func (f *Flow) now() time.Time { return f.Now() }
