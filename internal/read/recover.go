package read

import (
	"context"
	"time"

	"windlass"
	"windlass/internal/config"
)

// stalledAfter is how long an operation may do nothing, without a reason, before
// it is thought to have lost its job.
const stalledAfter = 10 * time.Minute

// Resume finds operations whose jobs were lost, and gives them new ones. It
// belongs on a timer of some minutes; a job too many does no harm. It returns how
// many it found.
func (f *Flow) Resume(ctx context.Context) (n int, err error) {
	const most = 1000
	stalled, err := f.store.StalledOperations(ctx, f.now().Add(-stalledAfter), most)
	if err != nil || len(stalled) == 0 {
		return 0, err
	}
	err = f.store.In(ctx, func(ctx context.Context) error {
		for i := range stalled {
			if stalled[i].Action != windlass.ActionRead {
				continue
			}
			n++
			if err := f.jobs.EnqueueRead(ctx, stalled[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Alone is for a process that starts and knows that no other one works on the
// database: what is held was held by one that died, and need not be waited for.
func (f *Flow) Alone(ctx context.Context) error { return f.store.ReleaseLeases(ctx) }

// Connected makes up for what was not read while a connection was bad: reads that
// stopped in the middle go on, and what is scheduled is due at once. It may be
// called in the transaction that replaces the credentials, and any number of
// times.
func (f *Flow) Connected(ctx context.Context, connection windlass.Connection) error {
	return f.store.In(ctx, func(ctx context.Context) error {
		all, err := f.store.Installations(ctx, windlass.InstallationFilter{ProjectID: connection.ProjectID, ConnectionID: connection.ID})
		if err != nil {
			return err
		}
		for i := range all {
			if err := f.makeUp(ctx, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *Flow) makeUp(ctx context.Context, in windlass.Installation) error {
	running, err := f.store.Operations(ctx, windlass.OperationFilter{
		InstallationID: in.ID, Action: windlass.ActionRead, Status: windlass.OperationRunning,
	})
	if err != nil {
		return err
	}
	for i := range running {
		if _, err := f.wake(ctx, in.ID, running[i].Object); err != nil {
			return err
		}
	}
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return err
	}
	for _, name := range c.EnabledNames() {
		if err := f.schedules(ctx, in.ID, name, func(s *windlass.Schedule) {
			if !s.Paused && s.Next.After(f.now()) {
				s.Next = f.now()
			}
		}); err != nil {
			return err
		}
	}
	return nil
}
