package deploy

import (
	"context"

	"windlass"
	"windlass/internal/installed"
)

// Integration finds an integration by id or name.
func (f *Flow) Integration(ctx context.Context, project, integration string) (windlass.Integration, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Integration{}, err
	}
	return f.store.Integration(ctx, p.ID, integration)
}

// Integrations lists a project's integrations.
func (f *Flow) Integrations(ctx context.Context, project string, page windlass.Page) ([]windlass.Integration, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	return f.store.Integrations(ctx, p.ID, page)
}

// DeleteIntegration deletes an integration and all of its installations. The
// customers' connections stay.
func (f *Flow) DeleteIntegration(ctx context.Context, project, integration string) error {
	in, err := f.Integration(ctx, project, integration)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		err := installed.Each(ctx, f.store, windlass.InstallationFilter{ProjectID: in.ProjectID, IntegrationID: in.ID}, func(i windlass.Installation) error {
			if err := installed.Notify(ctx, f.opts.Notifier, windlass.InstallationDeletedEvent, i, in, nil); err != nil {
				return err
			}
			return f.store.DeleteInstallation(ctx, i.ProjectID, i.ID)
		})
		if err != nil {
			return err
		}
		return f.store.DeleteIntegration(ctx, in.ProjectID, in.ID)
	})
}
