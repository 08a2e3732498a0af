package install

import (
	"context"
	"fmt"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/manifest"
)

// HydratedRevision is a revision as one customer sees it.
type HydratedRevision struct {
	ID          string                       `json:"id"`
	SpecVersion string                       `json:"specVersion"`
	CreateTime  time.Time                    `json:"createTime"`
	Content     manifest.HydratedIntegration `json:"content"`
}

// Hydrate fills a revision with the fields that a connection sees. What fails
// for one object is said in its Error; the others are complete.
//
// With optionalFieldsAuto the optional fields are all those at the top of a
// record that the manifest does not name; nested ones come with them, and stand
// in the metadata to be mapped one by one.
func (f *Flow) Hydrate(ctx context.Context, project, integration, revision, connectionID string) (HydratedRevision, error) {
	const op = "hydrate the revision"
	in, err := f.Integration(ctx, project, integration)
	if err != nil {
		return HydratedRevision{}, err
	}
	r, err := f.store.Revision(ctx, in.ID, revision)
	if err != nil {
		return HydratedRevision{}, err
	}
	entry, err := entryOf(r)
	if err != nil {
		return HydratedRevision{}, err
	}
	if connectionID == "" {
		return HydratedRevision{}, &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "the request has one problem",
			Issues: []windlass.Issue{{In: "query", Name: "connectionId", Message: "is missing: name the customer's connection"}},
		}
	}
	c, err := f.store.Connection(ctx, in.ProjectID, connectionID)
	if err != nil {
		return HydratedRevision{}, err
	}
	if c.Provider != entry.Provider {
		return HydratedRevision{}, invalid(op, fmt.Sprintf("the connection is one with %s, the integration needs %s", c.Provider, entry.Provider), "name a connection of the same provider")
	}
	return HydratedRevision{ID: r.ID, SpecVersion: r.SpecVersion, CreateTime: r.Created.UTC(), Content: f.hydrate(entry, c)}, nil
}

func (f *Flow) hydrate(entry manifest.Integration, c windlass.Connection) manifest.HydratedIntegration {
	out := manifest.HydratedIntegration{Name: entry.Name, DisplayName: entry.DisplayName, Module: entry.Module, Provider: entry.Provider, Proxy: entry.Proxy}
	if entry.Read != nil {
		out.Read = &manifest.HydratedRead{}
		for i := range entry.Read.Objects {
			out.Read.Objects = append(out.Read.Objects, f.hydrateObject(&entry.Read.Objects[i], c))
		}
	}
	if entry.Write != nil {
		out.Write = &manifest.HydratedWrite{}
		for _, o := range entry.Write.Objects {
			out.Write.Objects = append(out.Write.Objects, manifest.HydratedWriteObject{
				ObjectName: o.ObjectName, DisplayName: f.displayName(entry.Provider, o.ObjectName), ValueDefaults: o.ValueDefaults,
			})
		}
	}
	return out
}

func (f *Flow) hydrateObject(o *manifest.ReadObject, c windlass.Connection) manifest.HydratedObject {
	out := manifest.HydratedObject{
		ObjectName: o.ObjectName, DisplayName: f.displayName(c.Provider, o.ObjectName),
		MapToName: o.MapToName, MapToDisplayName: o.MapToDisplayName,
		Destination: o.Destination, Schedule: o.Schedule, OptionalFieldsAuto: o.OptionalFieldsAuto, Backfill: o.Backfill,
	}
	t, err := f.table(c.Provider, o.ObjectName)
	if err != nil {
		out.Error = "its fields could not be determined: " + errorText(err)
	}
	var missing []string
	named := map[string]bool{}
	for _, list := range []struct {
		from []manifest.Field
		to   *[]manifest.HydratedField
	}{{o.RequiredFields, &out.RequiredFields}, {o.OptionalFields, &out.OptionalFields}} {
		for _, field := range list.from {
			h := manifest.HydratedField{
				FieldName: field.FieldName, MapToName: field.MapToName, MapToDisplayName: field.MapToDisplayName,
				Default: field.Default, Prompt: field.Prompt,
			}
			if field.FieldName != "" {
				h.DisplayName = t.display(field.FieldName)
				if t.wrong(field.FieldName) != "" {
					missing = append(missing, field.FieldName)
				}
				if route, err := manifest.ParsePath(field.FieldName); err == nil {
					named[route.String()] = true
				}
			}
			*list.to = append(*list.to, h)
		}
	}
	if len(missing) > 0 {
		out.Error = "it has no field " + strings.Join(missing, ", ")
	}
	if t == nil {
		return out
	}
	readable := func(field connector.Field) bool { return !field.WriteOnly }
	out.AllFieldsMetadata = t.metadata(readable)
	for _, field := range t.fields {
		if nested(field) || !readable(field) {
			continue
		}
		h := manifest.HydratedField{FieldName: fieldName(field), DisplayName: t.display(fieldName(field))}
		out.AllFields = append(out.AllFields, h)
		if o.OptionalFieldsAuto == manifest.All && !named[h.FieldName] {
			out.OptionalFields = append(out.OptionalFields, h)
		}
	}
	return out
}

// displayName returns an object's name for people.
func (f *Flow) displayName(provider, object string) string {
	if known, found := connector.ObjectNamed(f.Objects(provider), object); found && known.DisplayName != "" {
		return known.DisplayName
	}
	return object
}

// errorText returns the text of an error for a person, without the operation.
func errorText(err error) string {
	if theirs, found := windlass.FromProvider(err); found && theirs.Message != "" {
		return theirs.Message
	}
	if ours, found := windlass.Own(err); found && ours.Message != "" {
		return ours.Message
	}
	return err.Error()
}
