package read

import (
	"context"

	"windlass"
)

// CheckDue makes all checks that are due, one after the other, and returns how many.
func (f *Flow) CheckDue(ctx context.Context) (n int, err error) {
	return f.CheckDueAfter(ctx, func() {})
}

// CheckDueAfter is CheckDue with something that happens between the claim and the
// checks.
func (f *Flow) CheckDueAfter(ctx context.Context, meanwhile func()) (n int, err error) {
	due := make(chan claimed, claimAtOnce)
	if n, err = f.claim(ctx, due); err != nil {
		return n, err
	}
	close(due)
	meanwhile()
	var ended []windlass.Check
	for c := range due {
		if f.check(ctx, &c) {
			ended = append(ended, c.Check)
		}
	}
	return n, f.store.EndChecks(ctx, ended)
}
