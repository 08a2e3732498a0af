package read

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"windlass"
	"windlass/internal/logkey"
	"windlass/internal/operation"
)

// maxFailures in a row pause the reads of an object.
const maxFailures = 5

// stopped is the cause of an end that something else wanted: that is no failure of
// the reads.
type stopped struct {
	result string
	also   func(ctx context.Context) error // runs in the same transaction
}

func (s *stopped) Error() string { return strings.TrimRight(s.result, ".") }

// errUninstalled ends the operation of an installation that is gone.
var errUninstalled = operation.End(&stopped{
	result: "The installation was removed while it was read. What was read before is still delivered.",
})

// Finish says how the operation ends: its result, the mark or the count of
// failures, and what the product is told.
func (s *step) Finish(ctx context.Context, _ *operation.Turn, cause error) (o operation.Outcome, err error) {
	s.store.Afterwards(ctx, func() { s.tellEnded(ctx, cause) })
	if stop, ok := errors.AsType[*stopped](cause); ok {
		return operation.Outcome{
			Result: stop.result, Severity: windlass.SeverityInfo, Details: figures(s.Op),
			Then: func(ctx context.Context) error {
				if err := s.dropKept(ctx); err != nil || stop.also == nil {
					return err
				}
				return stop.also(ctx)
			},
		}, nil
	}
	// The installation first, as whatever changes it does, or else each could wait
	// for the other.
	in, err := s.store.Installation(ctx, s.Op.ProjectID, s.Op.InstallationID)
	if errors.Is(err, windlass.NotFound) {
		return o, errUninstalled
	}
	if err != nil {
		return o, err
	}
	o = operation.Outcome{Success: cause == nil, Details: figures(s.Op), Then: func(ctx context.Context) error { return s.ended(ctx, in, cause, o.Result) }}
	o.Result, o.Severity = s.summary()+s.reservations(), windlass.SeverityInfo
	if cause != nil {
		o.Result, o.Severity = operation.Upper(operation.Plain(cause))+".", windlass.SeverityError
	}
	o.Details[logkey.Duration] = s.now().Sub(s.Op.Started).Round(time.Millisecond).String()
	return o, nil
}

// ended does what follows from the end of an operation, in the same transaction.
func (s *step) ended(ctx context.Context, in windlass.Installation, cause error, result string) error {
	if s.Op.Pages > 1 || s.Op.Restarts > 0 || cause != nil { // the only page of a read is not kept
		if err := s.dropKept(ctx); err != nil {
			return err
		}
	}
	if cause != nil {
		if err := s.store.NoteStatus(ctx, in.ID, windlass.OperationFailure, false); err != nil {
			return err
		}
		return s.afterFailure(ctx, in, result)
	}
	if err := s.store.NoteStatus(ctx, in.ID, windlass.OperationSuccess, true); err != nil {
		return err
	}
	return s.afterSuccess(ctx, in)
}

// dropKept removes what is kept only while an operation is under way.
func (s *step) dropKept(ctx context.Context) error {
	if err := s.store.DropReadPages(ctx, s.Op.ID); err != nil {
		return err
	}
	return s.store.DropReadUnits(ctx, s.Op.ID)
}

// afterSuccess moves the mark (invariant 8): to when the read started, because
// what changed while it went on may have been missed.
func (s *step) afterSuccess(ctx context.Context, in windlass.Installation) error {
	told := about(in, s.integration)
	if s.Op.Trigger == windlass.TriggerAsked {
		return s.notify(ctx, s.Op.ProjectID, NotifyTriggeredDone, told.triggered(s.Op, ""))
	}
	if err := s.store.MoveMark(ctx, in.ID, s.Op.Object, s.Op.Workspace, s.Op.Started, s.now()); err != nil {
		return err
	}
	if err := s.store.Forget(ctx, in.ID, s.Op.Object, s.Op.Started.Add(-s.opts.Overlap)); err != nil {
		return err
	}
	if s.Op.Trigger == windlass.TriggerBackfill {
		return s.notify(ctx, s.Op.ProjectID, NotifyBackfillDone, told.ofObject(s.Op))
	}
	return nil
}

// afterFailure counts the failure, and pauses the reads when there were too many.
func (s *step) afterFailure(ctx context.Context, in windlass.Installation, result string) error {
	told := about(in, s.integration)
	if s.Op.Trigger == windlass.TriggerAsked {
		return s.notify(ctx, s.Op.ProjectID, NotifyTriggeredError, told.triggered(s.Op, result))
	}
	failures, err := s.store.CountFailure(ctx, in.ID, s.Op.Object, s.now())
	if err != nil || failures < maxFailures {
		return err
	}
	reason := fmt.Sprintf("%d reads in a row have failed, the last one so: %s", failures, result)
	if err := s.pauseObject(ctx, in, s.Op.Object, reason); err != nil {
		return err
	}
	line := fmt.Sprintf("Reads of %s are paused, since %d in a row have failed. Mend the cause, then end the pause.", s.Op.Object, failures)
	if err := s.Log(ctx, windlass.SeverityError, line, nil); err != nil {
		return err
	}
	return s.notify(ctx, s.Op.ProjectID, NotifySchedulePaused, told.paused(in, result))
}

// reservations are what a success leaves open.
func (s *step) reservations() string {
	if !s.below() {
		return s.doubt()
	}
	if s.refused == 0 {
		return ""
	}
	return " " + many(s.refused, "parent") + " that the provider does not show passed over."
}

// summary is the result of a success, as a sentence.
func (s *step) summary() string {
	p := &s.Op
	took := s.now().Sub(p.Started).Round(time.Second)
	switch {
	case p.Walked == 0:
		return fmt.Sprintf("There was nothing to read of %s.", p.Object)
	case p.Records == 0:
		return fmt.Sprintf("There was nothing new of %s.", p.Object)
	default:
		return fmt.Sprintf("Read %s of %s in %s, and passed them on in %s. It took %s.", many(p.Records, "record"), p.Object,
			many(p.Requests, "request"), many(p.Batches, "message"), took)
	}
}

func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
