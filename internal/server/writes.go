package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/budget"
	"windlass/internal/jobs"
	"windlass/internal/write"
)

// The kinds of job that writes are made of.
const (
	jobWrite        = "write"
	jobResumeWrites = "write.resume"
)

// queueWrites is for jobs that wait for Bitbucket, as queueReads is.
const queueWrites = "writes"

// newWrites makes the flow of writes.
func (s *Server) newWrites() (err error) {
	s.writes, err = write.New(write.Config{
		Store: s.store, Jobs: &writeJobs{s}, Provider: &writable{s}, Notifier: s.notify, Logger: s.log, Now: s.config.Now,
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

// writable is Bitbucket to the flow of writes.
type writable struct{ server *Server }

// Object says what can be written of an object.
func (*writable) Object(name string) (connector.Object, bool) {
	for _, o := range bitbucket.Objects() {
		if o.Name == name {
			return o, true
		}
	}
	return connector.Object{}, false
}

// SecretFields are those whose values nobody may see.
func (*writable) SecretFields(object string) []string { return bitbucket.SecretFields(object) }

// Missing returns which scopes are not granted.
func (w *writable) Missing(granted, required []string) []string {
	return w.server.config.oauth().Missing(granted, required)
}

// Open opens a connection's workspace. It tries nothing again: the flow knows what
// may be. Nobody waits for an asynchronous write, so it leaves the share of those
// alone who do.
func (w *writable) Open(ctx context.Context, c windlass.Connection, mode string) (write.Target, error) {
	client, err := w.server.connect.Client(ctx, c)
	if err != nil {
		return nil, err
	}
	class := budget.Interactive
	if mode == windlass.WriteAsync {
		class = budget.Scheduled
	}
	spent := &spending{class: class}
	bucket, err := bitbucket.New(&http.Client{Transport: &spends{spent, client.Transport}},
		&bitbucket.Options{Workspace: c.WorkspacePath(), APIURL: w.server.config.BitbucketAPIURL, UserAgent: userAgent})
	if err != nil {
		return nil, err
	}
	return &countedTarget{bucket, spent}, nil
}

// countedTarget says how many requests its writes took.
type countedTarget struct {
	*bitbucket.Connector

	spending *spending
}

// Requests is how many were sent in all.
func (t *countedTarget) Requests() int64 { return t.spending.sent.Load() }
