package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"windlass"
	"windlass/internal/ids"
)

// Database is where the jobs are kept: *store.Store is one.
type Database interface {
	Driver() string // "sqlite" or "postgres"
	URL() string
	DB() *sql.DB
	// Explain makes a failure of an error of the database.
	Explain(op string, err error) error
	// In runs a function in a transaction, which the context carries, or joins
	// the one that it carries already. Tx is that transaction.
	In(ctx context.Context, fn func(ctx context.Context) error) error
	Tx(ctx context.Context) *sql.Tx
}

const driverSQLite = "sqlite"

// Options say what there is to do and who does it.
type Options struct {
	// Kinds are all kinds of job of the program. Every worker process needs all of
	// them, whatever queues it serves: one process cleans up for all.
	Kinds []Kind
	// Workers is how many jobs of each queue this process runs at once. Without
	// any it only enqueues.
	Workers map[string]int
	// Logger is told of what goes wrong with the engine itself. Nil is silent.
	Logger *slog.Logger
	// Observe is told of every attempt when it ends. It must not block.
	Observe func(Attempt)
	// Now is the clock of RunSchedules and of delays. Nil is time.Now.
	Now func() time.Time
	// StopWithin is how long jobs may go on when the engine stops, before their
	// contexts end; 0 means 10 s.
	StopWithin time.Duration
	// ID names this process among those that work; empty makes one up.
	ID string
	// Beat is how often a process shows on PostgreSQL that it is alive; after six
	// missed ones its jobs are taken over. 0 means 5 s.
	Beat time.Duration
}

// How soon a job begins. River fetches at most once per cool-down, and so starts
// at most workers ÷ cool-down jobs a second. A notification wakes it; the poll is
// for one that was lost.
const (
	fetchCooldown = 5 * time.Millisecond
	fetchPoll     = 200 * time.Millisecond
	// keepDone is how long a finished job is kept: it is not asked for any more, and
	// each check of each installation leaves two.
	keepDone = time.Hour
	// rescueGrace is how long after the longest timeout a running job counts as lost.
	// It is the last resort, for a job that ignores its context in a live process; for
	// dead processes see alive.go.
	rescueGrace = 15 * time.Second
)

// An Engine enqueues jobs and, once it is started, runs them. See New.
type Engine struct {
	db     Database
	opts   Options
	kinds  map[string]Kind
	client *river.Client[*sql.Tx]
	log    *slog.Logger
	now    func() time.Time
	id     string

	life   *heartbeat    // nil on SQLite, and in a process that only enqueues
	listen *pgxpool.Pool // nil likewise
}

// New makes an engine on a database that Migrate has prepared.
func New(ctx context.Context, db Database, opts Options) (*Engine, error) {
	kinds, err := byName(opts.Kinds)
	if err != nil {
		return nil, err
	}
	if opts.ID == "" {
		opts.ID = ids.New()
	}
	e := &Engine{db: db, opts: opts, kinds: kinds, log: opts.Logger, now: opts.Now, id: opts.ID}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.now == nil {
		e.now = time.Now
	}
	if err := e.checkWorkers(); err != nil {
		return nil, err
	}
	if e.works() && db.Driver() != driverSQLite {
		e.life = newHeartbeat(e)
		if e.listen, err = listener(ctx, db.URL()); err != nil {
			return nil, err
		}
	}
	if e.client, err = river.NewClient(e.driver(), e.config()); err != nil {
		e.closeListener()
		return nil, &windlass.Error{Kind: windlass.Internal, Op: "set up the jobs", Err: err}
	}
	return e, nil
}

func (e *Engine) works() bool { return len(e.opts.Workers) > 0 }

// checkWorkers finds what would otherwise be found when a job comes.
func (e *Engine) checkWorkers() error {
	fault := ""
	for queue, n := range e.opts.Workers {
		if n < 1 || n > river.QueueNumWorkersMax {
			fault = fmt.Sprintf("the queue %s has %d workers, which is not between 1 and %d", queue, n, river.QueueNumWorkersMax)
		}
	}
	for _, kind := range e.kinds {
		if e.works() && kind.Work == nil {
			fault = "a process that works has to know what the jobs " + kind.Name + " do"
		}
	}
	if fault != "" {
		return &windlass.Error{Kind: windlass.Internal, Op: "set up the jobs", Message: fault}
	}
	return nil
}

func (e *Engine) driver() riverdriver.Driver[*sql.Tx] {
	switch {
	case e.db.Driver() == driverSQLite:
		return riversqlite.New(e.db.DB())
	case e.listen != nil:
		return riverdatabasesql.NewWithPgxListener(e.db.DB(), e.listen)
	default:
		return riverdatabasesql.New(e.db.DB())
	}
}

func (e *Engine) config() *river.Config {
	logger := slog.New(atLeast{slog.LevelWarn, e.log.Handler()})
	if !e.works() {
		return &river.Config{Logger: logger}
	}
	workers := river.NewWorkers()
	longest := time.Duration(0)
	for _, kind := range e.kinds {
		// It panics for a duplicate kind, which byName has excluded.
		river.AddWorkerArgs(workers, arguments{kind: kind.Name}, &worker{engine: e, kind: kind})
		longest = max(longest, kind.timeout())
	}
	queues := map[string]river.QueueConfig{}
	for name, n := range e.opts.Workers {
		queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	stopWithin := e.opts.StopWithin
	if stopWithin == 0 {
		stopWithin = 10 * time.Second
	}
	return &river.Config{
		ID: e.id, Logger: logger, Workers: workers, Queues: queues,
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPoll,
		JobTimeout: longest, RescueStuckJobsAfter: longest + rescueGrace,
		SoftStopTimeout: stopWithin, CompletedJobRetentionPeriod: keepDone,
	}
}

// listener is a pool for the one connection on which River listens.
func listener(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "set up the jobs", Message: "the address of the database is not one of PostgreSQL"}
	}
	config.MinConns, config.MaxConns = 0, 1
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, &windlass.Error{Kind: windlass.Unavailable, Op: "set up the jobs", Err: err}
	}
	return pool, nil
}

func (e *Engine) closeListener() {
	if e.listen != nil {
		e.listen.Close()
	}
}

// Start begins to run jobs and returns. What a crash left behind is done again:
// at once on SQLite, where this is the only process (the store's lock on the file
// sees to it), and when its process has been silent for long enough on
// PostgreSQL. The engine runs until Stop, whatever becomes of ctx.
func (e *Engine) Start(ctx context.Context) error {
	const op = "start the jobs"
	if !e.works() {
		return nil
	}
	if e.life == nil {
		if _, err := e.db.DB().ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running'`); err != nil {
			return e.db.Explain(op, err)
		}
	} else if err := e.life.begin(ctx); err != nil {
		return e.db.Explain(op, err)
	}
	if err := e.client.Start(context.WithoutCancel(ctx)); err != nil {
		if e.life != nil {
			e.life.end()
		}
		return e.db.Explain(op, err)
	}
	return nil
}

// Stop takes no more jobs and waits for those that run: for Options.StopWithin,
// then it ends their contexts and waits again until they return, or until ctx
// ends. What did not finish is done by others, or at the next start.
func (e *Engine) Stop(ctx context.Context) error {
	defer e.closeListener()
	if !e.works() {
		return nil
	}
	err := e.client.Stop(ctx)
	if e.life != nil {
		e.life.end()
		if err == nil {
			err = e.life.leave(ctx)
		}
	}
	return e.db.Explain("stop the jobs", err)
}

// Queues are the queues of all kinds, for a process that serves them all.
func Queues(kinds []Kind) []string {
	queues := map[string]bool{}
	for _, kind := range kinds {
		queues[kind.queue()] = true
	}
	return slices.Sorted(maps.Keys(queues))
}
