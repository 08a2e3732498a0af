package install

import (
	"context"
	"errors"
	"fmt"

	"windlass"
	"windlass/internal/input"
	"windlass/internal/installed"
)

// Installation finds an installation of an integration by id.
func (f *Flow) Installation(ctx context.Context, project, integration, id string) (windlass.Installation, error) {
	in, err := f.findIntegration(ctx, project, integration)
	if err != nil {
		return windlass.Installation{}, err
	}
	return f.installation(ctx, "find the installation", in, id)
}

// findIntegration finds an integration by id or name.
func (f *Flow) findIntegration(ctx context.Context, project, integration string) (windlass.Integration, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Integration{}, err
	}
	return f.store.Integration(ctx, p.ID, integration)
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
	in, err := f.findIntegration(ctx, project, integration)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		gone, err := f.installation(ctx, "uninstall", in, id)
		if err != nil {
			return err
		}
		if err := installed.Notify(ctx, f.opts.Notifier, windlass.InstallationDeletedEvent, gone, in, nil); err != nil {
			return err
		}
		return f.store.DeleteInstallation(ctx, in.ProjectID, id)
	})
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
	return input.Conflict(op, "other requests kept changing the same thing at the same time", "try again")
}
