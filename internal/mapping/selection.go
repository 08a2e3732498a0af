package mapping

import (
	"fmt"
	"maps"
	"slices"

	"windlass"
	"windlass/manifest"
)

// Selection is what one object's plan is made of: what the revision says, and
// what the customer chose. The fields have the names of the installation config.
type Selection struct {
	// Object is the object as the revision has it.
	Object manifest.ReadObject
	// SelectedFields has the fields that the customer wants, under their own
	// names. One that is false is left out even if all are selected.
	SelectedFields map[string]bool
	// SelectedFieldsAuto is empty, or [manifest.All]: every key at the top of a
	// record, whichever it has.
	SelectedFieldsAuto string
	// SelectedFieldMappings maps mapToName to the field. An empty field is
	// a mapping that was not chosen.
	SelectedFieldMappings map[string]string
	// SelectedValueMappings maps a mapToName or a field to its values: from the
	// delivered value to the provider's.
	SelectedValueMappings map[string]map[string]string
	// Dynamic are the mappings that are offered to this customer only. One that names a
	// field applies without being chosen.
	Dynamic []DynamicMapping
}

// DynamicMapping is an entry of dynamicMappingsInput.
type DynamicMapping struct{ MapToName, FieldName string }

// chosen is a selection with everything decided.
type chosen struct {
	mapped map[string]string // from target to source
	plain  map[string]bool   // sources delivered under their own names
	barred map[string]bool   // sources that are not, though all are selected
	all    bool
}

// invalid is the error for a selection that cannot be carried out.
func invalid(object, format string, args ...any) error {
	return &windlass.Error{Kind: windlass.Invalid, Op: "map the fields of " + object, Message: fmt.Sprintf(format, args...)}
}

// choose decides what is delivered, and where.
func (s *Selection) choose() (chosen, error) {
	c := chosen{
		mapped: map[string]string{}, plain: map[string]bool{}, barred: map[string]bool{},
		all: s.SelectedFieldsAuto == manifest.All,
	}
	if s.SelectedFieldsAuto != "" && !c.all {
		return c, invalid(s.Object.ObjectName, "selectedFieldsAuto is %q; it can only be %q", s.SelectedFieldsAuto, manifest.All)
	}
	for _, f := range s.Object.RequiredFields {
		if f.MapToName != "" {
			if err := c.add(s.Object.ObjectName, f.MapToName, f.FieldName); err != nil {
				return c, err
			}
		}
	}
	for _, f := range s.Object.OptionalFields {
		if f.MapToName != "" && s.SelectedFields[f.FieldName] {
			if err := c.add(s.Object.ObjectName, f.MapToName, f.FieldName); err != nil {
				return c, err
			}
		}
	}
	for _, target := range slices.Sorted(maps.Keys(s.SelectedFieldMappings)) {
		if err := c.add(s.Object.ObjectName, target, s.SelectedFieldMappings[target]); err != nil {
			return c, err
		}
	}
	for _, d := range s.Dynamic {
		if err := c.add(s.Object.ObjectName, d.MapToName, d.FieldName); err != nil {
			return c, err
		}
	}
	for field, selected := range s.SelectedFields {
		field = canonical(field)
		c.plain[field], c.barred[field] = selected, !selected
	}
	for _, field := range c.mapped {
		c.plain[field], c.barred[field] = false, true
	}
	for _, f := range s.Object.RequiredFields {
		if f.FieldName != "" && f.MapToName == "" {
			// The product relies on it, whatever else the customer maps it to.
			field := canonical(f.FieldName)
			c.plain[field], c.barred[field] = true, false
		}
	}
	return c, nil
}

// add notes a mapping; a duplicate has to be equal.
func (c *chosen) add(object, target, field string) error {
	if field == "" {
		return nil
	}
	field = canonical(field)
	if target == "" {
		return invalid(object, "%q is mapped to a name that is empty", field)
	}
	if other, taken := c.mapped[target]; taken && other != field {
		return invalid(object, "%q is mapped from %q as well as from %q", target, other, field)
	}
	c.mapped[target] = field
	return nil
}

// canonical spells the name of a field in one way, so that $['a'] and a are the
// same. What cannot be read is refused later, with a place.
func canonical(field string) string {
	if path, err := manifest.ParsePath(field); err == nil {
		return path.String()
	}
	return field
}
