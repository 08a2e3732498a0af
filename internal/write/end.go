package write

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/logkey"
	"windlass/internal/operation"
)

// Finish says how the write ends: its outcomes, the answer to its key, and what the
// product is told.
func (s *step) Finish(ctx context.Context, _ *operation.Turn, cause error) (o operation.Outcome, err error) {
	if cause != nil {
		s.failAll(s.plain(cause), false)
	}
	if err := s.settle(ctx); err != nil {
		return o, err
	}
	done, failed := s.counts()
	o = operation.Outcome{
		Success: failed == 0, Result: s.summary(done, failed), Severity: windlass.SeverityInfo,
		Details: map[string]string{
			logkey.Written: strconv.Itoa(done), logkey.Failed: strconv.Itoa(failed), logkey.Requests: strconv.FormatInt(s.Op.Requests, 10),
			logkey.Duration: s.now().Sub(s.Op.Started).Round(time.Millisecond).String(),
		},
		Then: func(ctx context.Context) error {
			if err := s.store.EraseWrite(ctx, s.Op.ID); err != nil {
				return err
			}
			if err := s.keepAnswer(ctx); err != nil {
				return err
			}
			return s.tell(ctx, failed == 0)
		},
	}
	if failed > 0 {
		o.Severity = windlass.SeverityError
	}
	return o, nil
}

// summary is the result of the write, as a sentence.
func (s *step) summary(done, failed int) string {
	verb := map[string]string{windlass.WriteCreate: "Created", windlass.WriteUpdate: "Updated", windlass.WriteDelete: "Deleted"}[s.w.Type]
	switch {
	case failed == 0:
		return fmt.Sprintf("%s %s of %s.", verb, many(done, "record"), s.Op.Object)
	case !s.w.Batch:
		return operation.Upper(s.records[0].Error) + "."
	default:
		return fmt.Sprintf("%s %d of %s of %s; %d failed, the first so: %s.", verb, done, many(len(s.records), "record"), s.Op.Object, failed, s.firstError())
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

// keepAnswer keeps the answer for the client that sends the request again, unless it says
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
	k.OperationID, k.Answer = s.Op.ID, answer
	_, err = s.store.SaveWriteKey(ctx, k, s.Op.ID)
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
		Installed:  s.in.Installed(s.integration),
		ObjectName: s.Op.Object, Success: success, OperationID: s.Op.ID,
	}
	for i := range s.records {
		r := &s.records[i]
		if r.Status == windlass.RecordDone {
			notice.SuccessfulRecordIDs = append(notice.SuccessfulRecordIDs, r.RecordID)
		} else {
			notice.Errors = append(notice.Errors, s.named(r))
		}
	}
	return s.opts.Notifier.Notify(ctx, s.Op.ProjectID, windlass.AsyncWriteDoneEvent, notice)
}
