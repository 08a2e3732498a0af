package jobs

import (
	"context"
	"errors"
	"time"

	"windlass"
)

// Wait is what Work returns when the job may not run now: it is done again
// after d, up to five seconds later, and the attempt does not count.
//
// A package that must not know this one returns an error with a method
// Wait() time.Duration, which means the same.
func Wait(d time.Duration) error { return waiting(d) }

type waiting time.Duration

func (w waiting) Error() string       { return "wait for " + time.Duration(w).String() }
func (w waiting) Wait() time.Duration { return time.Duration(w) }

// A Verdict is the result of an attempt for its job.
type Verdict string

// The verdicts.
const (
	Done     Verdict = "done"
	Waits    Verdict = "waits"     // again later, the attempt does not count
	Retries  Verdict = "retries"   // again later, or dropped if it was the last attempt
	Dropped  Verdict = "dropped"   // never again
	Stopped  Verdict = "stopped"   // again soon: the process stops, or others took over
	TimedOut Verdict = "timed out" // retries
)

// noLimit is how long a rate limit is waited for that does not say how long.
const noLimit = time.Minute

// judge is the table from errors to verdicts. Whatever
// passes by itself, or may be our own defect, is tried again; what a person has
// to change first is not.
func judge(ctx context.Context, err error) (Verdict, time.Duration) {
	if err == nil {
		return Done, 0
	}
	var wait interface{ Wait() time.Duration }
	if errors.As(err, &wait) {
		return Waits, max(wait.Wait(), 0)
	}
	// The cause of the context's end explains the error, whatever its text.
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return TimedOut, 0
		}
		return Stopped, 0
	}
	switch kind := kindOf(err); {
	case kind == windlass.RateLimited:
		if after := windlass.RetryAfter(err); after > 0 {
			return Waits, after
		}
		return Waits, noLimit
	case kind.Temporary(), kind == windlass.Internal, kind == windlass.Canceled, kind == "":
		return Retries, windlass.RetryAfter(err)
	default:
		return Dropped, 0
	}
}

// kindOf is the outermost kind in an error; empty when it has none.
func kindOf(err error) windlass.Kind {
	if failure, ok := windlass.Own(err); ok {
		return failure.Kind
	}
	var kind windlass.Kind
	errors.As(err, &kind)
	return kind
}
