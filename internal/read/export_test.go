package read

import (
	"context"

	"windlass"
)

// CheckDue makes all checks that are due, one after the other, and returns how many.
func (f *Flow) CheckDue(ctx context.Context) (n int, err error) {
	due := make(chan windlass.Check, claimAtOnce)
	if n, err = f.claim(ctx, due); err != nil {
		return n, err
	}
	close(due)
	var ended []windlass.Check
	for c := range due {
		if f.check(ctx, &c) {
			ended = append(ended, c)
		}
	}
	return n, f.store.EndChecks(ctx, ended)
}
