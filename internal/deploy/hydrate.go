package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/fields"
	"windlass/internal/input"
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
	entry, err := config.Entry(r)
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
		return HydratedRevision{}, input.Invalid(op, fmt.Sprintf("the connection is one with %s, the integration needs %s", c.Provider, entry.Provider), "name a connection of the same provider")
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
				ObjectName: o.ObjectName, DisplayName: fields.ObjectName(f.providers, entry.Provider, o.ObjectName), ValueDefaults: o.ValueDefaults,
			})
		}
	}
	return out
}

func (f *Flow) hydrateObject(o *manifest.ReadObject, c windlass.Connection) manifest.HydratedObject {
	out := manifest.HydratedObject{
		ObjectName: o.ObjectName, DisplayName: fields.ObjectName(f.providers, c.Provider, o.ObjectName),
		MapToName: o.MapToName, MapToDisplayName: o.MapToDisplayName,
		Destination: o.Destination, Schedule: o.Schedule, OptionalFieldsAuto: o.OptionalFieldsAuto, Backfill: o.Backfill,
	}
	t, err := fields.Of(f.providers, c.Provider, o.ObjectName)
	if err != nil {
		out.Error = "its fields could not be determined: " + input.ErrorText(err)
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
				h.DisplayName = t.Display(field.FieldName)
				if t.Wrong(field.FieldName) != "" {
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
	out.AllFieldsMetadata = t.Metadata(readable)
	for _, field := range t.All() {
		if fields.Nested(field) || !readable(field) {
			continue
		}
		h := manifest.HydratedField{FieldName: fields.Name(field), DisplayName: t.Display(fields.Name(field))}
		out.AllFields = append(out.AllFields, h)
		if o.OptionalFieldsAuto == manifest.All && !named[h.FieldName] {
			out.OptionalFields = append(out.OptionalFields, h)
		}
	}
	return out
}
