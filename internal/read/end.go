package read

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
)

// mostFailures in a row pause the reads of an object.
const mostFailures = 5

// ending is how an operation ends.
type ending struct {
	p           windlass.Operation // with the last page in it
	cause       error              // nil for a success
	integration string             // its name
	requests    int64              // those that no page has counted
}

// ending returns how a page ends the operation; nil when it does not, because it
// is not the last, or because of what again says. A read that brought fewer
// records than the provider counts, in as many passes as make sense, is a failure:
// it is not all there is.
func (s *step) ending(ctx context.Context, page connector.Page, after windlass.Operation) (e *ending, again string, err error) {
	if page.Next != "" {
		return nil, "", nil
	}
	if again = s.unfinished(page); again != "" {
		return nil, again, nil
	}
	e = &ending{p: after}
	if !s.complete(page) {
		e.cause = connector.ErrIncomplete(s.p.Object, s.counts(page.Full), page.Size)
	}
	e.integration, err = s.integrationName(ctx)
	return e, "", err
}

// integrationName is for notifications. It is asked outside of the transaction,
// which would lock the integration for every read of it.
func (s *step) integrationName(ctx context.Context) (string, error) {
	in, err := s.store.Integration(ctx, s.p.ProjectID, s.p.IntegrationID)
	if kindIs(err, windlass.NotFound) {
		return "", nil
	}
	return in.Name, err
}

// end ends the operation, within a transaction: its status and result, the mark
// or the count of failures, and what the product is told.
func (s *step) end(ctx context.Context, e ending) error {
	// The installation first, as whoever changes it does, or else each could wait
	// for the other.
	in, err := s.store.Installation(ctx, s.p.ProjectID, s.p.InstallationID)
	if kindIs(err, windlass.NotFound) {
		return errUninstalled
	}
	if err != nil {
		return err
	}
	status, result, severity := windlass.OperationSuccess, s.summary(e.p)+s.doubt(), windlass.SeverityInfo
	if e.cause != nil {
		status, result, severity = windlass.OperationFailure, upper(plain(e.cause))+".", windlass.SeverityError
	}
	details := figures(e.p)
	details[logTook] = s.now().Sub(e.p.Started).Round(time.Millisecond).String()
	if err := s.append(ctx, s.note(s.p.ID, severity, result, details)); err != nil {
		return err
	}
	if err := s.store.EndOperation(ctx, s.p.ID, s.holder, status, result, e.requests, s.now()); err != nil {
		return err
	}
	if s.p.Cursor != "" || s.p.Restarts > 0 { // the only page of a read is not kept
		if err := s.store.DropReadPages(ctx, s.p.ID); err != nil {
			return err
		}
	}
	if err := s.store.NoteStatus(ctx, in.ID, status, e.cause == nil); err != nil {
		return err
	}
	if e.cause != nil {
		return s.afterFailure(ctx, in, e, result)
	}
	return s.afterSuccess(ctx, in, e)
}

// afterSuccess moves the mark (invariant 8): to when the read started, because
// what changed while it went on may have been missed.
func (s *step) afterSuccess(ctx context.Context, in windlass.Installation, e ending) error {
	told := about(in, e.integration)
	if s.p.Trigger == windlass.TriggerAsked {
		return s.notify(ctx, s.p.ProjectID, NotifyTriggeredDone, told.triggered(s.p, ""))
	}
	if err := s.store.MoveMark(ctx, in.ID, s.p.Object, s.p.Workspace, s.p.Started, s.now()); err != nil {
		return err
	}
	if err := s.store.Forget(ctx, in.ID, s.p.Object, s.p.Started.Add(-s.opts.Overlap)); err != nil {
		return err
	}
	if s.p.Trigger == windlass.TriggerBackfill {
		return s.notify(ctx, s.p.ProjectID, NotifyBackfillDone, told.ofObject(s.p))
	}
	return nil
}

// afterFailure counts the failure, and pauses the reads when there were too many.
func (s *step) afterFailure(ctx context.Context, in windlass.Installation, e ending, result string) error {
	told := about(in, e.integration)
	if s.p.Trigger == windlass.TriggerAsked {
		return s.notify(ctx, s.p.ProjectID, NotifyTriggeredError, told.triggered(s.p, result))
	}
	failures, err := s.store.CountFailure(ctx, in.ID, s.p.Object, s.now())
	if err != nil || failures < mostFailures {
		return err
	}
	reason := fmt.Sprintf("%d reads in a row have failed, the last one so: %s", failures, result)
	if err := s.pauseObject(ctx, in, s.p.Object, reason); err != nil {
		return err
	}
	line := fmt.Sprintf("Reads of %s are paused, since %d in a row have failed. Mend the cause, then end the pause.", s.p.Object, failures)
	if err := s.append(ctx, s.note(s.p.ID, windlass.SeverityError, line, nil)); err != nil {
		return err
	}
	return s.notify(ctx, s.p.ProjectID, NotifySchedulePaused, told.paused(in, result))
}

// failed ends the operation because of an error that repeating does not mend.
func (s *step) failed(ctx context.Context, what string, cause error) error {
	if ctx.Err() != nil || local(cause) {
		return s.trouble(ctx, what, cause)
	}
	name, err := s.integrationName(ctx)
	if err == nil {
		s.p.Requests += s.unpaid
		over := ending{p: s.p, cause: cause, integration: name, requests: s.unpaid}
		if err = s.store.In(ctx, func(ctx context.Context) error { return s.end(ctx, over) }); err == nil {
			s.over = &over
		}
	}
	return s.ended(ctx, err)
}

// local reports whether an error is the database's, and passes.
func local(err error) bool {
	if _, provider := windlass.FromProvider(err); provider {
		return false
	}
	failure, ok := windlass.Own(err)
	return ok && (failure.Kind == windlass.Unavailable || failure.Kind == windlass.Canceled || failure.Kind == windlass.Internal)
}

// stopped ends the operation because somebody wanted it to end: that is no
// failure of the reads. also runs in the same transaction.
func (s *step) stopped(ctx context.Context, result string, also func(ctx context.Context) error) error {
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.append(ctx, s.note(s.p.ID, windlass.SeverityInfo, result, figures(s.p))); err != nil {
			return err
		}
		if err := s.store.EndOperation(ctx, s.p.ID, s.holder, windlass.OperationFailure, result, s.spent(), s.now()); err != nil {
			return err
		}
		if err := s.store.DropReadPages(ctx, s.p.ID); err != nil || also == nil {
			return err
		}
		return also(ctx)
	})
	if err == nil {
		s.over = &ending{p: s.p, cause: errors.New(strings.TrimRight(result, "."))}
	}
	return s.ended(ctx, err)
}

// uninstalled ends the operation of an installation that is gone.
func (s *step) uninstalled(ctx context.Context) error {
	return s.stopped(ctx, "The installation was removed while it was read. What was read before is still delivered.", nil)
}

// ended is what Step returns after an end was tried.
func (s *step) ended(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUninstalled):
		return s.uninstalled(ctx)
	default:
		return s.trouble(ctx, "end", err)
	}
}

// summary is the result of a success, as a sentence.
func (s *step) summary(p windlass.Operation) string {
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
