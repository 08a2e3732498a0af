package jobs

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

// Pruner removes what is old: *store.Store is one.
type Pruner interface {
	// Prune removes some of what is older than the cutoffs, and says how much; 0
	// when nothing is left.
	Prune(ctx context.Context, before windlass.Cutoffs, limit int) (n int, err error)
}

// RetentionName is the name of the kind that Retention makes.
const RetentionName = "retention"

// pruneAtOnce is how many rows of each sort one transaction removes: few enough
// that no request waits for it.
const pruneAtOnce = 500

// Retention is a kind of job that removes what is older than the cutoffs, which
// are asked for when it runs. A schedule of the kind windlass.ScheduleRetention
// asks for it; its payload means nothing.
func Retention(from Pruner, cutoffs func() windlass.Cutoffs) Kind {
	return Kind{
		Name: RetentionName, Priority: 4, Attempts: 3,
		Work: func(ctx context.Context, _ json.RawMessage) error {
			before := cutoffs()
			for {
				n, err := from.Prune(ctx, before, pruneAtOnce)
				if err != nil || n == 0 {
					return err
				}
				// Between two transactions others may write.
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
	}
}
