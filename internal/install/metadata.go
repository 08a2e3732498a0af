package install

import (
	"context"
	"fmt"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/fields"
	"windlass/internal/input"
	"windlass/manifest"
)

// ObjectMetadata says which fields an object has, in the contract's shape.
type ObjectMetadata struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	// MappedObjectName is the name that the integration maps the object to.
	MappedObjectName string `json:"mappedObjectName,omitempty"`
	// Fields are keyed by their names, nested ones as $['project']['key'].
	Fields map[string]manifest.FieldMetadata `json:"fields"`
}

// MetadataQuery asks for the fields of an object.
type MetadataQuery struct {
	// Integration (id or name) or Provider is set. With Integration the group
	// must have installed it, and Object may be the name that the object is
	// mapped to.
	Integration, Provider string
	GroupRef              string
	Object                string
	ExcludeReadOnly       bool
	// ConsumerRef is the person who asks, where that is authenticated: then only this
	// person's connections are used.
	ConsumerRef string
}

// owner selects whose connections are used.
type owner struct {
	groupRef    string
	consumerRef string // empty: of any person of the group
}

const opMetadata = "describe the object"

// ObjectMetadata returns the fields of an object as a group's connection sees
// them.
func (f *Flow) ObjectMetadata(ctx context.Context, project string, q MetadataQuery) (ObjectMetadata, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return ObjectMetadata{}, err
	}
	if q.GroupRef == "" {
		return ObjectMetadata{}, &windlass.Error{
			Kind: windlass.Invalid, Op: opMetadata, Message: "the request has one problem",
			Issues: []windlass.Issue{{In: "query", Name: "groupRef", Message: "is missing: name the customer's group"}},
		}
	}
	out := ObjectMetadata{Name: q.Object}
	var c windlass.Connection
	if q.Integration != "" {
		c, err = f.installedObject(ctx, p, q, &out)
	} else {
		c, err = f.groupConnection(ctx, opMetadata, p.ID, q.Provider, owner{q.GroupRef, q.ConsumerRef})
	}
	if err != nil {
		return ObjectMetadata{}, err
	}
	if _, known := connector.ObjectNamed(f.providers.Objects(c.Provider), out.Name); !known {
		return ObjectMetadata{}, &windlass.Error{
			Kind: windlass.NotFound, Op: opMetadata, Message: fmt.Sprintf("%s has no object %q", c.Provider, input.Shorten(out.Name)),
			Remedy: "use the name that the manifest or the provider has for it",
		}
	}
	t, err := fields.Of(f.providers, c.Provider, out.Name)
	if err != nil {
		return ObjectMetadata{}, err
	}
	out.DisplayName = fields.ObjectName(f.providers, c.Provider, out.Name)
	out.Fields = t.Metadata(func(field connector.Field) bool { return !q.ExcludeReadOnly || !field.ReadOnly })
	return out, nil
}

// installedObject finds a group's connection by what is installed for it, and
// the object by either of its names.
func (f *Flow) installedObject(ctx context.Context, p windlass.Project, q MetadataQuery, out *ObjectMetadata) (windlass.Connection, error) {
	in, err := f.store.Integration(ctx, p.ID, q.Integration)
	if err != nil {
		return windlass.Connection{}, err
	}
	installation, err := f.ofGroup(ctx, opMetadata, in, q.GroupRef)
	if err != nil {
		return windlass.Connection{}, err
	}
	entry, err := config.Entry(in.Latest)
	if err != nil {
		return windlass.Connection{}, err
	}
	if entry.Read != nil {
		for i := range entry.Read.Objects {
			o := &entry.Read.Objects[i]
			if o.ObjectName == q.Object || o.MapToName != "" && o.MapToName == q.Object {
				out.Name, out.MappedObjectName = o.ObjectName, o.MapToName
			}
		}
	}
	if q.ConsumerRef != "" && installation.Connection.Consumer.Ref != q.ConsumerRef {
		return f.groupConnection(ctx, opMetadata, p.ID, installation.Connection.Provider, owner{q.GroupRef, q.ConsumerRef})
	}
	return installation.Connection, nil
}

// ofGroup finds the installation of an integration for a group.
func (f *Flow) ofGroup(ctx context.Context, op string, in windlass.Integration, groupRef string) (windlass.Installation, error) {
	some, err := f.store.Installations(ctx, windlass.InstallationFilter{ProjectID: in.ProjectID, IntegrationID: in.ID, GroupRef: groupRef, Limit: 1})
	if err != nil {
		return windlass.Installation{}, err
	}
	if len(some) == 0 {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: fmt.Sprintf("integration %q is not installed for group %q", in.Name, input.Shorten(groupRef)),
			Remedy: "install it first",
		}
	}
	return some[0], nil
}

// groupConnection finds the one connection that a group, or a person of it, has with
// a provider.
func (f *Flow) groupConnection(ctx context.Context, op, projectID, provider string, of owner) (windlass.Connection, error) {
	groupRef := of.groupRef
	all, err := f.store.Connections(ctx, windlass.ConnectionFilter{
		ProjectID: projectID, Provider: provider, GroupRef: groupRef, ConsumerRef: of.consumerRef,
	})
	if err != nil {
		return windlass.Connection{}, err
	}
	switch len(all) {
	case 0:
		return windlass.Connection{}, input.Conflict(op, fmt.Sprintf("group %q has no connection with %s", input.Shorten(groupRef), input.Shorten(provider)), "let the customer connect first")
	case 1:
		return all[0], nil
	}
	names := make([]string, 0, len(all))
	for _, c := range all {
		names = append(names, fmt.Sprintf("%s (workspace %s)", c.ID, c.Workspace))
	}
	return windlass.Connection{}, input.Conflict(op, fmt.Sprintf("group %q has %d connections with %s: %s", input.Shorten(groupRef), len(all), provider, input.FirstFew(names)), "say which one with connectionId")
}
