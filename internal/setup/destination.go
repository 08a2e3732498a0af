package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/ids"
	"windlass/internal/input"
	"windlass/internal/installed"
	"windlass/internal/sink"
)

// maxSecrets bounds the secrets that sign a message when they are rotated repeatedly.
const maxSecrets = 3

// DestinationMetadata are the settings of a destination, as its type has them.
type DestinationMetadata struct{ json.RawMessage }

// MarshalJSON says that there are none as an empty object: it is always there.
func (m DestinationMetadata) MarshalJSON() ([]byte, error) {
	if len(m.RawMessage) == 0 {
		return []byte("{}"), nil
	}
	return m.RawMessage, nil
}

// CreateDestinationRequest is the body of POST …/destinations.
type CreateDestinationRequest struct {
	Name     string              `json:"name"`
	Type     string              `json:"type"` // one of those that the server has
	Metadata DestinationMetadata `json:"metadata"`
}

// UpdateDestinationRequest is the body of PATCH …/destinations/{d}.
type UpdateDestinationRequest struct {
	UpdateMask  []string `json:"updateMask"` // name, metadata, metadata.… with the name of a setting
	Destination struct {
		Name     string              `json:"name,omitempty"`
		Metadata DestinationMetadata `json:"metadata,omitzero"`
	} `json:"destination"`
}

// DestinationOptions say what to do while a destination is looked up.
type DestinationOptions struct {
	IncludeSecrets bool // return the signing secrets, the current one first
	Rotate         bool // make a new secret first; those before stay valid beside it
}

// CreateDestination makes a destination, with a signing secret if its type signs.
// The secret is not returned: ask for it with [Flow.Destination].
func (f *Flow) CreateDestination(ctx context.Context, project string, r CreateDestinationRequest) (windlass.Destination, error) {
	const op = "create the destination"
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Destination{}, err
	}
	d := windlass.Destination{
		ID: ids.New(), ProjectID: p.ID, Name: r.Name, Type: r.Type, Settings: r.Metadata.RawMessage,
		Created: f.now(), Updated: f.now(),
	}
	var is input.Issues
	of, unknown := f.opts.Destinations.Of(d.Type)
	if is.Need(d.Type, "type") && unknown != nil {
		is.Addf("type", "destinations of type %q are not built: write %s", input.Shorten(d.Type), strings.Join(f.opts.Destinations.Names(), " or "))
	}
	is.Name(d.Name, "name")
	if unknown == nil {
		checkSettings(&is, of, &d, "metadata")
		if of.NewSecret != nil {
			d.Secrets = []windlass.Secret{of.NewSecret()}
		}
	}
	if err := is.Err(op, nil); err != nil {
		return windlass.Destination{}, err
	}
	err = f.store.In(ctx, func(ctx context.Context) error {
		_, err := f.store.Destination(ctx, p.ID, d.Name)
		if err := input.Free(op, "a destination", d.Name, err); err != nil {
			return err
		}
		return f.store.CreateDestination(ctx, d)
	})
	return unsigned(d), err
}

// checkSettings says what is wrong with a destination's settings, and writes them as
// they are kept.
func checkSettings(is *input.Issues, of *sink.Type, d *windlass.Destination, at string) {
	settings, err := of.Normalize(d.Settings)
	if err != nil {
		is.Addf(at, "are not the settings of type %s: they may have %s", of.Name, strings.Join(of.Keys(), ", "))
		return
	}
	d.Settings = settings
	for _, issue := range of.Sink.Check(*d) {
		if issue.Name = input.Within(at, issue.Name); !is.Full() {
			*is = append(*is, issue)
		}
	}
	if of.Address != nil {
		d.Address = of.Address(*d)
	}
}

// unsigned returns a destination without its signing secrets.
func unsigned(d windlass.Destination) windlass.Destination {
	d.Secrets = nil
	return d
}

// Destination finds a destination by id or name. opts may be nil.
func (f *Flow) Destination(ctx context.Context, project, destination string, opts *DestinationOptions) (windlass.Destination, error) {
	if opts == nil {
		opts = &DestinationOptions{}
	}
	d, err := f.changeDestination(ctx, project, destination, func(_ context.Context, d *windlass.Destination) (bool, error) {
		if opts.Rotate {
			of, err := f.opts.Destinations.Of(d.Type)
			if err != nil {
				return false, err
			}
			if of.NewSecret == nil {
				return false, input.Invalid("rotate the secret", "what is sent to destinations of type "+of.Name+" is not signed", "")
			}
			d.Secrets = slices.Insert(slices.Clone(d.Secrets), 0, of.NewSecret())
			d.Secrets = d.Secrets[:min(len(d.Secrets), maxSecrets)]
		}
		return opts.Rotate, nil
	})
	if err != nil || !opts.IncludeSecrets {
		d = unsigned(d)
	}
	return d, err
}

// Destinations lists a project's destinations, without secrets.
func (f *Flow) Destinations(ctx context.Context, project string, page windlass.Page) ([]windlass.Destination, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	all, err := f.store.Destinations(ctx, p.ID, page)
	for i := range all {
		all[i] = unsigned(all[i])
	}
	return all, err
}

// UpdateDestination changes what the mask names. A destination that something
// sends to by its name keeps that name.
func (f *Flow) UpdateDestination(ctx context.Context, project, destination string, r UpdateDestinationRequest) (windlass.Destination, error) {
	const op = "update the destination"
	d, err := f.changeDestination(ctx, project, destination, func(ctx context.Context, d *windlass.Destination) (bool, error) {
		before := *d
		of, err := f.opts.Destinations.Of(d.Type)
		if err != nil {
			return false, err
		}
		var is input.Issues
		is.Mask(r.UpdateMask, settingsMask(of, d, &r))
		is.Name(d.Name, "destination.name")
		checkSettings(&is, of, d, "destination.metadata")
		if err := is.Err(op, nil); err != nil || d.Name == before.Name {
			return true, err
		}
		_, err = f.store.Destination(ctx, d.ProjectID, d.Name)
		if err := input.Free(op, "a destination", d.Name, err); err != nil {
			return false, err
		}
		return true, f.unusedDestination(ctx, op, before.ProjectID, "give them the destination's id instead of its name first", before.Name)
	})
	return unsigned(d), err
}

// settingsMask is what an update of a destination may name, and what that does.
func settingsMask(of *sink.Type, d *windlass.Destination, r *UpdateDestinationRequest) map[string]func() string {
	to := &r.Destination
	mask := map[string]func() string{
		"name":     func() string { d.Name = to.Name; return "" },
		"metadata": func() string { d.Settings = to.Metadata.RawMessage; return "" },
	}
	for _, key := range of.Keys() {
		mask["metadata."+key] = func() string { return setKey(&d.Settings, to.Metadata.RawMessage, key) }
	}
	return mask
}

// setKey gives one of the settings the value that it has in others, or none.
func setKey(settings *json.RawMessage, others json.RawMessage, key string) (wrong string) {
	old, err := keysOf(*settings)
	if err != nil {
		return "the settings that are kept cannot be read: update metadata as a whole"
	}
	given, err := keysOf(others)
	if err != nil {
		return "metadata is not an object"
	}
	delete(old, key)
	if value, there := given[key]; there {
		old[key] = value
	}
	*settings, _ = json.Marshal(old) // what was parsed always marshals
	return ""
}

func keysOf(settings json.RawMessage) (keys map[string]json.RawMessage, err error) {
	if len(settings) > 0 {
		err = json.Unmarshal(settings, &keys)
	}
	if keys == nil {
		keys = map[string]json.RawMessage{}
	}
	return keys, err
}

// RetireSecrets ends a rotation: only the current secret stays valid.
func (f *Flow) RetireSecrets(ctx context.Context, project, destination string) (windlass.Destination, error) {
	d, err := f.changeDestination(ctx, project, destination, func(_ context.Context, d *windlass.Destination) (bool, error) {
		many := len(d.Secrets) > 1
		d.Secrets = slices.Clone(d.Secrets[:min(len(d.Secrets), 1)])
		return many, nil
	})
	return unsigned(d), err
}

// DeleteDestination deletes a destination that nothing sends to.
func (f *Flow) DeleteDestination(ctx context.Context, project, destination string) error {
	const op = "delete the destination"
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		d, err := f.store.Destination(ctx, p.ID, destination)
		if err != nil {
			return err
		}
		if err := f.unusedDestination(ctx, op, p.ID, "let them send somewhere else first", d.ID, d.Name); err != nil {
			return err
		}
		return f.store.DeleteDestination(ctx, p.ID, d.ID)
	})
}

// changeDestination changes a destination in one transaction, and saves it when
// the change says so.
func (f *Flow) changeDestination(
	ctx context.Context, project, destination string,
	change func(ctx context.Context, d *windlass.Destination) (save bool, err error),
) (windlass.Destination, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Destination{}, err
	}
	var d windlass.Destination
	err = f.store.In(ctx, func(ctx context.Context) error {
		if d, err = f.store.Destination(ctx, p.ID, destination); err != nil {
			return err
		}
		save, err := change(ctx, &d)
		if err != nil || !save {
			return err
		}
		d.Updated = f.now()
		return f.store.UpdateDestination(ctx, d)
	})
	return d, err
}

// unusedDestination returns a conflict when a manifest or a config names a
// destination by one of the names.
func (f *Flow) unusedDestination(ctx context.Context, op, projectID, remedy string, names ...string) error {
	var users []string
	integrations, err := f.store.Integrations(ctx, projectID, windlass.Page{})
	if err != nil {
		return err
	}
	for _, in := range integrations {
		entry, err := config.Entry(in.Latest)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(config.Destinations(entry), func(n string) bool { return slices.Contains(names, n) }) {
			users = append(users, fmt.Sprintf("integration %q", in.Name))
		}
	}
	err = installed.Each(ctx, f.store, windlass.InstallationFilter{ProjectID: projectID}, func(in windlass.Installation) error {
		c, err := config.Parse(in.Config.Content)
		if err != nil {
			return err
		}
		if c.SendsTo(names) {
			users = append(users, installed.Describe(in))
		}
		return nil
	})
	if err != nil || len(users) == 0 {
		return err
	}
	return input.Conflict(op, "it is used: "+input.FirstFew(users), remedy)
}
