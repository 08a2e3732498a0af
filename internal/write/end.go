package write

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"windlass"
)

// end ends the write: its outcomes, its status and result, the answer to its key,
// and what the product is told, in one transaction.
func (s *step) end(ctx context.Context) error {
	// The outcome counts even if the time for the write is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.store.In(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx); err != nil {
			return err
		}
		done, failed := s.counts()
		status, severity := windlass.OperationSuccess, windlass.SeverityInfo
		if failed > 0 {
			status, severity = windlass.OperationFailure, windlass.SeverityError
		}
		result := s.summary(done, failed)
		requests := s.spent()
		if err := s.note(ctx, s.p.ID, severity, result, map[string]string{
			logWritten: strconv.Itoa(done), logFailed: strconv.Itoa(failed), logRequests: strconv.FormatInt(s.p.Requests, 10),
			logTook: s.now().Sub(s.p.Started).Round(time.Millisecond).String(),
		}); err != nil {
			return err
		}
		if err := s.store.EndWrite(ctx, s.p.ID, s.holder, status, result, requests, s.now()); err != nil {
			return err
		}
		if err := s.keepAnswer(ctx); err != nil {
			return err
		}
		return s.tell(ctx, failed == 0)
	})
}

// summary is the result of the write, as a sentence.
func (s *step) summary(done, failed int) string {
	verb := map[string]string{windlass.WriteCreate: "Created", windlass.WriteUpdate: "Updated", windlass.WriteDelete: "Deleted"}[s.w.Type]
	switch {
	case failed == 0:
		return fmt.Sprintf("%s %s of %s.", verb, many(done, "record"), s.p.Object)
	case !s.w.Batch:
		return upper(s.records[0].Error) + "."
	default:
		return fmt.Sprintf("%s %d of %s of %s; %d failed, the first so: %s.", verb, done, many(len(s.records), "record"), s.p.Object, failed, s.firstError())
	}
}

func (s *step) firstError() string {
	for i := range s.records {
		if s.records[i].Status == windlass.RecordFailed {
			return s.named(&s.records[i])
		}
	}
	return ""
}

// keepAnswer keeps the answer for whoever sends the request again, unless it says
// no more than that something passes by itself.
func (s *step) keepAnswer(ctx context.Context) error {
	if s.key == nil || !s.stands() {
		return nil
	}
	answer, err := json.Marshal(s.answer())
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: opWrite, Message: "the answer is no JSON", Err: err}
	}
	k := *s.key
	k.OperationID, k.Answer = s.p.ID, answer
	_, err = s.store.SaveWriteKey(ctx, k, s.p.ID)
	return err
}

// stands reports whether the answer says anything that stays so.
func (s *step) stands() bool {
	for i := range s.records {
		if s.records[i].Status == windlass.RecordDone || !s.temporary[i] {
			return true
		}
	}
	return false
}

// tell tells the product of an asynchronous write.
func (s *step) tell(ctx context.Context, success bool) error {
	if s.opts.Notifier == nil || s.w.Mode != windlass.WriteAsync || s.in.ID == "" {
		return nil
	}
	notice := windlass.WriteNotice{
		Installed: windlass.Installed{
			ProjectID: s.in.ProjectID, Provider: s.in.Connection.Provider, IntegrationID: s.in.IntegrationID,
			IntegrationName: s.integration, InstallationID: s.in.ID, ConnectionID: s.in.Connection.ID,
			GroupRef: s.in.Group.Ref, GroupName: s.in.Group.Name,
			ConsumerRef: s.in.Connection.Consumer.Ref, ConsumerName: s.in.Connection.Consumer.Name,
		},
		ObjectName: s.p.Object, Success: success, OperationID: s.p.ID,
	}
	for i := range s.records {
		r := &s.records[i]
		if r.Status == windlass.RecordDone {
			notice.SuccessfulRecordIDs = append(notice.SuccessfulRecordIDs, r.RecordID)
		} else {
			notice.Errors = append(notice.Errors, s.named(r))
		}
	}
	return s.opts.Notifier.Notify(ctx, s.p.ProjectID, windlass.AsyncWriteDoneEvent, notice)
}
