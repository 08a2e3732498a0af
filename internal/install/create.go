package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/input"
	"windlass/internal/installed"
)

// ConfigRequest is a config in a request.
type ConfigRequest struct {
	// RevisionID is the revision that the config is made for; empty: the latest.
	RevisionID string `json:"revisionId,omitempty"`
	// CreatedBy says who made it, as in consumer:… or api:….
	CreatedBy string `json:"createdBy,omitempty"`
	// Content has the shape of [Config]. It may be as small as
	// {"read":{"objects":{"repositories":{}}}}: the rest is filled in.
	Content json.RawMessage `json:"content,omitempty"`
}

// CreateInstallationRequest is the body of POST …/installations.
type CreateInstallationRequest struct {
	GroupRef string `json:"groupRef"`
	// ConnectionID may be left out when the group has one connection.
	ConnectionID string        `json:"connectionId,omitempty"`
	Config       ConfigRequest `json:"config"`
	// SkipSampling saves the config without trying it (?skipSampling=true).
	SkipSampling bool `json:"-"`
	// ConsumerRef is the person who installs, where that is authenticated: then only
	// this person's connections are chosen.
	ConsumerRef string `json:"-"`
}

const defaultCreator = "api:create-installation"

// CreateInstallation installs an integration for a group. The config that it
// returns is filled in from the revision, so that it is complete, and its schedules are
// created with it.
//
// Before that, one record of each scheduled object is read to try the config:
// if the provider refuses the config, nothing is saved.
func (f *Flow) CreateInstallation(ctx context.Context, project, integration string, r CreateInstallationRequest) (windlass.Installation, error) {
	const op = "create the installation"
	var made windlass.Installation
	err := retryMoved(op, func() error {
		in, err := f.findIntegration(ctx, project, integration)
		if err != nil {
			return err
		}
		d, err := f.begin(ctx, op, contentMask, "config.revisionId", in, r.Config.RevisionID)
		if err != nil {
			return err
		}
		var later error
		if d.Need(r.GroupRef, "groupRef") {
			if later = d.connect(ctx, r.ConnectionID, owner{r.GroupRef, r.ConsumerRef}, "connectionId"); later != nil && !errors.Is(later, windlass.Conflict) {
				return later
			}
		}
		if later == nil && r.GroupRef != "" {
			if later = d.notInstalled(ctx, r.GroupRef); later != nil && !errors.Is(later, windlass.Conflict) {
				return later
			}
		}
		if len(r.Config.Content) == 0 {
			d.Addf(contentMask, "is missing: say which objects are read or written")
		} else if d.tree, err = input.Tree(r.Config.Content); err != nil {
			d.Addf(contentMask, "%v", err)
		} else if err := d.complete(ctx); err != nil {
			return err
		}
		if err := d.failure(later); err != nil {
			return err
		}
		made, err = d.newInstallation(ctx, r)
		return err
	})
	return made, err
}

// notInstalled returns a conflict when the group has the integration already.
func (d *draft) notInstalled(ctx context.Context, groupRef string) error {
	i, err := d.ofGroup(ctx, d.op, d.integration, groupRef)
	switch {
	case errors.Is(err, windlass.NotFound):
		return nil
	case err != nil:
		return err
	default:
		return input.Conflict(d.op, fmt.Sprintf("integration %q is installed for group %q already (%s)", d.integration.Name, input.Shorten(groupRef), i.ID), "update that installation, or delete it first")
	}
}

// newInstallation tries a draft, and saves it with its schedules.
func (d *draft) newInstallation(ctx context.Context, r CreateInstallationRequest) (windlass.Installation, error) {
	by := r.Config.CreatedBy
	if by == "" {
		by = defaultCreator
	}
	in := windlass.Installation{
		ID: ids.New(), ProjectID: d.projectID, IntegrationID: d.integration.ID, Group: d.connection.Group,
		Connection: d.connection, CreatedBy: by, Healthy: true, Created: d.now(),
		Config: windlass.Config{RevisionID: d.revision.ID, CreatedBy: by},
	}
	if err := installed.SetConfig(&in, d.config, d.now()); err != nil {
		return in, err
	}
	schedules, err := installed.Schedules(in, d.config, d.now())
	if err != nil {
		return in, err
	}
	if !r.SkipSampling {
		if err := d.sample(ctx, in, scheduled(schedules)); err != nil {
			return windlass.Installation{}, err
		}
	}
	err = d.store.In(ctx, func(ctx context.Context) error {
		if err := d.unmoved(ctx); err != nil {
			return err
		}
		if err := d.store.CreateInstallation(ctx, in, schedules); err != nil {
			return err
		}
		if in, err = d.store.Installation(ctx, in.ProjectID, in.ID); err != nil {
			return err
		}
		if err := installed.Notify(ctx, d.opts.Notifier, windlass.InstallationCreatedEvent, in, d.integration, nil); err != nil {
			return err
		}
		return d.started(ctx, in, d.config.EnabledNames())
	})
	if err != nil {
		return windlass.Installation{}, err
	}
	return in, nil
}

// unmoved returns errMoved when the integration was deployed since the draft was
// begun: a config must not be saved for a revision that has just been replaced,
// or a deploy could drop an object without seeing who reads it.
func (d *draft) unmoved(ctx context.Context) error {
	now, err := d.store.Integration(ctx, d.projectID, d.integration.ID)
	if err == nil && now.Latest.ID != d.integration.Latest.ID {
		return errMoved
	}
	return err
}

// started reports the objects that begin to be read.
func (d *draft) started(ctx context.Context, in windlass.Installation, objects []string) error {
	if d.opts.Started == nil || len(objects) == 0 {
		return nil
	}
	return d.opts.Started(ctx, in, objects)
}

// scheduled lists the objects of schedules.
func scheduled(all []windlass.Schedule) []string {
	names := make([]string, 0, len(all))
	for i := range all {
		names = append(names, all[i].Object)
	}
	slices.Sort(names)
	return names
}
