package install

import (
	"context"
	"fmt"
	"slices"

	"windlass"
	"windlass/internal/config"
	"windlass/manifest"
)

// confront holds an entry against what is installed of its integration. What the
// entry drops is an issue, or is paused when the deploy is destructive.
func (d *deploy) confront(ctx context.Context, in windlass.Integration, entry manifest.Integration, dropped *issues) error {
	readers := map[string][]string{} // from an object to the installations that read it
	var strangers []string
	err := d.eachInstallation(ctx, windlass.InstallationFilter{ProjectID: d.project.ID, IntegrationID: in.ID}, func(i windlass.Installation) error {
		if in.Provider != entry.Provider {
			strangers = append(strangers, describe(i))
			return nil
		}
		chosen, err := config.Parse(i.Config.Content)
		if err != nil {
			return err
		}
		gone := slices.DeleteFunc(chosen.EnabledNames(), func(o string) bool { return readEntry(entry, o) != nil })
		if !d.destructive {
			for _, name := range gone {
				readers[name] = append(readers[name], describe(i))
			}
			return nil
		}
		return d.pause(ctx, in, i.ID, gone)
	})
	if err != nil {
		return err
	}
	at := fmt.Sprintf("integrations[%s]", in.Name)
	if len(strangers) > 0 {
		dropped.addf(at+".provider", "cannot change from %s to %s while installed for another's customers: %s", in.Provider, entry.Provider, few(strangers))
	}
	for _, name := range sortedKeys(readers) {
		dropped.addf(at+".read.objects", "object %q is gone, and is still read by %s", name, few(readers[name]))
	}
	return nil
}

// pause disables objects of an installation, which keeps their configs.
func (d *deploy) pause(ctx context.Context, in windlass.Integration, installationID string, objects []string) error {
	if len(objects) == 0 {
		return nil
	}
	i, err := d.store.Installation(ctx, in.ProjectID, installationID) // found again, it is held
	if err != nil {
		return err
	}
	chosen, err := config.Parse(i.Config.Content)
	if err != nil {
		return err
	}
	for _, name := range objects {
		object, found := chosen.Read.Objects[name]
		if !found {
			continue
		}
		object.Disabled = true
		chosen.Read.Objects[name] = object
		d.out.Paused = append(d.out.Paused, PausedRead{Integration: in.Name, InstallationID: i.ID, GroupRef: i.Group.Ref, Object: name})
	}
	return d.saveConfig(ctx, &i, chosen)
}

// missing deals with the integrations that a manifest does not have.
func (d *deploy) missing(ctx context.Context, m *manifest.Manifest) error {
	if !d.destructive {
		return nil
	}
	current, err := d.store.Integrations(ctx, d.project.ID, windlass.Page{})
	if err != nil {
		return err
	}
	for _, in := range current {
		if slices.ContainsFunc(m.Integrations, func(e manifest.Integration) bool { return e.Name == in.Name }) {
			continue
		}
		users, err := d.store.Installations(ctx, windlass.InstallationFilter{ProjectID: d.project.ID, IntegrationID: in.ID, Limit: 1})
		if err != nil {
			return err
		}
		if len(users) > 0 {
			d.out.Warnings = append(d.out.Warnings, fmt.Sprintf("integration %q is not in the manifest, and stays because it is installed: delete it by itself to uninstall it everywhere", in.Name))
			continue
		}
		if err := d.store.DeleteIntegration(ctx, d.project.ID, in.ID); err != nil {
			return err
		}
		d.out.Deleted = append(d.out.Deleted, in.Name)
	}
	return nil
}
