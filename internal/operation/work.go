package operation

import (
	"context"
	"time"

	"windlass"
)

// Work is what operations of one kind do. A value is made for each slice of an
// operation, and is used by one goroutine at a time.
//
// An error of Prepare or Next decides how the operation goes on: an error of the
// provider by its kind, [End] ends it, a [*Sleep] lets it wait.
type Work interface {
	// Prepare gets what the steps of a slice need, and sees whether the operation
	// may go on.
	Prepare(ctx context.Context, t *Turn) error
	// Next takes one step: it reads a page, or writes a record. It runs outside of
	// transactions. With an error, what Commit.Do does is kept in the transaction
	// that lets the operation wait.
	Next(ctx context.Context, t *Turn) (Commit, error)
	// Finish says how the operation ends, inside the last transaction. The cause is
	// nil unless something has ended it. It may be called again after a transaction
	// that failed.
	Finish(ctx context.Context, t *Turn, cause error) (Outcome, error)
}

// Commit is what a step changes, in one transaction.
type Commit struct {
	// Do runs inside the transaction: see [Turn.Move]. Nil changes nothing.
	Do func(ctx context.Context) error
	// After runs when all of it has been committed. Its error is like one of Next.
	After func(ctx context.Context) error
	// Ends makes it the last step, in the same transaction; Cause is what Finish
	// gets.
	Ends  bool
	Cause error
	// GiveWay ends the slice with this step.
	GiveWay bool
}

func (c *Commit) do(ctx context.Context) error {
	if c.Do == nil {
		return nil
	}
	return c.Do(ctx)
}

// Outcome is how an operation ends.
type Outcome struct {
	Success  bool
	Result   string            // a sentence, which is also the last line of the log
	Severity string            // of that line
	Details  map[string]string // likewise
	// Then runs in the same transaction, when the operation has ended.
	Then func(ctx context.Context) error
}

// End is what Prepare and Next return to end the operation, and Commit.Do and Finish
// to end it without what they were called for. The cause is what Finish gets.
func End(cause error) error { return &end{cause} }

type end struct{ cause error }

func (e *end) Error() string {
	if e.cause == nil {
		return "the operation ends"
	}
	return e.cause.Error()
}

func (e *end) Unwrap() error { return e.cause }

// Sleep is what Prepare and Next return to let the operation wait although nothing
// has failed. The zero value lets it give way to others.
type Sleep struct {
	For      time.Duration
	Reason   string // a sentence; a line of the log when the operation did not wait before
	Severity string
	// Still reports whether there is still a reason to sleep. It is asked with the
	// operation's row locked, so that whatever wakes the operation comes before it
	// or after it. Nil: there is.
	Still func(windlass.Standing) bool
}

// Error says why.
func (s *Sleep) Error() string { return s.Reason }

// Waiting is what [Engine.Step] returns when an operation is to be carried on
// later: its job should come again after the time that Wait says.
type Waiting struct {
	For    time.Duration
	Reason string // for those who watch jobs; the operation's log says it to people
}

// Error says how long, and why.
func (w *Waiting) Error() string { return "wait for " + w.Wait().String() + ": " + w.Reason }

// Wait is how long.
func (w *Waiting) Wait() time.Duration { return max(w.For, 0) }
