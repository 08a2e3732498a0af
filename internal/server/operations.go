package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"windlass/internal/jobs"
	"windlass/internal/operation"
)

// carried is a kind of operation that this server carries on.
type carried struct {
	engine *operation.Engine
	// resume is the id of the schedule that looks for operations that lost their jobs.
	resume string
	// breaksOff is what else ends a step than its job; nil for nothing.
	breaksOff context.Context //nolint:containedctx // it is the process's
}

// carries are all kinds of operation. A new one is a line here.
func (s *Server) carries() []carried {
	return []carried{
		// A read may be broken off at any time, and is at once when the process stops.
		{engine: s.reads.Engine, resume: "resume", breaksOff: s.reading},
		{engine: s.writes.Engine, resume: "resume-writes"},
	}
}

// operationOptions are what all kinds of operation have in common.
func (s *Server) operationOptions() operation.Options {
	return operation.Options{Logger: s.log, Now: s.config.Now, Lease: s.config.Lease, Call: callTime, Owner: s.owner}
}

// callTime is how long a page, or a record's write, may take: leases are extended
// meanwhile.
const callTime = time.Minute

// What the jobs of a kind of operation are called, by its name: one carries an
// operation on for a slice, one looks for operations that lost their jobs. The queue
// is for jobs that wait for the provider, so that these wait for themselves only.
func jobStep(kind string) string   { return kind }
func jobResume(kind string) string { return kind + ".resume" }
func queueOf(kind string) string   { return kind + "s" }

// An operationJob names the operation to carry on.
type operationJob struct {
	Operation string `json:"operation"`
}

// operationJobs is how the engine of a kind of operation has things done later.
type operationJobs struct {
	server *Server
	kind   string
}

// Enqueue adds a job without a key: one that waits may be waiting for long.
func (j *operationJobs) Enqueue(ctx context.Context, operationID string, at time.Time) error {
	return j.server.work.engine.Enqueue(ctx, jobs.Job{Kind: jobStep(j.kind), Payload: operationJob{operationID}, At: at})
}

// operationKinds are the sorts of job that operations are made of.
func (s *Server) operationKinds() (all []jobs.Kind) {
	for _, c := range s.carries() {
		kind := c.engine.Kind()
		all = append(all,
			jobs.Kind{Name: jobStep(kind), Queue: queueOf(kind), Timeout: 3 * time.Minute, Work: s.stepper(c)},
			jobs.Kind{Name: jobResume(kind), Attempts: 1, Priority: 3, Work: func(ctx context.Context, _ json.RawMessage) error {
				_, err := c.engine.Resume(ctx)
				return err
			}})
	}
	return all
}

// stepper returns what carries an operation on for a slice.
func (s *Server) stepper(c carried) func(ctx context.Context, payload json.RawMessage) error {
	return func(ctx context.Context, payload json.RawMessage) error {
		var job operationJob
		if err := json.Unmarshal(payload, &job); err != nil {
			return err
		}
		step, cancel := context.WithCancel(ctx)
		defer cancel()
		if c.breaksOff != nil {
			defer context.AfterFunc(c.breaksOff, cancel)() //nolint:contextcheck // two reasons end a step: its job's and the process's
		}
		err := c.engine.Step(step, job.Operation)
		if waiting, ok := errors.AsType[*operation.Waiting](err); ok && waiting.Wait() == 0 {
			// It gives way: another job, behind those that wait already, goes on at once.
			// This one would have to wait for the scheduler of jobs that slept.
			return c.engine.Enqueue(ctx, job.Operation, time.Time{})
		}
		return err
	}
}

// leases are those that this process works under now.
func (s *Server) leases() (all []string) {
	for _, c := range s.carries() {
		all = append(all, c.engine.Leases()...)
	}
	return all
}

// takeOver lets everything go on that a process was doing which is gone; all
// processes when id is empty. An operation whose caller waited for it has no job,
// and gets one; a job too many does no harm.
func (s *Server) takeOver(ctx context.Context, id string) error {
	return s.store.In(ctx, func(ctx context.Context) error {
		stood := 0
		for _, c := range s.carries() {
			n, err := c.engine.TakeOver(ctx, id)
			if err != nil {
				return err
			}
			stood += n
		}
		if err := s.store.FreeLeases(ctx, id); err != nil || id == "" {
			return err
		}
		s.log.WarnContext(ctx, "took over from a process that is gone", logProcess, id, logOperations, stood)
		return s.work.engine.Gone(ctx, id)
	})
}

// release ends the leases on operations that this process could not give back.
func (s *Server) release(ctx context.Context) error {
	var errs []error
	for _, c := range s.carries() {
		_, err := s.store.ReleaseLeases(ctx, c.engine.Kind(), s.owner)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
