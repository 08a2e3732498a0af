package deploy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/input"
	"windlass/internal/installed"
	"windlass/manifest"
)

// compareInstalled compares an entry with the installations of its integration. Reads of
// dropped objects continue, or are disabled when the deploy is destructive.
func (d *deploy) compareInstalled(ctx context.Context, in windlass.Integration, entry manifest.Integration, strangers *input.Issues) error {
	var others []string
	err := installed.Each(ctx, d.store, windlass.InstallationFilter{ProjectID: d.project.ID, IntegrationID: in.ID}, func(i windlass.Installation) error {
		if in.Provider != entry.Provider {
			others = append(others, installed.Describe(i))
			return nil
		}
		chosen, err := config.Parse(i.Config.Content)
		if err != nil {
			return err
		}
		gone := slices.DeleteFunc(chosen.EnabledNames(), func(o string) bool { return config.FindRead(entry, o) != nil })
		if d.destructive {
			return d.disable(ctx, in, i.ID, gone)
		}
		for _, name := range gone {
			d.out.Kept = append(d.out.Kept, ObjectRead{Integration: in.Name, InstallationID: i.ID, GroupRef: i.Group.Ref, Object: name})
		}
		return nil
	})
	if len(others) > 0 {
		strangers.Addf(fmt.Sprintf("integrations[%s].provider", in.Name), "cannot change from %s to %s while installed for another's customers: %s", in.Provider, entry.Provider, input.FirstFew(others))
	}
	return err
}

// disable disables objects of an installation, which keeps their configs, and
// remembers that a deploy did.
func (d *deploy) disable(ctx context.Context, in windlass.Integration, installationID string, objects []string) error {
	if len(objects) == 0 {
		return nil
	}
	i, err := d.store.Installation(ctx, in.ProjectID, installationID) // it is found: it is locked
	if err != nil {
		return err
	}
	chosen, err := config.Parse(i.Config.Content)
	if err != nil {
		return err
	}
	for _, name := range objects {
		object, found := chosen.Reads(name)
		if !found || object.Disabled {
			continue
		}
		object.Disabled = true
		chosen.Read.Objects[name] = object
		if err := d.store.MarkDisabledByDeploy(ctx, windlass.DisabledObject{InstallationID: i.ID, Object: name}, d.now()); err != nil {
			return err
		}
		d.out.Disabled = append(d.out.Disabled, ObjectRead{Integration: in.Name, InstallationID: i.ID, GroupRef: i.Group.Ref, Object: name})
	}
	return installed.Save(ctx, d.store, &i, chosen, d.now())
}

// enable enables what an earlier deploy disabled, where the entry has it again.
// What a customer disabled stays so.
func (d *deploy) enable(ctx context.Context, in windlass.Integration, entry manifest.Integration) error {
	all, err := d.store.DisabledByDeploy(ctx, in.ID)
	if err != nil {
		return err
	}
	byInstallation := map[string][]string{}
	for _, one := range all {
		if config.FindRead(entry, one.Object) != nil {
			byInstallation[one.InstallationID] = append(byInstallation[one.InstallationID], one.Object)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byInstallation)) {
		if err := d.enableOf(ctx, in, entry, id, byInstallation[id]); err != nil {
			return err
		}
	}
	return nil
}

// enableOf enables objects of one installation.
func (d *deploy) enableOf(ctx context.Context, in windlass.Integration, entry manifest.Integration, installationID string, objects []string) error {
	i, err := d.store.Installation(ctx, in.ProjectID, installationID)
	if err != nil {
		return err
	}
	chosen, err := config.Parse(i.Config.Content)
	if err != nil {
		return err
	}
	if err := d.catchUp(ctx, in, entry, &i, &chosen); err != nil {
		return err
	}
	var enabled []string
	for _, name := range objects {
		if err := d.store.ForgetDisabledByDeploy(ctx, windlass.DisabledObject{InstallationID: i.ID, Object: name}); err != nil {
			return err
		}
		object, found := chosen.Reads(name)
		if !found || !object.Disabled { // the customer has removed or enabled it since
			continue
		}
		object.Disabled = false
		chosen.Read.Objects[name] = object.Filled(config.FindRead(entry, name))
		enabled = append(enabled, name)
		d.out.Enabled = append(d.out.Enabled, ObjectRead{Integration: in.Name, InstallationID: i.ID, GroupRef: i.Group.Ref, Object: name})
	}
	if len(enabled) == 0 {
		return nil
	}
	if err := installed.Save(ctx, d.store, &i, chosen, d.now()); err != nil {
		return err
	}
	if d.opts.Started == nil {
		return nil
	}
	return d.opts.Started(ctx, i, enabled)
}

// catchUp moves an installation to the revision that has its object again, unless that
// revision lacks another object of its reads.
func (d *deploy) catchUp(ctx context.Context, in windlass.Integration, entry manifest.Integration, i *windlass.Installation, chosen *config.Config) error {
	if i.Config.RevisionID == in.Latest.ID || config.Lacks(entry, *chosen) {
		return nil
	}
	was, err := d.store.Revision(ctx, in.ID, i.Config.RevisionID)
	if err != nil {
		return err
	}
	before, err := config.Entry(was)
	if err != nil {
		return err
	}
	chosen.Follow(before, entry)
	i.Config.RevisionID = in.Latest.ID
	return nil
}

// missing names the integrations that a manifest does not have. They stay: destructive
// allows to drop objects, not integrations.
func (d *deploy) missing(ctx context.Context, m *manifest.Manifest) error {
	if !d.destructive {
		return nil
	}
	current, err := d.store.Integrations(ctx, d.project.ID, windlass.Page{})
	if err != nil {
		return err
	}
	for _, in := range current {
		if !slices.ContainsFunc(m.Integrations, func(e manifest.Integration) bool { return e.Name == in.Name }) {
			d.out.Warnings = append(d.out.Warnings, fmt.Sprintf("integration %q is not in the manifest, and stays: delete it separately if you no longer need it", in.Name))
		}
	}
	return nil
}

// warnObject adds a warning for each object whose reads continue, stop or start again.
func (d *deploy) warnObject() {
	d.tellOf(d.out.Kept, "is not in the manifest any more: new installations do not get it, and those that have it go on reading it (deploy with destructive=true to end that)")
	d.tellOf(d.out.Disabled, "is not in the manifest any more: its reads are disabled until a manifest has it again, for")
	d.tellOf(d.out.Enabled, "is in the manifest again: its reads, which a deploy had disabled, are enabled for")
}

func (d *deploy) tellOf(reads []ObjectRead, what string) {
	type object struct{ integration, name string }
	of := map[object][]string{}
	for _, r := range reads {
		key := object{r.Integration, r.Object}
		of[key] = append(of[key], fmt.Sprintf("group %q (%s)", r.GroupRef, r.InstallationID))
	}
	keys := make([]object, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b object) int {
		return cmp.Or(cmp.Compare(a.integration, b.integration), cmp.Compare(a.name, b.name))
	})
	for _, key := range keys {
		d.out.Warnings = append(d.out.Warnings, fmt.Sprintf("object %q of integration %q %s: %s", key.name, key.integration, what, input.FirstFew(of[key])))
	}
}
