// Package installed is what setting up, deploying and installing have in common about
// installations that exist: looking through them, naming them to people, saving a
// config together with the schedules that follow from it, and telling the product.
//
// Each function that writes belongs in the transaction of what it is about.
package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/ids"
	"windlass/manifest"
)

// page is how many installations are held at once when all are looked at.
const page = 500

// Lister lists installations.
type Lister interface {
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
}

// Each calls do with every installation that a filter chooses.
func Each(ctx context.Context, store Lister, filter windlass.InstallationFilter, do func(windlass.Installation) error) error {
	filter.Limit = page
	for {
		some, err := store.Installations(ctx, filter)
		if err != nil {
			return err
		}
		for _, in := range some {
			if err := do(in); err != nil {
				return err
			}
			filter.After = in.ID
		}
		if len(some) < page {
			return nil
		}
	}
}

// Describe names an installation to a person, who knows the group, and to a
// program, which knows the id.
func Describe(in windlass.Installation) string {
	return fmt.Sprintf("the installation for group %q (%s)", in.Group.Ref, in.ID)
}

// Store keeps installations with their schedules.
type Store interface {
	// Schedules lists an installation's schedules.
	Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error)
	// UpdateInstallation replaces the installation's schedules by those given.
	UpdateInstallation(ctx context.Context, in windlass.Installation, schedules []windlass.Schedule) error
}

// Save replaces an installation's config, and with it its schedules.
func Save(ctx context.Context, store Store, in *windlass.Installation, c config.Config, now time.Time) error {
	if err := SetConfig(in, c, now); err != nil {
		return err
	}
	schedules, err := Schedules(*in, c, now)
	if err != nil {
		return err
	}
	return Replace(ctx, store, *in, schedules, now)
}

// Replace saves an installation with its new schedules. One that was there
// before for the same object stays the same row: paused if it was paused, and
// due when it was due if it runs at the same times as before. What is no read is
// not touched.
func Replace(ctx context.Context, store Store, in windlass.Installation, schedules []windlass.Schedule, now time.Time) error {
	before, err := store.Schedules(ctx, in.ID)
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
			s.Next = config.NextDue(cron, s.ID, now)
		}
	}
	return store.UpdateInstallation(ctx, in, schedules)
}

// SetConfig gives an installation a config of its own id.
func SetConfig(in *windlass.Installation, c config.Config, now time.Time) error {
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	in.Config.ID, in.Config.Content, in.Config.Created = ids.New(), content, now
	in.Updated = in.Config.Created
	return nil
}

// Schedules returns the rows that an installation's reads are due by: one for
// each object that has a schedule and is not disabled.
func Schedules(in windlass.Installation, c config.Config, now time.Time) ([]windlass.Schedule, error) {
	if c.Read == nil {
		return nil, nil
	}
	var all []windlass.Schedule
	for _, name := range slices.Sorted(maps.Keys(c.Read.Objects)) {
		o := c.Read.Objects[name]
		if o.Disabled || o.Schedule == "" {
			continue
		}
		cron, err := manifest.ParseSchedule(o.Schedule)
		if err != nil {
			return nil, err // it was checked when it came in
		}
		id := ids.New()
		all = append(all, windlass.Schedule{
			ID: id, Kind: windlass.ScheduleRead, ProjectID: in.ProjectID, InstallationID: in.ID,
			Object: name, Cron: cron.String(), Next: config.NextDue(cron, id, now),
		})
	}
	return all, nil
}

// Notifier tells the product what happened: it stores what is to be sent.
type Notifier interface {
	Notify(ctx context.Context, projectID, event string, data any) error
}

// Notify tells the product what has happened to an installation; a nil notifier tells
// nothing. last is the config before an update.
func Notify(ctx context.Context, n Notifier, event string, i windlass.Installation, integration windlass.Integration, last json.RawMessage) error {
	if n == nil {
		return nil
	}
	return n.Notify(ctx, i.ProjectID, event, windlass.InstallationNotice{
		Installed: windlass.Installed{
			ProjectID: i.ProjectID, Provider: integration.Provider, IntegrationID: integration.ID, IntegrationName: integration.Name,
			InstallationID: i.ID, ConnectionID: i.Connection.ID, GroupRef: i.Group.Ref, GroupName: i.Group.Name,
			ConsumerRef: i.Connection.Consumer.Ref, ConsumerName: i.Connection.Consumer.Name,
		},
		Config: i.Config.Content, LastConfig: last,
	})
}
