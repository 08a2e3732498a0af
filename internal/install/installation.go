package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/manifest"
)

// Installation finds an installation of an integration by id.
func (f *Flow) Installation(ctx context.Context, project, integration, id string) (windlass.Installation, error) {
	in, err := f.Integration(ctx, project, integration)
	if err != nil {
		return windlass.Installation{}, err
	}
	return f.installation(ctx, "find the installation", in, id)
}

func (f *Flow) installation(ctx context.Context, op string, in windlass.Integration, id string) (windlass.Installation, error) {
	i, err := f.store.Installation(ctx, in.ProjectID, id)
	if err != nil {
		return windlass.Installation{}, err
	}
	if i.IntegrationID != in.ID {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: fmt.Sprintf("integration %q has no installation %s", in.Name, id),
			Remedy: "it belongs to another integration",
		}
	}
	return i, nil
}

// InstallationQuery chooses installations. What is empty chooses all.
type InstallationQuery struct {
	Integration string // id or name
	GroupRef    string
	Search      string // see windlass.InstallationFilter
	Health      string // likewise
	After       string // the id of the last one of the page before
	Limit       int    // 0 is all
}

// Installations lists installations in the order in which they were made.
func (f *Flow) Installations(ctx context.Context, project string, q InstallationQuery) ([]windlass.Installation, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	filter := windlass.InstallationFilter{ProjectID: p.ID, GroupRef: q.GroupRef, Search: q.Search, Health: q.Health, After: q.After, Limit: max(q.Limit, 0)}
	if q.Integration != "" {
		in, err := f.store.Integration(ctx, p.ID, q.Integration)
		if err != nil {
			return nil, err
		}
		filter.IntegrationID = in.ID
	}
	return f.store.Installations(ctx, filter)
}

// DeleteInstallation uninstalls: reads stop, the connection stays.
func (f *Flow) DeleteInstallation(ctx context.Context, project, integration, id string) error {
	in, err := f.Integration(ctx, project, integration)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		gone, err := f.installation(ctx, "uninstall", in, id)
		if err != nil {
			return err
		}
		if err := f.notify(ctx, windlass.InstallationDeletedEvent, gone, in, nil); err != nil {
			return err
		}
		return f.store.DeleteInstallation(ctx, in.ProjectID, id)
	})
}

// saveConfig replaces an installation's config, and with it its schedules.
func (f *Flow) saveConfig(ctx context.Context, in *windlass.Installation, c config.Config) error {
	if err := f.setConfig(in, c); err != nil {
		return err
	}
	schedules, err := schedulesOf(*in, c, f.now())
	if err != nil {
		return err
	}
	return f.replace(ctx, *in, schedules)
}

// replace saves an installation with its new schedules. One that was there
// before for the same object stays the same row: paused if it was paused, and
// due when it was due if it runs at the same times as before. Schedules of other kinds
// are not touched.
func (f *Flow) replace(ctx context.Context, in windlass.Installation, schedules []windlass.Schedule) error {
	before, err := f.store.Schedules(ctx, in.ID)
	if err != nil {
		return err
	}
	for _, old := range before {
		if old.Kind != windlass.ScheduleRead {
			schedules = append(schedules, old)
			continue
		}
		for i := range schedules {
			s := &schedules[i]
			if s.Kind != old.Kind || s.Object != old.Object {
				continue
			}
			s.ID, s.Paused = old.ID, old.Paused
			if s.Cron == old.Cron {
				s.Next = old.Next
				continue
			}
			cron, err := manifest.ParseSchedule(s.Cron)
			if err != nil {
				return err // it was checked when it came in
			}
			s.Next = config.NextDue(cron, s.ID, f.now())
		}
	}
	return f.store.UpdateInstallation(ctx, in, schedules)
}

// setConfig gives an installation a config of its own id.
func (f *Flow) setConfig(in *windlass.Installation, c config.Config) error {
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	in.Config.ID, in.Config.Content, in.Config.Created = newID(), content, f.now()
	in.Updated = in.Config.Created
	return nil
}

// schedulesOf returns the rows that an installation's reads are due by: one for
// each object that has a schedule and is not disabled.
func schedulesOf(in windlass.Installation, c config.Config, now time.Time) ([]windlass.Schedule, error) {
	if c.Read == nil {
		return nil, nil
	}
	var all []windlass.Schedule
	for _, name := range sortedKeys(c.Read.Objects) {
		o := c.Read.Objects[name]
		if o.Disabled || o.Schedule == "" {
			continue
		}
		cron, err := manifest.ParseSchedule(o.Schedule)
		if err != nil {
			return nil, err // it was checked when it came in
		}
		id := newID()
		all = append(all, windlass.Schedule{
			ID: id, Kind: windlass.ScheduleRead, ProjectID: in.ProjectID, InstallationID: in.ID,
			Object: name, Cron: cron.String(), Next: config.NextDue(cron, id, now),
		})
	}
	return all, nil
}

// errMoved means that the state on which a call is based has changed meanwhile.
var errMoved = errors.New("changed meanwhile")

// retryMoved retries an attempt while others change the state on which it is based:
// providers are asked before the transaction, which may find another state.
func retryMoved(op string, attempt func() error) error {
	const most = 5
	for range most {
		if err := attempt(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return conflict(op, "other requests kept changing the same thing at the same time", "try again")
}
