package jobs

import (
	"context"
	"log/slog"
	"time"

	"windlass"
)

// Schedules are rows with a next time: *store.Store has them.
type Schedules interface {
	// ClaimDue moves what is due to its next time and enqueues what it asks for
	// in one transaction. Of several processes one gets each. It leaves reads alone,
	// which need no job each.
	ClaimDue(
		ctx context.Context, now time.Time, limit int,
		next func(windlass.Schedule) time.Time, enqueue func(ctx context.Context, due []windlass.Schedule) error,
	) (claimed int, err error)
}

// Timetable says what schedules mean.
type Timetable struct {
	// Next is when a schedule is due again, after a time; the zero time never.
	Next func(schedule windlass.Schedule, after time.Time) time.Time
	// Job is what a schedule asks for when it is due.
	Job func(schedule windlass.Schedule) Job
	// Every is how often to look; 0 means a second.
	Every time.Duration
}

// claimAtOnce is how many schedules one transaction moves.
const claimAtOnce = 200

// RunSchedules enqueues what is due until ctx ends. Any number of processes may
// do so. Times that were missed, because no process ran, are made up for with one run.
func (e *Engine) RunSchedules(ctx context.Context, schedules Schedules, table Timetable) {
	every := table.Every
	if every == 0 {
		every = time.Second
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := e.enqueueDue(ctx, schedules, table); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "cannot look for what is due", slog.String(logError, err.Error()))
		}
		timer.Reset(every)
	}
}

// enqueueDue is EnqueueDue without cancellation when the process ends: it takes
// milliseconds.
func (e *Engine) enqueueDue(ctx context.Context, schedules Schedules, table Timetable) error {
	const patience = 5 * time.Second
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })()
	_, err := e.EnqueueDue(lasting, schedules, table)
	return err
}

// EnqueueDue enqueues everything that is due now and says how many it was.
func (e *Engine) EnqueueDue(ctx context.Context, schedules Schedules, table Timetable) (n int, err error) {
	for {
		now := e.now()
		claimed, err := schedules.ClaimDue(ctx, now, claimAtOnce,
			func(s windlass.Schedule) time.Time { return table.Next(s, now) },
			func(ctx context.Context, due []windlass.Schedule) error {
				all := make([]Job, len(due))
				for i, schedule := range due {
					all[i] = table.Job(schedule)
				}
				return e.EnqueueAll(ctx, all)
			})
		n += claimed
		if err != nil || claimed < claimAtOnce {
			return n, err
		}
	}
}
