package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// On PostgreSQL each worker process updates a heartbeat row, and takes over the jobs of
// processes whose heartbeat is old. River itself waits for a job's timeout instead,
// which is minutes.
//
// A process that cannot update its heartbeat, because the database does not answer,
// ends the contexts of its own jobs well before others may take them over, so that no
// job runs twice at once. (It can still happen if the whole machine was suspended, or a
// job ignores its context. What must not happen twice is guarded by rows: invariants 1
// and 4.)
const (
	beats     = 5 * time.Second
	giveUpAt  = 4 // missed beats after which a process ends its own jobs
	takenOver = 6 // missed beats after which others take them
)

// A heartbeat is the heartbeat of one process.
type heartbeat struct {
	engine *Engine
	beat   time.Duration

	mu     sync.Mutex
	alive  context.Context //nolint:containedctx // it is what the jobs of this life share
	die    context.CancelCauseFunc
	stop   context.CancelFunc
	ended  chan struct{}
	lastOK time.Time // when it was last shown, by our own clock, from before the statement
}

var errLost = errors.New("this process lost its connection to the database, and other processes took over its jobs")

func newHeartbeat(e *Engine) *heartbeat {
	l := &heartbeat{engine: e, beat: e.opts.Beat}
	if l.beat == 0 {
		l.beat = beats
	}
	l.alive, l.die = context.WithCancelCause(context.Background())
	return l
}

// begin writes the first heartbeat, before the first job, and continues.
func (l *heartbeat) begin(ctx context.Context) error {
	if err := l.show(ctx); err != nil {
		return err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.ended = make(chan struct{})
	go l.run(ctx)
	return nil
}

// end stops the heartbeat.
func (l *heartbeat) end() {
	if l.stop == nil {
		return // it never began
	}
	l.stop()
	<-l.ended
}

// leave removes the heartbeat: this process has no jobs to take over.
func (l *heartbeat) leave(ctx context.Context) error {
	_, err := l.engine.db.DB().ExecContext(ctx, `DELETE FROM job_workers WHERE id = $1`, l.engine.id)
	return err
}

func (l *heartbeat) run(ctx context.Context) {
	defer close(l.ended)
	ticker := time.NewTicker(l.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// After a suspension of the machine this runs first: other processes may have
		// taken the jobs.
		l.endIfLost()
		err := l.show(ctx)
		if err == nil {
			err = l.takeOver(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.endIfLost()
			l.engine.log.WarnContext(ctx, "cannot write the heartbeat of this worker", slog.String(logError, err.Error()))
		}
	}
}

// show writes the heartbeat, within one beat.
func (l *heartbeat) show(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.beat)
	defer cancel()
	at := time.Now()
	const query = `INSERT INTO job_workers (id, seen) VALUES ($1, ` + databaseNow + `)
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`
	if _, err := l.engine.db.DB().ExecContext(ctx, query, l.engine.id); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastOK = at
	return nil
}

// databaseNow is microseconds by the one clock that all processes share.
const databaseNow = `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`

// takeOver makes the jobs of dead processes available again. Their attempt counts, so
// that a job that kills its process is not retried for ever.
func (l *heartbeat) takeOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.beat)
	defer cancel()
	const query = `UPDATE river_job SET state = 'available' WHERE state = 'running' AND NOT EXISTS (
		SELECT 1 FROM job_workers WHERE id = attempted_by[array_upper(attempted_by, 1)] AND seen > ` + databaseNow + ` - $1)`
	result, err := l.engine.db.DB().ExecContext(ctx, query, (takenOver * l.beat).Microseconds())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err == nil && n > 0 {
		l.engine.log.WarnContext(ctx, "took over the jobs of a worker that is gone", slog.Int64(logJobs, n))
	}
	_, err = l.engine.db.DB().ExecContext(ctx, `DELETE FROM job_workers WHERE seen < `+databaseNow+` - $1`,
		(100 * takenOver * l.beat).Microseconds())
	return err
}

// Gone makes the jobs of a process available that is known to be gone, on
// PostgreSQL: no process waits until it has missed its beats. Any process may say so.
func (e *Engine) Gone(ctx context.Context, id string) error {
	if e.db.Driver() == driverSQLite {
		return nil
	}
	return e.db.In(ctx, func(ctx context.Context) error {
		for _, query := range []string{
			`DELETE FROM job_workers WHERE id = $1`,
			`UPDATE river_job SET state = 'available' WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1`,
		} {
			if _, err := e.db.Tx(ctx).ExecContext(ctx, query, id); err != nil {
				return e.db.Explain("take over the jobs of a process that is gone", err)
			}
		}
		return nil
	})
}

// endIfLost ends all jobs of a life whose heartbeat is too old, and starts another
// heartbeat for later jobs.
func (l *heartbeat) endIfLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.lastOK) < giveUpAt*l.beat {
		return
	}
	l.die(errLost)
	l.alive, l.die = context.WithCancelCause(context.Background())
}

// share makes a job's context end with the life in which it began.
func (l *heartbeat) share(ctx context.Context) (shared context.Context, done func()) {
	l.mu.Lock()
	alive := l.alive
	l.mu.Unlock()
	shared, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(alive, func() { cancel(context.Cause(alive)) })
	return shared, func() { stop(); cancel(nil) }
}
