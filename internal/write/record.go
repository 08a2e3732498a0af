package write

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/ids"
	"windlass/internal/logkey"
	"windlass/internal/mapping"
	"windlass/internal/operation"
)

// outcome is what became of an attempt to write a record.
type outcome struct {
	id    string
	data  json.RawMessage
	found bool // it was there already: an earlier attempt had made it
	err   error
	// nothing: the provider did nothing, whatever the error.
	nothing bool
}

// write writes the record that is marked. Its error is one that passes, or that of a
// process that stops.
func (s *step) write(ctx context.Context) error {
	i := s.marked
	r := &s.records[i]
	s.marked = none
	// No call must outlive the lease under which it was made.
	calling, cancel := context.WithTimeout(ctx, s.opts.Call)
	defer cancel()
	defer context.AfterFunc(s.opts.Alive(), cancel)() //nolint:contextcheck // two reasons end a call: the job's and the process's
	o := s.attempt(calling, r)
	if o.nothing {
		r.Sent = s.before
	}
	switch {
	case o.err == nil:
		s.done(i, o)
		return nil
	case s.w.Mode == windlass.WriteAsync && (ctx.Err() != nil || passes(o.err)):
		return o.err
	default:
		s.failed(i, s.plain(o.err), temporary(o.err))
		return nil
	}
}

// attempt makes the calls that write a record.
func (s *step) attempt(ctx context.Context, r *windlass.WriteRecord) outcome {
	switch s.w.Type {
	case windlass.WriteCreate:
		return s.create(ctx, r)
	case windlass.WriteUpdate:
		return s.update(ctx, r)
	default:
		return s.remove(ctx, r)
	}
}

// create creates a record, unless it was sent before and is there.
func (s *step) create(ctx context.Context, r *windlass.WriteRecord) outcome {
	written, err := s.mapped(r, s.plan.Create)
	if err != nil {
		return outcome{err: err, nothing: true}
	}
	if !s.before.IsZero() {
		id, found, err := s.find(ctx, written.Record, s.before)
		switch {
		case err != nil && !passes(err):
			return outcome{err: &doubt{err, "an earlier attempt may have succeeded all the same: look before writing again"}}
		case err != nil:
			return outcome{err: err}
		case found:
			return outcome{id: id, found: true}
		}
	}
	result, err := s.target.Write(ctx, connector.WriteRequest{Object: s.Op.Object, Record: written.Record})
	s.Called()
	if err == nil {
		return outcome{id: result.ID, data: result.Raw}
	}
	if lost(err) && s.w.Mode == windlass.WriteSync {
		return s.look(ctx, written.Record, r.Sent, err)
	}
	return outcome{err: err, nothing: !lost(err)}
}

// look finds out for who waits what became of a create whose answer was lost.
func (s *step) look(ctx context.Context, record json.RawMessage, sent time.Time, cause error) outcome {
	const within = 10 * time.Second // even if the time for the write itself is over
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	id, found, err := s.find(ctx, record, sent)
	switch {
	case err != nil:
		return outcome{err: &doubt{cause, "it could not be looked for either (" + s.plain(err) + "): look before writing again"}}
	case found:
		return outcome{id: id, found: true}
	default:
		return outcome{err: &doubt{cause, "it was looked for, and is not there: write it again"}}
	}
}

// doubt is the error of a write whose answer was lost, with what was found.
type doubt struct {
	cause error
	found string
}

func (d *doubt) Error() string {
	message := d.cause.Error()
	if known, ok := asProvider(d.cause); ok {
		plain := *known
		plain.Remedy = "" // looking is done
		message = plain.Error()
	}
	return fmt.Sprintf("%s; %s", message, d.found)
}

func (d *doubt) Unwrap() error { return d.cause }

func (s *step) find(ctx context.Context, record json.RawMessage, since time.Time) (string, bool, error) {
	id, found, err := s.target.Find(ctx, connector.FindRequest{Object: s.Op.Object, Record: record, Since: since.Add(-skew)})
	s.Called()
	return id, found, err
}

// update changes a record. It may be repeated.
func (s *step) update(ctx context.Context, r *windlass.WriteRecord) outcome {
	var current json.RawMessage
	if len(s.plan.NeedsCurrent()) > 0 {
		now, err := s.target.Get(ctx, connector.GetRequest{Object: s.Op.Object, ID: r.RecordID})
		s.Called()
		if err != nil {
			return outcome{err: err, nothing: true}
		}
		current = now.Raw
	}
	written, err := s.mapped(r, func(record json.RawMessage) (mapping.Written, error) { return s.plan.Update(record, current) })
	if err != nil {
		return outcome{err: err, nothing: true}
	}
	result, err := s.target.Write(ctx, connector.WriteRequest{Object: s.Op.Object, ID: r.RecordID, Record: written.Record})
	s.Called()
	return outcome{id: result.ID, data: result.Raw, err: err}
}

// remove deletes a record. A delete is synchronous, so this is its only attempt.
func (s *step) remove(ctx context.Context, r *windlass.WriteRecord) outcome {
	err := s.target.Delete(ctx, connector.DeleteRequest{Object: s.Op.Object, ID: r.RecordID})
	s.Called()
	switch {
	case err != nil && lost(err):
		return s.lookDeleted(ctx, r, err)
	default:
		return outcome{id: r.RecordID, err: err}
	}
}

// lookDeleted finds out for who waits whether a delete whose answer was lost was
// done: it was if the record is not there.
func (s *step) lookDeleted(ctx context.Context, r *windlass.WriteRecord, cause error) outcome {
	const within = 10 * time.Second // even if the time for the write itself is over
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	gone, err := s.gone(ctx, r)
	switch {
	case err != nil:
		return outcome{err: &doubt{cause, "it could not be looked for either (" + s.plain(err) + "): look before deleting it again"}}
	case gone:
		return outcome{id: r.RecordID, found: true}
	default:
		return outcome{err: &doubt{cause, "it was looked for, and is still there: delete it again"}}
	}
}

// gone reports whether a record is not there.
func (s *step) gone(ctx context.Context, r *windlass.WriteRecord) (bool, error) {
	_, err := s.target.Get(ctx, connector.GetRequest{Object: s.Op.Object, ID: r.RecordID})
	s.Called()
	if errors.Is(err, windlass.NotFound) {
		return true, nil
	}
	return false, err
}

// mapped makes the provider's record of the product's, and notes what of it is
// secret before anything can go wrong with it.
func (s *step) mapped(r *windlass.WriteRecord, how func(json.RawMessage) (mapping.Written, error)) (mapping.Written, error) {
	s.hide(r.Record)
	written, err := how(r.Record)
	if err == nil {
		s.hide(written.Record)
	}
	for _, name := range written.Withheld {
		s.line(windlass.SeverityInfo, fmt.Sprintf("%q is not written on %s, as the config says.", name, s.w.Type), r)
	}
	return written, err
}

// done notes a success.
func (s *step) done(i int, o outcome) {
	r := &s.records[i]
	r.Status, r.RecordID, r.Error = windlass.RecordDone, o.id, ""
	s.unsettled = append(s.unsettled, i)
	if o.data != nil {
		if s.data == nil {
			s.data = map[int]json.RawMessage{}
		}
		s.data[i] = s.masked(o.data)
	}
	message := map[string]string{windlass.WriteCreate: "Created ", windlass.WriteUpdate: "Updated ", windlass.WriteDelete: "Deleted "}[s.w.Type]
	message += o.id + " of " + s.Op.Object + "."
	if o.found {
		verb := map[string]string{windlass.WriteCreate: "created ", windlass.WriteUpdate: "updated ", windlass.WriteDelete: "deleted "}[s.w.Type]
		message = "The answer to an earlier attempt was lost, but it had " + verb + o.id + " of " + s.Op.Object + "."
	}
	s.line(windlass.SeverityInfo, message, r)
}

// failed notes a failure. It may pass if it is temporary.
func (s *step) failed(i int, why string, passes bool) {
	r := &s.records[i]
	r.Status, r.Error = windlass.RecordFailed, why
	s.unsettled = append(s.unsettled, i)
	if s.temporary == nil {
		s.temporary = map[int]bool{}
	}
	s.temporary[i] = passes
	s.line(windlass.SeverityError, operation.Upper(why)+".", r)
}

// failAll fails whatever is open.
func (s *step) failAll(why string, passes bool) {
	s.marked = none
	for i := range s.records {
		if s.records[i].Status == windlass.RecordOpen {
			s.failed(i, why, passes)
		}
	}
}

// expire fails whatever is open, once it has looked for what may have been made.
func (s *step) expire(ctx context.Context, why string) {
	s.marked = none
	for i := range s.records {
		r := &s.records[i]
		if r.Status != windlass.RecordOpen {
			continue
		}
		reason := why
		if r.Error != "" {
			reason += "; the last attempt failed: " + r.Error
		}
		if s.w.Type == windlass.WriteUpdate || r.Sent.IsZero() {
			s.failed(i, reason, false)
			continue
		}
		id, found, err := s.lastLook(ctx, r)
		switch {
		case err != nil:
			s.failed(i, reason+"; an attempt may have succeeded all the same: look before writing it again", true)
		case found:
			s.done(i, outcome{id: id, found: true})
		default:
			s.failed(i, reason, false)
		}
	}
}

func (s *step) lastLook(ctx context.Context, r *windlass.WriteRecord) (string, bool, error) {
	if s.target == nil {
		return "", false, windlass.Unavailable
	}
	if s.w.Type == windlass.WriteDelete {
		ctx, cancel := context.WithTimeout(ctx, s.opts.Lease/4)
		defer cancel()
		gone, err := s.gone(ctx, r)
		return r.RecordID, gone, err
	}
	written, err := s.mapped(r, s.plan.Create)
	if err != nil {
		return "", false, nil // what cannot be mapped was not sent
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Call/2)
	defer cancel()
	return s.find(ctx, written.Record, r.Sent)
}

// line adds a line to the log, which is kept with the next outcome.
func (s *step) line(severity, message string, r *windlass.WriteRecord) {
	details := map[string]string{}
	if s.w.Batch {
		details[logkey.Record] = fmt.Sprint(r.Position)
	}
	if r.RecordID != "" {
		details[logkey.RecordID] = r.RecordID
	}
	s.lines = append(s.lines, windlass.OperationLog{
		ID: ids.New(), OperationID: s.Op.ID, Time: s.now(), Severity: severity, Message: message, Details: details,
	})
}

// asProvider is the provider's error in err, if it has one.
func asProvider(err error) (*windlass.Error, bool) { return windlass.FromProvider(err) }

// lost reports whether a write may have happened although it failed so.
func lost(err error) bool {
	return !errors.Is(err, windlass.RateLimited) &&
		(errors.Is(err, windlass.Unavailable) || errors.Is(err, windlass.Malformed) || errors.Is(err, windlass.Canceled) ||
			errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// temporary reports whether the same request may succeed later.
func temporary(err error) bool {
	return lost(err) || errors.Is(err, windlass.RateLimited) || errors.Is(err, windlass.Incomplete) || operation.Local(err)
}

// passes reports whether to try again. Credentials may be renewed.
func passes(err error) bool {
	return temporary(err) || errors.Is(err, windlass.NeedsReconnect) || errors.Is(err, windlass.Unauthorized)
}
