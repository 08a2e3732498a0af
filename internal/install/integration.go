package install

import (
	"context"
	"fmt"

	"windlass"
	"windlass/manifest"
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
		err := f.eachInstallation(ctx, windlass.InstallationFilter{ProjectID: in.ProjectID, IntegrationID: in.ID}, func(i windlass.Installation) error {
			if err := f.notify(ctx, windlass.InstallationDeletedEvent, i, in, nil); err != nil {
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

// page is how many installations are held at once when all are looked at.
const page = 500

// eachInstallation calls do with every installation that a filter chooses.
func (f *Flow) eachInstallation(ctx context.Context, filter windlass.InstallationFilter, do func(windlass.Installation) error) error {
	filter.Limit = page
	for {
		some, err := f.store.Installations(ctx, filter)
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

// describe names an installation to a person, who knows the group, and to a
// program, which knows the id.
func describe(in windlass.Installation) string {
	return fmt.Sprintf("the installation for group %q (%s)", in.Group.Ref, in.ID)
}

// readEntry finds an object that an integration reads.
func readEntry(entry manifest.Integration, object string) *manifest.ReadObject {
	if entry.Read == nil {
		return nil
	}
	for i := range entry.Read.Objects {
		if entry.Read.Objects[i].ObjectName == object {
			return &entry.Read.Objects[i]
		}
	}
	return nil
}
