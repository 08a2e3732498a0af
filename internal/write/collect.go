package write

import (
	"context"
	"errors"
	"strconv"
	"time"

	"windlass"
)

// collect puts an asynchronous write of a single record together with others like
// it, and returns the id of the operation that writes them all.
func (f *Flow) collect(ctx context.Context, t *task) (id string, err error) {
	// Of several that find nothing to join, one begins; the others join that.
	for try := 1; ; try++ {
		err = f.store.In(ctx, func(ctx context.Context) error {
			id, err = f.gather(ctx, t)
			return err
		})
		if try == maxRaces || !errors.Is(err, windlass.Conflict) {
			return id, err
		}
	}
}

// maxRaces is how often something is tried that others were faster with.
const maxRaces = 10

// gather joins a write or begins one, within a transaction.
func (f *Flow) gather(ctx context.Context, t *task) (string, error) {
	name := t.collects()
	w, err := f.store.CollectingWrite(ctx, name)
	if errors.Is(err, windlass.NotFound) {
		return f.beginCollecting(ctx, t, name)
	}
	if err != nil {
		return "", err
	}
	record := t.records(w.OperationID)[0]
	record.Position = w.Size
	if err := f.store.JoinWrite(ctx, record); err != nil || w.Size+1 < MostRecords {
		return w.OperationID, err
	}
	if err := f.store.CloseWrite(ctx, w.OperationID); err != nil {
		return "", err
	}
	return w.OperationID, f.Wake(ctx, w.OperationID)
}

func (f *Flow) beginCollecting(ctx context.Context, t *task, name string) (string, error) {
	policy := t.request.AutoBatch
	p := f.operation(t)
	p.Wait = p.Created.Add(time.Duration(policy.MaxDelayMinutes) * time.Minute)
	w := windlass.Write{
		OperationID: p.ID, Type: t.request.Type, Mode: windlass.WriteAsync, Batch: true, Size: 1, Collects: name,
		Deadline: p.Wait.Add(time.Duration(policy.RetryDeadlineHours) * time.Hour),
	}
	if err := f.keep(ctx, t, p, w, t.records(p.ID)); err != nil {
		return "", err
	}
	return p.ID, f.Enqueue(ctx, p.ID, p.Wait)
}

// collects names what may be written together: all that agrees but for the
// record.
func (t *task) collects() string {
	policy := t.request.AutoBatch
	return hash(t.in.ID, t.in.Config.ID, t.in.Connection.WorkspacePath(), t.object, t.request.Type,
		strconv.Itoa(policy.MaxDelayMinutes), strconv.Itoa(policy.RetryDeadlineHours))
}
