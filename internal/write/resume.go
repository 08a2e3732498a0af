package write

import (
	"context"
	"time"

	"windlass"
)

// stalledAfter is how long a write may do nothing, without a reason, before it is
// thought to have lost its job or its process.
const stalledAfter = 10 * time.Minute

// Resume finds writes whose jobs were lost, or whose processes died while somebody
// waited, and gives them jobs. It belongs on a timer of some minutes; a job too
// many does no harm. It returns how many it found.
func (f *Flow) Resume(ctx context.Context) (n int, err error) {
	const most = 1000
	stalled, err := f.store.StalledOperations(ctx, f.now().Add(-stalledAfter), most)
	if err != nil || len(stalled) == 0 {
		return 0, err
	}
	err = f.store.In(ctx, func(ctx context.Context) error {
		for i := range stalled {
			if stalled[i].Action != windlass.ActionWrite {
				continue
			}
			n++
			if err := f.jobs.EnqueueWrite(ctx, stalled[i].ID, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Connected lets writes go on that have waited for a connection to work again. It
// may be called in the transaction that replaces the credentials, and any number
// of times.
func (f *Flow) Connected(ctx context.Context, connection windlass.Connection) error {
	return f.store.In(ctx, func(ctx context.Context) error {
		all, err := f.store.Installations(ctx, windlass.InstallationFilter{ProjectID: connection.ProjectID, ConnectionID: connection.ID})
		if err != nil {
			return err
		}
		for i := range all {
			if err := f.wake(ctx, all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// wake lets the writes of an installation go on, but for those that collect.
func (f *Flow) wake(ctx context.Context, installationID string) error {
	running, err := f.store.Operations(ctx, windlass.OperationFilter{
		InstallationID: installationID, Action: windlass.ActionWrite, Status: windlass.OperationRunning,
	})
	if err != nil {
		return err
	}
	for i := range running {
		// One that has not started collects, or has a job that is on its way.
		if running[i].Wait.IsZero() || running[i].Started.IsZero() {
			continue
		}
		if err := f.store.WakeOperation(ctx, running[i].ID, f.now()); err != nil {
			return err
		}
		if err := f.jobs.EnqueueWrite(ctx, running[i].ID, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}
