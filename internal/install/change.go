package install

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/installed"
)

// A changer applies a request to a draft's tree and to the installation.
type changer interface {
	// revision returns the id of the revision to move to, or nothing for the latest.
	revision() string
	// place is the path of the content in the request.
	place() string
	// change applies the changes, and adds issues to the draft.
	// content reports whether the config's content is concerned.
	change(ctx context.Context, d *draft, i *windlass.Installation) (content bool, err error)
}

// change applies a changer to an installation.
func (f *Flow) change(ctx context.Context, op string, in windlass.Integration, i windlass.Installation, by changer) (windlass.Installation, error) {
	before := i
	old, err := config.Parse(i.Config.Content)
	if err != nil {
		return i, err
	}
	revision, err := movesTo(in, i, old, by)
	if err != nil {
		return i, err
	}
	d, err := f.begin(ctx, op, by.place(), "installation.config.revisionId", in, revision)
	if err != nil {
		return i, err
	}
	d.connection, d.before = i.Connection, old
	base, err := config.Parse(i.Config.Content) // one that may be changed
	if err != nil {
		return i, err
	}
	if d.revision.ID != i.Config.RevisionID {
		was, err := f.store.Revision(ctx, in.ID, i.Config.RevisionID)
		if err != nil {
			return i, err
		}
		oldEntry, err := config.Entry(was)
		if err != nil {
			return i, err
		}
		base.Follow(oldEntry, d.entry)
	}
	if d.tree, err = treeOf(base); err != nil {
		return i, err
	}
	content, err := by.change(ctx, d, &i)
	var later error
	if errors.Is(err, windlass.Conflict) {
		later, err = err, nil
	}
	if err == nil && len(d.Issues) == 0 && content {
		err = d.complete(ctx)
	}
	if err != nil {
		return i, err
	}
	if err := d.failure(later); err != nil {
		return i, err
	}
	if !content {
		d.config = old
	}
	return d.saveChange(ctx, before, i, old, content, by)
}

// movesTo returns the id of the revision that a change moves an installation to:
// the one that is named, or the latest, unless that lacks an object that the
// installation reads.
func movesTo(in windlass.Integration, i windlass.Installation, c config.Config, by changer) (string, error) {
	if named := by.revision(); named != "" {
		return named, nil
	}
	latest, err := config.Entry(in.Latest)
	if err == nil && config.Lacks(latest, c) {
		return i.Config.RevisionID, nil
	}
	return in.Latest.ID, err
}

// saveChange samples the changed objects, and saves the installation.
func (d *draft) saveChange(ctx context.Context, before, i windlass.Installation, old config.Config, content bool, by changer) (windlass.Installation, error) {
	i.Updated = d.now()
	if content {
		i.Config.RevisionID = d.revision.ID
		if err := installed.SetConfig(&i, d.config, d.now()); err != nil {
			return i, err
		}
	}
	schedules, err := installed.Schedules(i, d.config, d.now())
	if err != nil {
		return i, err
	}
	if u, isUpdate := by.(*update); isUpdate && !u.request.SkipSampling {
		if err := d.sample(ctx, i, d.changedObjects(before, i, old, scheduled(schedules))); err != nil {
			return before, err
		}
	}
	err = d.store.In(ctx, func(ctx context.Context) error {
		if content { // the integration first, as a deploy does, or else each could wait for the other
			if err := d.unmoved(ctx); err != nil {
				return err
			}
		}
		now, err := d.store.Installation(ctx, i.ProjectID, i.ID)
		if err != nil {
			return err
		}
		if now.Config.ID != before.Config.ID || !now.Updated.Equal(before.Updated) || now.Connection.ID != before.Connection.ID {
			return errMoved
		}
		i.LastStatus = now.LastStatus // a read may have changed it meanwhile
		if i.Connection.ID == now.Connection.ID {
			i.Healthy = now.Healthy
		}
		if err := installed.Replace(ctx, d.store, i, schedules, d.now()); err != nil {
			return err
		}
		if i, err = d.store.Installation(ctx, i.ProjectID, i.ID); err != nil {
			return err
		}
		if err := installed.Notify(ctx, d.opts.Notifier, windlass.InstallationUpdatedEvent, i, d.integration, before.Config.Content); err != nil {
			return err
		}
		running := old.EnabledNames()
		return d.started(ctx, i, slices.DeleteFunc(d.config.EnabledNames(), func(o string) bool { return slices.Contains(running, o) }))
	})
	if err != nil {
		return windlass.Installation{}, err
	}
	return i, nil
}

// changedObjects returns the objects whose reads change: all of them if the connection
// does.
func (d *draft) changedObjects(before, after windlass.Installation, old config.Config, objects []string) []string {
	if before.Connection.ID != after.Connection.ID || old.Read == nil {
		return objects
	}
	return slices.DeleteFunc(objects, func(o string) bool {
		return reflect.DeepEqual(old.Read.Objects[o], d.config.Read.Objects[o])
	})
}
