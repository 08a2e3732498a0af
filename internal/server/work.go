package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"time"

	"windlass"
	"windlass/internal/jobs"
	"windlass/internal/store"
)

// work is the jobs and the schedules. Without the role worker it only enqueues.
type work struct {
	engine    *jobs.Engine
	table     jobs.Timetable
	schedules *store.Store
	end       context.CancelFunc
	ended     sync.WaitGroup
}

// workers is how many jobs of each queue run at once in one process.
const workers = 8

// migrations are those that run after the store's own.
func migrations() []func(ctx context.Context, driver string, db *sql.DB) error {
	return []func(context.Context, string, *sql.DB) error{jobs.Migrate}
}

// kinds are all sorts of job.
func (s *Server) kinds() []jobs.Kind {
	return append(s.operationKinds(),
		jobs.Kind{Name: jobDue, Attempts: 5, Priority: 2, Work: s.dueRead},
		jobs.Retention(s.store, s.cutoffs),
		jobs.Kind{Name: windlass.ScheduleKeepalive, Priority: 3, Attempts: 3, Work: s.keepAlive},
	)
}

// cutoffs says what is old by now.
func (s *Server) cutoffs() windlass.Cutoffs {
	now := s.config.Now()
	return windlass.Cutoffs{
		States:  now.Add(-s.config.Retention.States),
		Uploads: now.Add(-s.config.Retention.Uploads),

		WriteKeys: now,

		Operations:   now.Add(-s.config.Retention.Operations),
		Batches:      now.Add(-s.config.Retention.Deliveries),
		LargeRecords: now.Add(-s.config.Retention.Deliveries),
		Grants:       now.Add(-keepGrants),
	}
}

// keepGrants is longer than any clock is expected to be wrong: a grant counts for an
// hour.
const keepGrants = 25 * time.Hour

// keepAlive refreshes the connections that have not been used for long. What it did
// before it was interrupted is not done again.
func (s *Server) keepAlive(ctx context.Context, _ json.RawMessage) error {
	kept, err := s.connect.KeepAlive(ctx, s.config.Now())
	for result, n := range map[string]int{"refreshed": kept.Refreshed, "bad": kept.Bad, "waiting": kept.Waiting} {
		s.metrics.keptAlive.WithLabelValues(result).Add(float64(n))
	}
	return err
}

// A routine is a schedule that belongs to the server itself. Its id is always the
// same, so that there is one however many processes make it.
type routine struct {
	id, kind string
	every    time.Duration
}

func (s *Server) routines() []routine {
	all := []routine{
		{"retention", windlass.ScheduleRetention, 15 * time.Minute},
		{"keepalive", windlass.ScheduleKeepalive, 24 * time.Hour},
	}
	for _, c := range s.carries() {
		all = append(all, routine{c.resume, jobResume(c.engine.Kind()), 5 * time.Minute})
	}
	return all
}

// newWork makes the engine of jobs.
func (s *Server) newWork(ctx context.Context) (*work, error) {
	options := jobs.Options{
		Kinds: s.kinds(), Logger: s.log, Observe: s.metrics.attempt, Now: s.config.Now,
		// What then goes on has its context ended, and a little time to notice.
		StopWithin: s.config.StopDeadline * 3 / 4,
		Beat:       s.config.Lease / 6, // six missed ones are all of it
		ID:         s.owner,
	}
	if s.config.has(RoleWorker) {
		options.Workers = map[string]int{}
		for _, queue := range jobs.Queues(options.Kinds) {
			options.Workers[queue] = workers
		}
	}
	engine, err := jobs.New(ctx, s.store, options)
	if err != nil {
		return nil, err
	}
	return &work{engine: engine, schedules: s.store, table: jobs.Timetable{Next: s.nextRoutine, Job: jobOf}}, nil
}

// nextRoutine is when a schedule of the server's own is due again.
func (s *Server) nextRoutine(schedule windlass.Schedule, after time.Time) time.Time {
	for _, r := range s.routines() {
		if r.kind == schedule.Kind {
			return after.Add(r.every)
		}
	}
	return time.Time{} // it is unknown
}

// jobOf is what a schedule asks for. What is still waiting or running is not asked
// for again.
func jobOf(schedule windlass.Schedule) jobs.Job {
	return jobs.Job{Kind: schedule.Kind, Payload: struct{}{}, Key: schedule.ID}
}

// startWork begins to run jobs and to look for what is due.
func (s *Server) startWork(ctx context.Context) error {
	if !s.config.has(RoleWorker) {
		return nil
	}
	if err := s.saveRoutines(ctx); err != nil {
		return err
	}
	if err := s.work.engine.Start(ctx); err != nil {
		return err
	}
	s.working.Store(true)
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	s.work.end = end
	s.work.ended.Go(func() { s.work.engine.RunSchedules(running, s.work.schedules, s.work.table) })
	s.work.ended.Go(func() { s.runChecks(running) })
	s.work.ended.Go(func() { _ = s.deliver.Run(running) }) // nil: it ends when it is told to
	return nil
}

// saveRoutines makes the server's own schedules, where they are not there. One that
// is keeps its time: a server that is started often clears up all the same.
func (s *Server) saveRoutines(ctx context.Context) error {
	there, err := s.store.Schedules(ctx, "")
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, schedule := range there {
		known[schedule.ID] = true
	}
	for _, r := range s.routines() {
		if known[r.id] {
			continue
		}
		if err := s.store.SaveSchedule(ctx, windlass.Schedule{ID: r.id, Kind: r.kind, Next: s.config.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// stopWork takes no more jobs and waits for those that run.
func (s *Server) stopWork(ctx context.Context) error {
	if !s.working.Swap(false) {
		return nil
	}
	s.work.end()
	err := s.work.engine.Stop(ctx)
	s.work.ended.Wait()
	return err
}
