package write

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/mapping"
	"windlass/internal/operation"
)

// none is no record.
const none = -1

// step is one turn of one write: what the engine asks to write records.
type step struct {
	*Flow
	*operation.Turn

	in          windlass.Installation // as it was when the step began
	integration string                // its name
	key         *windlass.WriteKey    // of the request; nil for none
	w           windlass.Write
	records     []windlass.WriteRecord
	plan        *mapping.WritePlan
	target      Target

	marked    int       // the record that is noted as sent, and about to be
	before    time.Time // when that was sent before; zero for never
	unsettled []int     // records whose outcome is not kept yet
	lines     []windlass.OperationLog
	data      map[int]json.RawMessage // what the provider answered, by position
	temporary map[int]bool            // failures that may pass, by position
	secrets   []string                // what must not be shown
}

// Prepare does what there is to do before the first record. A synchronous write
// whose process has died is ended: what was sent is looked for, and the rest fails.
func (s *step) Prepare(ctx context.Context, t *operation.Turn) error {
	err := s.load(ctx)
	switch {
	case errors.Is(err, windlass.NotFound):
		s.failAll("the installation was removed before it was written", false)
		return operation.End(nil)
	case err != nil && (ctx.Err() != nil || operation.Local(err)):
		return err
	case err != nil:
		s.failAll(s.plain(err), false)
		return operation.End(nil)
	case !s.in.Connection.InWorkspace(s.Op.Workspace):
		s.failAll(fmt.Sprintf("the installation was moved to another workspace, %s, before it was written", s.in.Connection.Workspace), false)
		return operation.End(nil)
	}
	t.Deadline = s.w.Deadline
	late := s.w.Mode == windlass.WriteSync || s.overdue()
	if s.in.Connection.Status == windlass.ConnectionBad && !late {
		return t.Disconnected()
	}
	if err := s.open(ctx); err != nil && !late {
		return &withoutSecrets{s.plain(err), err}
	}
	if s.w.Mode == windlass.WriteSync {
		s.expire(ctx, "it was not written: the process that wrote stopped")
		return operation.End(nil)
	}
	return nil
}

// load gets what the step needs to know.
func (s *step) load(ctx context.Context) error {
	s.settleNone()
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.store.CloseWrite(ctx, s.Op.ID); err != nil {
			return err
		}
		var err error
		if s.w, err = s.store.Write(ctx, s.Op.ID); err != nil {
			return err
		}
		s.records, err = s.store.WriteRecords(ctx, s.Op.ID)
		return err
	})
	if err != nil {
		return err
	}
	if s.in, err = s.store.Installation(ctx, s.Op.ProjectID, s.Op.InstallationID); err != nil {
		return err
	}
	i, err := s.store.Integration(ctx, s.Op.ProjectID, s.Op.IntegrationID)
	if err != nil {
		return err
	}
	s.integration = i.Name
	content, err := s.store.OperationConfig(ctx, s.Op.ConfigID)
	if err != nil {
		return err
	}
	c, err := config.Parse(content)
	if err != nil {
		return err
	}
	revision, err := s.store.Revision(ctx, s.Op.IntegrationID, s.Op.RevisionID)
	if err != nil {
		return err
	}
	s.plan, err = c.WritePlan(revision, s.Op.Object)
	return err
}

func (s *step) settleNone() { s.marked, s.unsettled, s.lines = none, nil, nil }

// open gets a way to the provider.
func (s *step) open(ctx context.Context) error {
	s.hideAll()
	target, err := s.opts.Open(ctx, s.in.Connection, s.w.Mode)
	if err != nil {
		return err
	}
	s.target = target
	s.Meter(target)
	return nil
}

// Next writes the record that is marked, and marks the next one in the transaction
// that keeps the outcome. The last one ends the operation, and so does the end of the
// time for it.
func (s *step) Next(ctx context.Context, t *operation.Turn) (operation.Commit, error) {
	if i := s.marked; i != none {
		if err := s.write(ctx); err != nil {
			s.records[i].Error = s.plain(err)
			return operation.Commit{Do: func(ctx context.Context) error { return s.keepOpen(ctx, i) }}, &withoutSecrets{s.records[i].Error, err}
		}
	}
	i := s.next()
	async := s.w.Mode == windlass.WriteAsync
	switch {
	case i == none:
		return operation.Commit{Ends: true}, nil
	case !async && over(ctx):
		s.failAll("it was not sent: the time for a synchronous write was over; write asynchronously, or fewer at once", true)
		return operation.Commit{Ends: true}, nil
	case async && s.overdue():
		s.expire(ctx, "it was not written before the deadline, "+operation.Stamp(s.w.Deadline))
		return operation.Commit{Ends: true}, nil
	case !t.More():
		return operation.Commit{Do: s.settle}, nil
	default:
		return operation.Commit{Do: func(ctx context.Context) error { return s.mark(ctx, i) }}, nil
	}
}

// over reports whether the time for a write is.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// keepOpen keeps, within a transaction, a record that is tried again as it is, so
// that it is looked for.
func (s *step) keepOpen(ctx context.Context, i int) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.store.SaveWriteRecord(ctx, s.records[i])
}

// next is the record to write next: the one that was tried least, so that one that
// fails again and again holds up no other.
func (s *step) next() int {
	best := none
	for i := range s.records {
		if s.records[i].Status == windlass.RecordOpen && (best == none || s.records[i].Attempts < s.records[best].Attempts) {
			best = i
		}
	}
	return best
}

func (s *step) overdue() bool { return !s.w.Deadline.IsZero() && !s.now().Before(s.w.Deadline) }

// mark notes, within a transaction, that a record is about to be sent, together
// with the outcomes of those before. A process that dies behind this leaves a
// record that is looked for.
func (s *step) mark(ctx context.Context, i int) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	r := &s.records[i]
	s.marked, s.before = i, r.Sent
	if r.Sent.IsZero() {
		r.Sent = s.now()
	}
	r.Attempts++
	return s.store.SaveWriteRecord(ctx, *r)
}

// settle keeps outcomes, within a transaction. The cursor counts them, so that no
// record is settled twice, and only by the owner of the lease.
func (s *step) settle(ctx context.Context) error {
	if len(s.lines) > 0 {
		if err := s.store.AppendLogs(ctx, s.lines); err != nil {
			return err
		}
		s.lines = nil
	}
	if len(s.unsettled) == 0 {
		return nil
	}
	var written int64
	for _, i := range s.unsettled {
		if s.records[i].Status == windlass.RecordDone {
			written++
		}
		if err := s.store.SaveWriteRecord(ctx, s.records[i]); err != nil {
			return err
		}
	}
	settled, err := strconv.Atoi(s.Op.Cursor)
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: opWrite, Message: "the cursor of a write is no number", Err: err}
	}
	if err := s.Move(ctx, windlass.Progress{
		To: strconv.Itoa(settled + len(s.unsettled)), Walked: int64(len(s.unsettled)), Records: written, Estimate: int64(len(s.records)),
	}); err != nil {
		return err
	}
	s.unsettled = nil
	return nil
}
