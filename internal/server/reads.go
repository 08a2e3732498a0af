package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/jobs"
	"windlass/internal/read"
)

// The kinds of job that reads are made of: operations are carried on one slice at a
// time. What a schedule asks for is no job, see runChecks; jobDue is what an older
// version may have left.
const (
	jobDue    = "read.due"
	jobRead   = "read"
	jobResume = "read.resume"
)

// queueReads is for jobs that wait for a provider, so that these wait for themselves only.
const queueReads = "reads"

// downloadPath is where records are that are too large for a message.
const downloadPath = "/v1/large-records/"

// callTime is how long a page, or a record's write, may take: leases are extended
// meanwhile.
const callTime = time.Minute

// newReads makes the flow of reads.
func (s *Server) newReads() (err error) {
	s.reads, err = read.New(read.Config{
		Store: s.store, Outbox: s.outbox, Jobs: &readJobs{s}, Open: s.openReader,
		DownloadURL: func(id string, token windlass.Secret) string {
			return s.config.PublicURL + downloadPath + url.PathEscape(id) + "?token=" + url.QueryEscape(token.Reveal())
		},
		LastAttempt: s.lastAttempt, Lease: s.config.Lease, Page: callTime, Owner: s.owner,
		Checked:  func(result string) { s.metrics.checks.WithLabelValues(result).Inc() },
		Notifier: s.notify, Logger: s.log, Now: s.config.Now,
	})
	return err
}

// lastAttempt is when the delivery of a batch was tried last.
func (s *Server) lastAttempt(ctx context.Context, batchID string) (time.Time, error) {
	all, err := s.store.Attempts(ctx, batchID)
	if err != nil || len(all) == 0 {
		return time.Time{}, err
	}
	return all[len(all)-1].Time, nil
}

// readJobs is how the flow of reads has things done later.
type readJobs struct{ server *Server }

// An operationJob names the operation to carry on.
type operationJob struct {
	Operation string `json:"operation"`
}

// EnqueueRead adds a job without a key: one that waits may be waiting for long.
func (j *readJobs) EnqueueRead(ctx context.Context, operationID string) error {
	return j.server.work.engine.Enqueue(ctx, jobs.Job{Kind: jobRead, Payload: operationJob{operationID}})
}

// EnqueueDelivery has nothing to do: a batch is its own job, and the outbox has
// said that there is one.
func (j *readJobs) EnqueueDelivery(context.Context, string, string) error { return nil }

// readKinds are the sorts of job that reads are made of.
func (s *Server) readKinds() []jobs.Kind {
	return []jobs.Kind{
		{Name: jobRead, Queue: queueReads, Timeout: 3 * time.Minute, Work: s.stepRead},
		{Name: jobDue, Attempts: 5, Priority: 2, Work: s.dueRead},
		{Name: jobResume, Attempts: 1, Priority: 3, Work: func(ctx context.Context, _ json.RawMessage) error {
			_, err := s.reads.Resume(ctx)
			return err
		}},
	}
}

func (s *Server) stepRead(ctx context.Context, payload json.RawMessage) error {
	var job operationJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return err
	}
	// A read may be broken off at any time, and is at once when the process stops.
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.reading, cancel)() //nolint:contextcheck // two reasons end a read: its job's and the process's
	err := s.reads.Step(reading, job.Operation)
	if waiting, ok := errors.AsType[*read.Waiting](err); ok && waiting.Wait() == 0 {
		// It gives way: another job, behind those that wait already, goes on at once.
		// This one would have to wait for whoever looks for jobs that slept.
		return s.work.engine.Enqueue(ctx, jobs.Job{Kind: jobRead, Payload: job})
	}
	return err
}

// runChecks looks whether anything has changed where that is due. Like a read that
// is broken off, a check is when the process stops.
func (s *Server) runChecks(ctx context.Context) {
	checking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.reading, cancel)() //nolint:contextcheck // two reasons end a check: its caller's and the process's
	s.reads.RunChecks(checking)
}

func (s *Server) dueRead(ctx context.Context, payload json.RawMessage) error {
	var schedule windlass.Schedule
	if err := json.Unmarshal(payload, &schedule); err != nil { //nolint:musttag // a noun has no tags: it is read by who wrote it
		return err
	}
	return s.reads.Due(ctx, schedule)
}

// openReader opens a connection's workspace. What fails for a moment is tried
// again here; for what takes longer an operation waits without a worker.
func (s *Server) openReader(ctx context.Context, c windlass.Connection, purpose string) (connector.Reader, error) {
	opened, err := s.openTo(ctx, c, classOf(purpose), true)
	if err != nil {
		return nil, err
	}
	return &countedReader{opened, s.metrics}, nil
}

// countedReader counts the pages that are read.
type countedReader struct {
	*workspace

	metrics *metrics
}

// Read reads a page and counts it.
func (r *countedReader) Read(ctx context.Context, request connector.ReadRequest) (connector.Page, error) {
	page, err := r.workspace.Read(ctx, request)
	if err == nil {
		r.metrics.pages.WithLabelValues(r.spending.class.String()).Inc()
	}
	return page, err
}
