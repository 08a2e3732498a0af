package server

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// jobDue is a job that an older version may have left: what a schedule asks for is
// no job any more, see runChecks.
const jobDue = "read.due"

// downloadPath is where records are that are too large for a message.
const downloadPath = "/v1/large-records/"

// newReads makes the flow of reads.
func (s *Server) newReads() (err error) {
	s.reads, err = read.New(read.Config{
		Store: s.store, Outbox: s.outbox, Jobs: &operationJobs{s, windlass.ActionRead}, Open: s.openReader,
		DownloadURL: func(id string, token windlass.Secret) string {
			return s.config.PublicURL + downloadPath + url.PathEscape(id) + "?token=" + url.QueryEscape(token.Reveal())
		},
		LastAttempt: s.lastAttempt, Notifier: s.notify, Options: s.operationOptions(),
		Checked: func(result string) { s.metrics.checks.WithLabelValues(result).Inc() },
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
