package install

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windlass/connector"
	"windlass/manifest"
)

// A fieldTable has an object's fields by their names in configs: full_name, and
// $['project']['key'] for a nested one. A nil table knows no fields, and reports no
// errors.
type fieldTable struct {
	object string
	fields []connector.Field
	named  map[string]connector.Field
}

// table returns the fields of a provider's object.
func (f *Flow) table(provider, object string) (*fieldTable, error) {
	p, known := f.provider(provider)
	if !known {
		return nil, nil //nolint:nilnil // a nil table accepts every field
	}
	fields, err := p.Fields(object)
	if err != nil || fields == nil {
		return nil, err
	}
	t := &fieldTable{object: object, fields: fields, named: make(map[string]connector.Field, len(fields))}
	for _, field := range fields {
		t.named[fieldName(field)] = field
	}
	return t, nil
}

// fieldName returns the name that the contract has for a field.
func fieldName(f connector.Field) string {
	var route manifest.Path
	for key := range strings.SplitSeq(f.Name, ".") {
		route = append(route, manifest.Step{Key: key})
	}
	return route.String()
}

func nested(f connector.Field) bool { return strings.Contains(f.Name, ".") }

// wrong says what is wrong with the name of a field that is to be read, or
// nothing.
func (t *fieldTable) wrong(name string) string {
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
				return fmt.Sprintf("%q is a nested field: write %s", name, fieldName(field))
			}
		}
	}
	return t.unknown(name)
}

// unknown is the error for an unknown field.
func (t *fieldTable) unknown(name string) string {
	return fmt.Sprintf("%s has no field %q: %s", t.object, shorten(name), suggest(name, slices.Sorted(maps.Keys(t.named)), "its metadata lists its fields"))
}

// display returns the name for people, which is the field's own where nothing
// better is known.
func (t *fieldTable) display(name string) string {
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

// metadata describes the fields that keep returns true for.
func (t *fieldTable) metadata(keep func(connector.Field) bool) map[string]manifest.FieldMetadata {
	all := make(map[string]manifest.FieldMetadata)
	if t == nil {
		return all
	}
	for _, field := range t.fields {
		if !keep(field) {
			continue
		}
		name := fieldName(field)
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
