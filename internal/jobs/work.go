package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
)

// An Attempt is one try at a job, told when it ends.
type Attempt struct {
	Kind    string
	Queue   string
	Number  int           // of the attempt, from 1
	Of      int           // attempts at most
	Verdict Verdict       // what becomes of the job
	Err     error         // nil when done
	Waited  time.Duration // from when it could have begun until it did
	Took    time.Duration
}

// Last reports whether a job ends with this attempt, without being done.
func (a Attempt) Last() bool {
	return a.Verdict == Dropped || (a.Verdict == Retries || a.Verdict == TimedOut) && a.Number >= a.Of
}

type attemptKey struct{}

// Trial says which attempt runs with ctx, and how many there are, so that the
// last one can clear up; 0 of 0 outside of a job.
func Trial(ctx context.Context) (number, of int) {
	trial, _ := ctx.Value(attemptKey{}).([2]int)
	return trial[0], trial[1]
}

// worker runs the jobs of one kind for River.
type worker struct {
	river.WorkerDefaults[arguments]

	engine *Engine
	kind   Kind
}

func (w *worker) Timeout(*river.Job[arguments]) time.Duration { return w.kind.timeout() }

func (w *worker) NextRetry(job *river.Job[arguments]) time.Time {
	return time.Now().Add(w.kind.retry(job.Attempt))
}

func (w *worker) Work(ctx context.Context, job *river.Job[arguments]) error {
	ctx = context.WithValue(ctx, attemptKey{}, [2]int{job.Attempt, job.MaxAttempts})
	if w.engine.life != nil {
		var done func()
		ctx, done = w.engine.life.share(ctx)
		defer done()
	}
	began := time.Now()
	err := w.attempt(ctx, job)
	verdict, wait := judge(ctx, err)
	if w.engine.opts.Observe != nil {
		w.engine.opts.Observe(Attempt{
			Kind: job.Kind, Queue: job.Queue, Number: job.Attempt, Of: job.MaxAttempts, Verdict: verdict, Err: err,
			Waited: max(began.Sub(job.ScheduledAt), 0), Took: time.Since(began),
		})
	}
	switch {
	case verdict == Waits, verdict == Stopped, verdict == Retries && wait > 0 && job.Attempt < job.MaxAttempts:
		return river.JobSnooze(wait)
	case verdict == Dropped:
		return river.JobCancel(err)
	default:
		return err
	}
}

// attempt runs Work and makes an error of a panic: a defect in one kind of job
// must not look different from any other failure.
func (w *worker) attempt(ctx context.Context, job *river.Job[arguments]) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}
	}()
	return w.kind.Work(ctx, job.Args.Payload)
}

var errPanic = errors.New("the job panicked")
