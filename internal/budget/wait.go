package budget

import (
	"fmt"
	"time"

	"windlass"
)

// Wait is the error for a request that cannot be paid soon. It blocks no goroutine:
// the caller's job sleeps until Until and asks again; its place in the queue is
// kept. errors.Is finds windlass.RateLimited in it, and errors.As a
// *windlass.Error, so that a transport that retries does not do so here.
type Wait struct {
	Key   string
	Class Class
	Until time.Time
	// For is how long that is from the time of the error.
	For time.Duration
	// Reason says why, as a clause.
	Reason string
}

// Error says why, and until when.
func (w *Wait) Error() string {
	return fmt.Sprintf("%s: wait until %s", w.Reason, w.Until.UTC().Format("15:04:05 UTC"))
}

// Unwrap returns the wait as connectors say it.
func (w *Wait) Unwrap() error {
	return &windlass.Error{Kind: windlass.RateLimited, Message: w.Error(), RetryAfter: w.For, Err: origin{w}, Provider: &windlass.ProviderDetails{}}
}

// origin lets errors.As find the Wait in the *windlass.Error that a connector
// made of it, and is no way back for errors.Is, which would go round in circles.
type origin struct{ wait *Wait }

func (o origin) Error() string { return o.wait.Error() }

// As finds the Wait.
func (o origin) As(target any) bool {
	found, ok := target.(**Wait)
	if ok {
		*found = o.wait
	}
	return ok
}
