package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/ids"
	"windlass/internal/input"
	"windlass/manifest"
)

// Deployment is the result of a deploy.
type Deployment struct {
	// Integrations are those of the manifest, in its order, with their latest
	// revisions.
	Integrations []windlass.Integration
	// Changed are the names of those that got a new revision.
	Changed []string
	// Kept are the reads of objects that the manifest no longer has.
	Kept []ObjectRead
	// Disabled are the reads that a destructive deploy stopped.
	Disabled []ObjectRead
	// Enabled are the reads that an earlier deploy had stopped.
	Enabled []ObjectRead
	// Warnings are sentences about these, about features that have no effect yet, and
	// about integrations that were left alone.
	Warnings []string
}

// ObjectRead is an object that an installation reads, or no longer reads.
type ObjectRead struct {
	Integration, InstallationID, GroupRef, Object string
}

const (
	opDeploy   = "deploy"
	opCreate   = "create the integration"
	opRevision = "create the revision"
	notMoving  = "give the integration of the other provider another name, or uninstall this one first"
)

// Deploy makes the project's integrations what the manifest says; an integration
// that says the same as before keeps its revision, so a deploy may be repeated.
// A manifest with mistakes is a failure with an issue for each, in which
// errors.As finds the [manifest.Problems]. See the package documentation for destructive.
func (f *Flow) Deploy(ctx context.Context, project string, from Source, destructive bool) (Deployment, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return Deployment{}, err
	}
	m, err := f.manifest(ctx, opDeploy, from)
	if err != nil {
		return Deployment{}, err
	}
	d := &deploy{Flow: f, op: opDeploy, project: p, destructive: destructive}
	err = f.store.In(ctx, func(ctx context.Context) error {
		d.out = Deployment{} // the store may run a transaction again
		if err := d.save(ctx, m.SpecVersion, m.Integrations); err != nil {
			return err
		}
		return d.missing(ctx, m)
	})
	return d.result(err)
}

// CreateIntegrationRequest is the body of POST …/integrations.
type CreateIntegrationRequest struct {
	Name           string `json:"name"`
	Provider       string `json:"provider"`
	LatestRevision struct {
		SpecVersion string          `json:"specVersion"`
		Content     json.RawMessage `json:"content"`
	} `json:"latestRevision"`
}

// CreateIntegration deploys one integration that does not exist yet. Its content
// may leave out the name and the provider, which the request has already.
func (f *Flow) CreateIntegration(ctx context.Context, project string, r CreateIntegrationRequest) (Deployment, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return Deployment{}, err
	}
	var is input.Issues
	var content map[string]json.RawMessage
	if err := json.Unmarshal(r.LatestRevision.Content, &content); err != nil || content == nil {
		is.Addf("latestRevision.content", "is not an object: write an entry as under integrations in a manifest")
		return Deployment{}, is.Err(opCreate, nil)
	}
	for key, value := range map[string]string{"name": r.Name, "provider": r.Provider} {
		var inside string
		if raw, there := content[key]; there && (json.Unmarshal(raw, &inside) != nil || inside != value) {
			is.Addf("latestRevision.content."+key, "is not %q, as the request has it beside", input.Shorten(value))
		}
		content[key], _ = json.Marshal(value) // a string always marshals
	}
	if err := is.Err(opCreate, nil); err != nil {
		return Deployment{}, err
	}
	text, err := json.Marshal(map[string]any{"specVersion": r.LatestRevision.SpecVersion, "integrations": []any{content}})
	if err != nil {
		return Deployment{}, err
	}
	m, err := manifest.FromJSON(text, f.known())
	if err != nil {
		return Deployment{}, manifestFailure(opCreate, err)
	}
	d := &deploy{Flow: f, op: opCreate, project: p}
	err = f.store.In(ctx, func(ctx context.Context) error {
		d.out = Deployment{}
		_, err := f.store.Integration(ctx, p.ID, r.Name)
		if err := input.Free(opCreate, "an integration", r.Name, err); err != nil {
			return err
		}
		return d.save(ctx, m.SpecVersion, m.Integrations)
	})
	return d.result(err)
}

// CreateRevision deploys one integration, by the rules of [Flow.Deploy], out of
// a manifest that may have others.
func (f *Flow) CreateRevision(ctx context.Context, project, integration string, from Source, destructive bool) (Deployment, error) {
	in, err := f.Integration(ctx, project, integration)
	if err != nil {
		return Deployment{}, err
	}
	m, err := f.manifest(ctx, opRevision, from)
	if err != nil {
		return Deployment{}, err
	}
	i := slices.IndexFunc(m.Integrations, func(entry manifest.Integration) bool { return entry.Name == in.Name })
	if i < 0 {
		return Deployment{}, input.Invalid(opRevision, fmt.Sprintf("the manifest has no integration %q", in.Name), "a revision keeps the integration's name; deploy the manifest to make another integration")
	}
	d := &deploy{Flow: f, op: opRevision, project: windlass.Project{ID: in.ProjectID}, destructive: destructive}
	err = f.store.In(ctx, func(ctx context.Context) error {
		d.out = Deployment{}
		return d.save(ctx, m.SpecVersion, m.Integrations[i:i+1])
	})
	return d.result(err)
}

// A deploy is the state of one running deploy.
type deploy struct {
	*Flow

	out         Deployment
	op          string
	project     windlass.Project
	destructive bool
}

// result returns what was done, which is nothing if there is an error.
func (d *deploy) result(err error) (Deployment, error) {
	if err != nil {
		return Deployment{}, err
	}
	d.warnObject()
	return d.out, nil
}

// save stores the entries of a manifest.
func (d *deploy) save(ctx context.Context, spec string, entries []manifest.Integration) error {
	held, err := d.lock(ctx, entries)
	if err != nil {
		return err
	}
	var strangers input.Issues
	for i := range entries {
		entry := entries[i]
		in, exists := held[entry.Name]
		if exists {
			if err := d.compareInstalled(ctx, in, entry, &strangers); err != nil {
				return err
			}
		} else {
			in = windlass.Integration{ID: ids.New(), ProjectID: d.project.ID, Name: entry.Name, Created: d.now()}
		}
		in.Provider = entry.Provider
		content, err := json.Marshal(entry)
		if err != nil {
			return err
		}
		if in.Latest.ID == "" || in.Latest.SpecVersion != spec || !sameJSON(in.Latest.Content, content) {
			in.Updated = d.now()
			in.Latest = windlass.Revision{ID: ids.New(), IntegrationID: in.ID, SpecVersion: spec, Content: content, Created: in.Updated}
			d.out.Changed = append(d.out.Changed, in.Name)
		}
		if err := d.warn(ctx, entry); err != nil {
			return err
		}
		d.out.Integrations = append(d.out.Integrations, in)
	}
	if len(strangers) > 0 {
		return &windlass.Error{
			Kind: windlass.Conflict, Op: d.op, Message: "the manifest changes the provider of installed integrations",
			Remedy: notMoving, Issues: strangers,
		}
	}
	if err := d.store.SaveIntegrations(ctx, d.project.ID, d.out.Integrations); err != nil {
		return err
	}
	for i := range d.out.Integrations { // a deploy at the same time may have made the same one first
		if d.out.Integrations[i], err = d.store.Integration(ctx, d.project.ID, d.out.Integrations[i].Name); err != nil {
			return err
		}
		if err := d.enable(ctx, d.out.Integrations[i], entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// lock finds and locks the integrations of entries by name: a request that installs one
// at this moment waits, and then sees that it was deployed. All deploys lock them in
// one order, so that they cannot deadlock.
func (d *deploy) lock(ctx context.Context, entries []manifest.Integration) (map[string]windlass.Integration, error) {
	current, err := d.store.Integrations(ctx, d.project.ID, windlass.Page{})
	if err != nil {
		return nil, err
	}
	held := map[string]windlass.Integration{}
	for _, in := range current {
		if !slices.ContainsFunc(entries, func(e manifest.Integration) bool { return e.Name == in.Name }) {
			continue
		}
		if held[in.Name], err = d.store.Integration(ctx, d.project.ID, in.ID); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// warn warns about missing destinations, and about settings that have no effect yet.
func (d *deploy) warn(ctx context.Context, entry manifest.Integration) error {
	for section, there := range map[string]bool{"subscribe": entry.Subscribe != nil, "watchSchema": entry.WatchSchema != nil} {
		if there {
			d.out.Warnings = append(d.out.Warnings, fmt.Sprintf("integration %q says %s, which is accepted but has no effect yet: no such event is sent", entry.Name, section))
		}
	}
	slices.Sort(d.out.Warnings)
	var told []string
	for _, name := range config.Destinations(entry) {
		if slices.Contains(told, name) {
			continue
		}
		told = append(told, name)
		_, err := d.store.Destination(ctx, d.project.ID, name)
		switch {
		case errors.Is(err, windlass.NotFound):
			d.out.Warnings = append(d.out.Warnings, fmt.Sprintf("integration %q sends to %q, which does not exist yet: create the destination before the integration is installed", entry.Name, name))
		case err != nil:
			return err
		}
	}
	return nil
}
