package write

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/logkey"
	"windlass/internal/operation"
)

// Write carries a request out, or, where it is asynchronous, keeps it and sees to
// it that it is. key is what the caller recognizes the request by, if it is sent
// again; empty for nothing.
//
// What is wrong with the request is a *windlass.Error, and nothing has been
// sent: windlass.Invalid, NotFound for an integration that the group has not
// installed, Forbidden for a scope that is missing, NeedsReconnect, and Conflict
// for a key that came with another request. What the provider refuses is in the
// answer.
func (f *Flow) Write(ctx context.Context, project, integration, object string, r Request, key string) (Answer, error) {
	t, err := f.locate(ctx, project, integration, object, r)
	if err != nil {
		return Answer{}, err
	}
	if key != "" {
		return f.once(ctx, t, key)
	}
	if err := f.accept(ctx, t); err != nil {
		return Answer{}, err
	}
	if t.request.AutoBatch != nil {
		id, err := f.collect(ctx, t)
		return Answer{OperationID: id}, err
	}
	var s *step
	if err := f.store.In(ctx, func(ctx context.Context) error {
		s, err = f.begin(ctx, t, time.Time{})
		return err
	}); err != nil {
		return Answer{}, err
	}
	return s.sync(ctx)
}

// begin keeps a write, within a transaction: the operation, its records, and the
// job or the lease of the process that carries it on. sent is when a request with the same
// key first came: what it created must not be created again.
func (f *Flow) begin(ctx context.Context, t *task, sent time.Time) (*step, error) {
	async := t.request.Mode == windlass.WriteAsync
	s := &step{Flow: f, in: t.in, integration: t.integration, plan: t.plan}
	s.Turn = f.Turn(s)
	s.Op = f.operation(t)
	s.records = t.records(s.Op.ID)
	for i := range s.records {
		s.records[i].Sent = sent
	}
	s.w = windlass.Write{
		OperationID: s.Op.ID, Type: t.request.Type, Mode: t.request.Mode, Batch: t.request.Batch != nil, Size: len(s.records),
	}
	if async {
		s.w.Deadline = s.Began.Add(hours(t.request.RetryPolicy))
	}
	if err := f.keep(ctx, t, s.Op, s.w, s.records); err != nil {
		return s, err
	}
	if async {
		return s, f.Enqueue(ctx, s.Op.ID, time.Time{})
	}
	won, _, err := s.Take(ctx, s.Op.ID)
	if err == nil && !won {
		err = &windlass.Error{Kind: windlass.Internal, Op: opWrite, Message: "a new operation is leased by another process"}
	}
	if err != nil {
		return s, err
	}
	return s, s.mark(ctx, 0)
}

// operation is a new one for a task.
func (f *Flow) operation(t *task) windlass.Operation {
	now := f.now()
	return windlass.Operation{
		ID: ids.New(), ProjectID: t.in.ProjectID, IntegrationID: t.in.IntegrationID, InstallationID: t.in.ID,
		ConfigID: t.in.Config.ID, RevisionID: t.in.Config.RevisionID, Workspace: t.in.Connection.WorkspacePath(),
		Object: t.object, Action: windlass.ActionWrite, Trigger: windlass.TriggerAsked, Status: windlass.OperationRunning,
		Cursor: "0", Estimate: int64(len(t.request.all())), Created: now, Updated: now,
	}
}

// keep adds an operation with its write and the first line of its log.
func (f *Flow) keep(ctx context.Context, t *task, p windlass.Operation, w windlass.Write, records []windlass.WriteRecord) error {
	line := fmt.Sprintf("A write of %s begins: %s of %s, %s.", p.Object, w.Type, many(w.Size, "record"), w.Mode)
	details := map[string]string{}
	if w.Collects != "" {
		line = fmt.Sprintf("A write of %s collects records to %s until %s, or until it has %d.", p.Object, w.Type, operation.Stamp(p.Wait), MostRecords)
	}
	if !w.Deadline.IsZero() {
		details[logkey.Until] = operation.Stamp(w.Deadline)
	}
	if err := f.Begin(ctx, p, t.in.Config.Content, line, details); err != nil {
		return err
	}
	return f.store.CreateWrite(ctx, w, records)
}

// sync carries a write on to its end and answers; an asynchronous one is
// answered at once.
func (s *step) sync(ctx context.Context) (Answer, error) {
	if s.w.Mode == windlass.WriteAsync {
		return Answer{OperationID: s.Op.ID}, nil
	}
	// What is under way is carried through even if the caller goes away: what has
	// been sent cannot be taken back, and a repeat is to find the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Patience)
	defer cancel()
	if err := s.open(ctx); err != nil {
		s.failAll(s.plain(err), temporary(err))
	}
	if err := s.Carry(ctx); err != nil {
		return Answer{}, err
	}
	return s.answer(), nil
}

func hours(p *RetryPolicy) time.Duration {
	if p == nil {
		return time.Hour
	}
	return time.Duration(p.DeadlineHours) * time.Hour
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
