package write

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/mapping"
)

// Waiting is what [Flow.Step] returns when a write is to be carried on later: its
// job should come again after the time that Wait says.
type Waiting struct {
	For    time.Duration
	Reason string // why, for who watches jobs; the operation's log says it to people
}

// Error says how long, and why.
func (w *Waiting) Error() string { return fmt.Sprintf("wait for %s: %s", w.For, w.Reason) }

// Wait is how long.
func (w *Waiting) Wait() time.Duration { return max(w.For, 0) }

// none is no record.
const none = -1

// step is one turn of one write, from taking its lease to giving it back.
type step struct {
	*Flow

	holder      string
	began       time.Time
	p           windlass.Operation    // as it was last committed
	in          windlass.Installation // as it was when the step began
	integration string                // its name
	key         *windlass.WriteKey    // of the request; nil for none
	w           windlass.Write
	records     []windlass.WriteRecord
	plan        *mapping.WritePlan
	target      Target
	counted     func() int64 // requests of the target in all; nil counts calls
	paid        int64        // what counted said last
	unpaid      int64        // requests that are not in the operation's count yet

	marked    int       // the record that is noted as sent, and about to be
	before    time.Time // when that was sent before; zero for never
	unsettled []int     // records whose outcome is not kept yet
	lines     []windlass.OperationLog
	data      map[int]json.RawMessage // what the provider answered, by position
	temporary map[int]bool            // failures that may pass, by position
	secrets   []string                // what nobody may see
}

// Step carries an asynchronous write on for one slice. It returns nil when the
// write has ended, and a *[Waiting] when there is more to do, now or later. It may
// be called any number of times, at once and by several processes: one of them has
// the lease, and the others wait.
//
// A synchronous write whose process has died is ended: what was sent is looked
// for, and the rest fails.
func (f *Flow) Step(ctx context.Context, operationID string) error {
	s := &step{Flow: f, holder: f.holder(), began: f.now(), marked: none}
	defer f.hold(s.holder)()
	p, won, held, err := f.store.LeaseOperation(ctx, operationID, s.holder, s.began, s.began.Add(f.opts.Lease))
	switch {
	case kindIs(err, windlass.NotFound):
		return nil
	case err != nil:
		return s.trouble(ctx, "take the operation", err)
	case won:
		s.p = p
		return s.run(ctx)
	case p.Status != windlass.OperationRunning:
		return nil
	case p.Wait.After(s.began):
		return &Waiting{p.Wait.Sub(s.began), "the write waits"}
	default:
		return &Waiting{max(held.Sub(s.began), time.Second), "another job carries the write on"}
	}
}

// run does what there is to do before the first record, and then the records.
func (s *step) run(ctx context.Context) error {
	err := s.load(ctx)
	switch {
	case kindIs(err, windlass.NotFound):
		s.failAll("the installation was removed before it was written", false)
		return s.finish(ctx)
	case local(err):
		return s.trouble(ctx, "see what is to be written", err)
	case err != nil:
		s.failAll(s.plain(err), false)
		return s.finish(ctx)
	case !s.in.Connection.InWorkspace(s.p.Workspace):
		s.failAll(fmt.Sprintf("the installation was moved to another workspace, %s, before it was written", s.in.Connection.Workspace), false)
		return s.finish(ctx)
	}
	late := s.w.Mode == windlass.WriteSync || s.overdue()
	if s.in.Connection.Status == windlass.ConnectionBad && !late {
		return s.sleep(ctx)
	}
	if err := s.open(ctx); err != nil && !late {
		return s.refused(ctx, none, err)
	}
	if s.w.Mode == windlass.WriteSync {
		s.expire(ctx, "it was not written: the process that wrote stopped")
		return s.finish(ctx)
	}
	if err := s.carry(ctx); err != nil {
		return s.stopped(ctx, err)
	}
	return nil
}

// load gets what the step needs to know.
func (s *step) load(ctx context.Context) error {
	s.settleNone()
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.store.CloseWrite(ctx, s.p.ID); err != nil {
			return err
		}
		var err error
		if s.w, err = s.store.Write(ctx, s.p.ID); err != nil {
			return err
		}
		s.records, err = s.store.WriteRecords(ctx, s.p.ID)
		return err
	})
	if err != nil {
		return err
	}
	if s.in, err = s.store.Installation(ctx, s.p.ProjectID, s.p.InstallationID); err != nil {
		return err
	}
	i, err := s.store.Integration(ctx, s.p.ProjectID, s.p.IntegrationID)
	if err != nil {
		return err
	}
	s.integration = i.Name
	content, err := s.store.OperationConfig(ctx, s.p.ConfigID)
	if err != nil {
		return err
	}
	c, err := config.Parse(content)
	if err != nil {
		return err
	}
	revision, err := s.store.Revision(ctx, s.p.IntegrationID, s.p.RevisionID)
	if err != nil {
		return err
	}
	s.plan, err = c.WritePlan(revision, s.p.Object)
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
	if counter, ok := target.(interface{ Requests() int64 }); ok {
		s.counted = counter.Requests
	}
	return nil
}

// carry writes records until all are settled, the time is over, or the write has
// to wait.
func (s *step) carry(ctx context.Context) error {
	for {
		if s.marked == none {
			i := s.next()
			switch {
			case i == none:
				return s.end(ctx)
			case s.w.Mode == windlass.WriteSync && ctx.Err() != nil:
				s.failAll("it was not sent: the time for a synchronous write was over; write asynchronously, or fewer at once", true)
				return s.end(ctx)
			case s.w.Mode == windlass.WriteAsync && s.overdue():
				s.expire(ctx, "it was not written before the deadline, "+stamp(s.w.Deadline))
				return s.end(ctx)
			case s.w.Mode == windlass.WriteAsync && s.now().Sub(s.began) >= s.opts.Slice:
				return s.giveWay(ctx)
			}
			if err := s.store.In(ctx, func(ctx context.Context) error { return s.mark(ctx, i) }); err != nil {
				return err
			}
		}
		if err := s.write(ctx); err != nil {
			return err
		}
	}
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
// record is settled twice, and only by the holder of the lease.
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
	settled, err := strconv.Atoi(s.p.Cursor)
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: opWrite, Message: "the cursor of a write is no number", Err: err}
	}
	to := strconv.Itoa(settled + len(s.unsettled))
	if err := s.store.MoveCursor(ctx, windlass.Progress{
		OperationID: s.p.ID, Holder: s.holder, From: s.p.Cursor, To: to,
		Walked: int64(len(s.unsettled)), Records: written, Requests: s.spent(), Estimate: int64(len(s.records)),
		Now: s.now(), LeaseUntil: s.now().Add(s.opts.Lease),
	}); err != nil {
		return err
	}
	s.p.Cursor, s.p.Attempt, s.unsettled = to, 0, nil
	return nil
}

// count notes what a call of the target has cost.
func (s *step) count() {
	if s.counted == nil {
		s.unpaid++
		return
	}
	total := s.counted()
	s.unpaid += total - s.paid
	s.paid = total
}

// spent returns the requests that are not in the operation's count yet.
func (s *step) spent() int64 {
	n := s.unpaid
	s.p.Requests += n
	s.unpaid = 0
	return n
}

// stopped is for an end of carry that is not the write's.
func (s *step) stopped(ctx context.Context, err error) error {
	if _, waits := err.(*Waiting); waits { //nolint:errorlint // made by this package, and never wrapped
		return err
	}
	return s.trouble(ctx, "write", err)
}

// finish is end for a step that nobody waits for.
func (s *step) finish(ctx context.Context) error {
	if err := s.end(ctx); err != nil {
		return s.stopped(ctx, err)
	}
	return nil
}

// trouble is for the database and everything else that is ours and passes. The
// write is as it was when it was last kept, and goes on by itself.
func (s *step) trouble(ctx context.Context, what string, err error) error {
	if kindIs(err, windlass.Conflict) {
		return &Waiting{s.opts.Lease, "another job carries the write on"}
	}
	if ctx.Err() == nil {
		s.opts.Logger.WarnContext(ctx, "a write cannot go on for now",
			slog.String(logOperation, s.p.ID), slog.String(logObject, s.p.Object), slog.String(logReason, what+": "+s.plain(err)))
	}
	// The context may have ended because the process stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	after := troubleFor
	if s.p.ID != "" && s.store.SuspendOperation(ctx, s.p.ID, s.holder, s.p.Wait, s.p.Attempt, s.spent(), s.now()) != nil {
		after = s.opts.Lease // it cannot be given back, and runs out
	}
	return &Waiting{after, "the database is not ready"}
}

// giveWay ends a slice: others are served before this write goes on.
func (s *step) giveWay(ctx context.Context) error {
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx); err != nil {
			return err
		}
		return s.store.SuspendOperation(ctx, s.p.ID, s.holder, time.Time{}, 0, s.spent(), s.now())
	})
	if err != nil {
		return err
	}
	return &Waiting{0, "the write gives way to others"}
}
