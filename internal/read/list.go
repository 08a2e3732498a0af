package read

import (
	"context"

	"github.com/google/uuid"

	"windlass"
)

// DefaultPageSize and MaxPageSize bound a page of a list.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// OperationQuery chooses the operations of an installation.
type OperationQuery struct {
	Object    string // empty: of every object
	Status    string // empty: of any
	PageSize  int    // 0 is DefaultPageSize
	PageToken string // of the page before; empty for the first
}

// OperationPage is one page of a list of operations, the latest first.
type OperationPage struct {
	Results []windlass.Operation
	Next    string // the token of the next page; empty when this is the last
}

// Operations lists the operations of an installation.
func (f *Flow) Operations(ctx context.Context, project, integration, installation string, q OperationQuery) (OperationPage, error) {
	const op = "list the operations"
	in, err := f.find(ctx, op, project, integration, installation)
	if err != nil {
		return OperationPage{}, err
	}
	if q.PageToken != "" && uuid.Validate(q.PageToken) != nil {
		return OperationPage{}, badToken(op, "pageToken")
	}
	size := min(max(q.PageSize, 0), MaxPageSize)
	if size == 0 {
		size = DefaultPageSize
	}
	all, err := f.store.Operations(ctx, windlass.OperationFilter{
		ProjectID: in.ProjectID, InstallationID: in.ID, Object: q.Object, Status: q.Status, Before: q.PageToken, Limit: size + 1,
	})
	if err != nil {
		return OperationPage{}, err
	}
	if len(all) <= size {
		return OperationPage{Results: all}, nil
	}
	return OperationPage{Results: all[:size], Next: all[size-1].ID}, nil
}

// Operation finds an operation, of an installation that may be gone.
func (f *Flow) Operation(ctx context.Context, project, id string) (windlass.Operation, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Operation{}, err
	}
	return f.store.Operation(ctx, p.ID, id)
}

// Logs returns the log of an operation from its beginning, or behind the line
// with the id after; at most limit lines unless that is 0. A client that follows a log
// asks again with the last id.
func (f *Flow) Logs(ctx context.Context, project, id, after string, limit int) ([]windlass.OperationLog, error) {
	if after != "" && uuid.Validate(after) != nil {
		return nil, badToken("read the log", "after")
	}
	p, err := f.Operation(ctx, project, id)
	if err != nil {
		return nil, err
	}
	return f.store.OperationLogs(ctx, p.ID, after, max(limit, 0))
}

// BackfillProgress returns the latest backfill of an object: Walked says how many
// records were read, Estimate how many there are if the provider tells. NotFound
// when there was none.
func (f *Flow) BackfillProgress(ctx context.Context, project, integration, installation, object string) (windlass.Operation, error) {
	const op = "see how far the backfill is"
	in, err := f.find(ctx, op, project, integration, installation)
	if err != nil {
		return windlass.Operation{}, err
	}
	all, err := f.store.Operations(ctx, windlass.OperationFilter{
		ProjectID: in.ProjectID, InstallationID: in.ID, Object: object, Trigger: windlass.TriggerBackfill, Limit: 1,
	})
	if err == nil && len(all) == 0 {
		return windlass.Operation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: "there was no backfill of " + clip(object) + " for this installation",
			Remedy: "see that the object is read, and that its backfill says fullHistory or some days",
		}
	}
	if err != nil {
		return windlass.Operation{}, err
	}
	return all[0], nil
}

func badToken(op, name string) error {
	return &windlass.Error{
		Kind: windlass.Invalid, Op: op, Message: "the page asked for is no page of this list",
		Issues: []windlass.Issue{{In: "query", Name: name, Message: "was not given out by this list"}},
	}
}
