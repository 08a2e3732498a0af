package server

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
	"windlass/internal/budget"
	"windlass/internal/jobs"
	"windlass/internal/write"
)

// The kinds of job that writes are made of.
const (
	jobWrite        = "write"
	jobResumeWrites = "write.resume"
)

// queueWrites is for jobs that wait for a provider, as queueReads is.
const queueWrites = "writes"

// newWrites makes the flow of writes.
func (s *Server) newWrites() (err error) {
	s.writes, err = write.New(write.Config{
		Store: s.store, Jobs: &writeJobs{s}, Providers: s.config.Providers, Open: s.openWriter, Notifier: s.notify, Logger: s.log, Now: s.config.Now,
		Lease: s.config.Lease, Call: callTime, Owner: s.owner, Alive: s.presence.context,
	})
	return err
}

// writeJobs is how the flow of writes has things done later.
type writeJobs struct{ server *Server }

// EnqueueWrite adds a job without a key: one that waits may be waiting for long.
func (j *writeJobs) EnqueueWrite(ctx context.Context, operationID string, at time.Time) error {
	return j.server.work.engine.Enqueue(ctx, jobs.Job{Kind: jobWrite, Payload: operationJob{operationID}, At: at})
}

// writeKinds are the sorts of job that writes are made of.
func (s *Server) writeKinds() []jobs.Kind {
	return []jobs.Kind{
		{Name: jobWrite, Queue: queueWrites, Timeout: 3 * time.Minute, Work: s.stepWrite},
		{Name: jobResumeWrites, Attempts: 1, Priority: 3, Work: func(ctx context.Context, _ json.RawMessage) error {
			_, err := s.writes.Resume(ctx)
			return err
		}},
	}
}

func (s *Server) stepWrite(ctx context.Context, payload json.RawMessage) error {
	var job operationJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return err
	}
	return s.writes.Step(ctx, job.Operation)
}

// openWriter opens a connection's workspace. It tries nothing again: the flow knows what
// may be. Nobody waits for an asynchronous write, so it leaves the share of those
// alone who do.
func (s *Server) openWriter(ctx context.Context, c windlass.Connection, mode string) (write.Target, error) {
	class := budget.Interactive
	if mode == windlass.WriteAsync {
		class = budget.Scheduled
	}
	target, err := s.openTo(ctx, c, class, false)
	if err != nil {
		return nil, err
	}
	return target, nil
}
