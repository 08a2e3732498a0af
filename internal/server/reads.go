package server

import (
	"context"
	"encoding/json"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// jobDue is a job that an older version may have left: what a schedule asks for is
// no job any more, see runChecks.
const jobDue = "read.due"

// newReads makes the flow of reads.
func (s *Server) newReads() (err error) {
	s.reads, err = read.New(read.Config{
		Store: s.store, Outbox: s.outbox, Sinks: s.sinks, Jobs: &operationJobs{s, windlass.ActionRead}, Open: s.openReader,
		Providers: s.config.Providers, Notifier: s.notify, Options: s.operationOptions(),
		Checked: func(result string) { s.metrics.checks.WithLabelValues(result).Inc() },
	})
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
