// Package fields knows the fields of a provider's objects by the names that configs
// have for them: full_name, and $['project']['key'] for a nested one. It does no I/O.
package fields

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windlass/connector"
	"windlass/internal/input"
	"windlass/manifest"
)

// A Table knows the fields of one object. Nil knows nothing, and finds nothing wrong.
type Table struct {
	object string
	fields []connector.Field
	named  map[string]connector.Field
}

// Of knows the fields of a provider's object; of a provider that is not known it is nil.
func Of(providers connector.Providers, provider, object string) (*Table, error) {
	p, known := providers.Named(provider)
	if !known {
		return nil, nil //nolint:nilnil // a nil table accepts every field
	}
	fields, err := p.Fields(object)
	if err != nil || fields == nil {
		return nil, err
	}
	t := &Table{object: object, fields: fields, named: make(map[string]connector.Field, len(fields))}
	for _, field := range fields {
		t.named[Name(field)] = field
	}
	return t, nil
}

// Name returns the name that the contract has for a field.
func Name(f connector.Field) string {
	var route manifest.Path
	for key := range strings.SplitSeq(f.Name, ".") {
		route = append(route, manifest.Step{Key: key})
	}
	return route.String()
}

// Nested reports whether a field is one inside of another.
func Nested(f connector.Field) bool { return strings.Contains(f.Name, ".") }

// Wrong says what is wrong with the name of a field that is to be read, or
// nothing.
func (t *Table) Wrong(name string) string {
	route, err := manifest.ParsePath(name)
	if bad, found := errors.AsType[*manifest.PathError](err); found {
		return bad.Error()
	}
	if t == nil {
		return ""
	}
	field, found := t.named[route.String()]
	switch {
	case found && field.WriteOnly:
		return fmt.Sprintf("%q can be written but not read", name)
	case found:
		return ""
	case route.Nested():
		if _, found := t.named[route[0].Key]; found {
			return "" // what is below may be the customer's own
		}
	case strings.Contains(name, "."):
		for _, field := range t.fields {
			if field.Name == name {
				return fmt.Sprintf("%q is a nested field: write %s", name, Name(field))
			}
		}
	}
	return t.Unknown(name)
}

// Unknown is the error for an unknown field.
func (t *Table) Unknown(name string) string {
	return fmt.Sprintf("%s has no field %q: %s", t.object, input.Shorten(name), input.Suggest(name, slices.Sorted(maps.Keys(t.named)), "its metadata lists its fields"))
}

// Display returns the name for people, which is the field's own where nothing
// better is known.
func (t *Table) Display(name string) string {
	if t != nil {
		if route, err := manifest.ParsePath(name); err == nil {
			if field, found := t.named[route.String()]; found && field.DisplayName != "" {
				return field.DisplayName
			}
		}
	}
	return name
}

// valueType is a field's type in words that every version of the contract has:
// published clients of 2025 refuse reference, which came later. What a field refers
// to stands in referenceTo all the same.
func valueType(t connector.ValueType) string {
	if t == connector.Reference {
		return string(connector.Other)
	}
	return string(t)
}

// Metadata describes the fields that keep returns true for.
func (t *Table) Metadata(keep func(connector.Field) bool) map[string]manifest.FieldMetadata {
	all := make(map[string]manifest.FieldMetadata)
	if t == nil {
		return all
	}
	for _, field := range t.fields {
		if !keep(field) {
			continue
		}
		name := Name(field)
		readOnly, required, custom := field.ReadOnly, field.Required, false
		m := manifest.FieldMetadata{
			FieldName: name, DisplayName: field.DisplayName, ValueType: valueType(field.Type), ProviderType: field.ProviderType,
			ReadOnly: &readOnly, IsCustom: &custom, IsRequired: &required, ReferenceTo: slices.Clone(field.ReferenceTo),
		}
		if m.DisplayName == "" {
			m.DisplayName = name
		}
		for _, value := range field.Values {
			m.Values = append(m.Values, manifest.FieldValue{Value: value, DisplayValue: value})
		}
		all[name] = m
	}
	return all
}

// All are the fields in the provider's order.
func (t *Table) All() []connector.Field {
	if t == nil {
		return nil
	}
	return t.fields
}

// Field finds a field by the path that its name is.
func (t *Table) Field(route manifest.Path) (connector.Field, bool) {
	if t == nil {
		return connector.Field{}, false
	}
	field, found := t.named[route.String()]
	return field, found
}

// ObjectName returns an object's name for people.
func ObjectName(providers connector.Providers, provider, object string) string {
	if known, found := connector.ObjectNamed(providers.Objects(provider), object); found && known.DisplayName != "" {
		return known.DisplayName
	}
	return object
}
