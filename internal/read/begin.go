package read

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/ids"
	"windlass/internal/operation"
	"windlass/manifest"
)

// Started begins to read objects of an installation: those of a new one, and
// those that its config has newly enabled. It is called in the transaction that
// saves the installation, so that what it begins exists exactly if that does.
//
// An object that was read before goes on from where it was.
func (f *Flow) Started(ctx context.Context, in windlass.Installation, objects []string) error {
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return err
	}
	for _, name := range objects {
		if err := f.resume(ctx, in, c, name); err != nil {
			return err
		}
	}
	return nil
}

// Due begins an operation for the read that a schedule asks for. Nothing happens where nothing is
// to be read: the object is disabled or paused, the installation is gone, its
// connection is bad (see [Flow.Connected]). While the read before is still under
// way, a line in its log says that this one was left out.
func (f *Flow) Due(ctx context.Context, schedule windlass.Schedule) error {
	return f.store.In(ctx, func(ctx context.Context) error {
		in, err := f.store.Installation(ctx, schedule.ProjectID, schedule.InstallationID)
		if errors.Is(err, windlass.NotFound) || err == nil && in.Connection.Status == windlass.ConnectionBad {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := config.Parse(in.Config.Content)
		if err != nil {
			return err
		}
		return f.resume(ctx, in, c, schedule.Object)
	})
}

// resume begins what is to be read of an object now: what has changed since the
// last complete read, or, if there was none of this workspace, the backfill.
func (f *Flow) resume(ctx context.Context, in windlass.Installation, c config.Config, name string) error {
	o, there := c.Reads(name)
	if !there || o.Disabled {
		return nil
	}
	mark, err := f.store.ReadState(ctx, in.ID, name)
	switch {
	case err != nil && !errors.Is(err, windlass.NotFound):
		return err
	case mark.Paused:
		return nil
	case mark.Mark.IsZero() || !in.Connection.InWorkspace(mark.Workspace):
		return f.first(ctx, in, o, name)
	case o.Schedule == "":
		return nil // it is read only when asked for
	default:
		_, err = f.begin(ctx, in, windlass.Operation{
			Object: name, Trigger: windlass.TriggerSchedule, Since: mark.Mark.Add(-f.opts.Overlap),
		})
		return f.leftOut(ctx, in, name, err)
	}
}

// first begins a backfill, if there is to be one. If not, reads of what changes
// count from now on.
func (f *Flow) first(ctx context.Context, in windlass.Installation, o config.ReadObject, name string) error {
	var period manifest.DefaultPeriod
	if o.Backfill != nil {
		period = o.Backfill.DefaultPeriod
	}
	read := windlass.Operation{Object: name, Trigger: windlass.TriggerBackfill}
	switch {
	case period.FullHistory:
	case period.Days != nil && *period.Days > 0:
		read.Since = f.now().AddDate(0, 0, -*period.Days)
	default:
		return f.store.MoveMark(ctx, in.ID, name, in.Connection.WorkspacePath(), f.now(), f.now())
	}
	_, err := f.begin(ctx, in, read)
	return f.leftOut(ctx, in, name, err)
}

// begin adds an operation, the first line of its log and its job.
func (f *Flow) begin(ctx context.Context, in windlass.Installation, p windlass.Operation) (windlass.Operation, error) {
	p = f.operation(in, p)
	if err := f.add(ctx, in, p); err != nil {
		return p, err
	}
	return p, f.Enqueue(ctx, p.ID, time.Time{})
}

// operation fills in what every operation of an installation begins with.
func (f *Flow) operation(in windlass.Installation, p windlass.Operation) windlass.Operation {
	p.ID, p.Created = ids.New(), f.now()
	p.ProjectID, p.IntegrationID, p.InstallationID = in.ProjectID, in.IntegrationID, in.ID
	p.ConfigID, p.RevisionID, p.Workspace = in.Config.ID, in.Config.RevisionID, in.Connection.WorkspacePath()
	p.Action, p.Status, p.Estimate, p.Updated = windlass.ActionRead, windlass.OperationRunning, -1, p.Created
	p.Full = p.Since.IsZero() && p.Until.IsZero()
	return p
}

// add adds an operation and the first line of its log.
func (f *Flow) add(ctx context.Context, in windlass.Installation, p windlass.Operation) error {
	return f.Begin(ctx, p, in.Config.Content, opening(p), nil)
}

// opening is the first line of an operation's log.
func opening(p windlass.Operation) string {
	span := "everything"
	switch {
	case !p.Since.IsZero() && !p.Until.IsZero():
		span = fmt.Sprintf("what changed from %s until before %s", operation.Stamp(p.Since), operation.Stamp(p.Until))
	case !p.Since.IsZero():
		span = "what changed since " + operation.Stamp(p.Since)
	case !p.Until.IsZero():
		span = "what changed before " + operation.Stamp(p.Until)
	}
	began := map[string]string{
		windlass.TriggerBackfill: "The backfill", windlass.TriggerSchedule: "A scheduled read", windlass.TriggerAsked: "A read that was asked for",
	}[p.Trigger]
	return fmt.Sprintf("%s of %s begins: %s.", began, p.Object, span)
}

// leftOut turns the conflict with a read that is under way into a line in its
// log.
func (f *Flow) leftOut(ctx context.Context, in windlass.Installation, name string, err error) error {
	if !errors.Is(err, windlass.Conflict) {
		return err
	}
	running, err := f.running(ctx, in.ID, name)
	if err != nil || running == nil {
		return err
	}
	return f.Note(ctx, running.ID, windlass.SeverityInfo, "Another read was due and is left out, since this one is still under way.", nil)
}

// running returns the read of an object that is under way; nil when there is
// none.
func (f *Flow) running(ctx context.Context, installationID, name string) (*windlass.Operation, error) {
	all, err := f.store.Operations(ctx, windlass.OperationFilter{
		InstallationID: installationID, Object: name, Action: windlass.ActionRead, Status: windlass.OperationRunning, Limit: 1,
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}
