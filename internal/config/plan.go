package config

import (
	"encoding/json"
	"slices"

	"windlass"
	"windlass/internal/mapping"
	"windlass/manifest"
)

// planEntry reads a revision's content as plans need it: one that is damaged is said
// with what to do.
func planEntry(revision windlass.Revision) (manifest.Integration, error) {
	var content manifest.Integration
	if err := json.Unmarshal(revision.Content, &content); err != nil {
		return content, &windlass.Error{
			Kind: windlass.Invalid, Op: "read the revision", Message: "the revision " + revision.ID + " cannot be read",
			Remedy: "deploy the integration again", Err: err,
		}
	}
	return content, nil
}

// ReadEntry returns what a revision says of reading an object; just its name
// where the revision does not have it any more. It fails with windlass.Invalid
// when the revision is damaged.
func ReadEntry(revision windlass.Revision, object string) (manifest.ReadObject, error) {
	content, err := planEntry(revision)
	if err != nil {
		return manifest.ReadObject{}, err
	}
	return readEntry(content, object), nil
}

// Offers reports whether a revision has an object to read.
func Offers(revision windlass.Revision, object string) (bool, error) {
	content, err := planEntry(revision)
	if err != nil || content.Read == nil {
		return false, err
	}
	return slices.ContainsFunc(content.Read.Objects, func(o manifest.ReadObject) bool { return o.ObjectName == object }), nil
}

func readEntry(content manifest.Integration, object string) manifest.ReadObject {
	if found := FindRead(content, object); found != nil {
		return *found
	}
	return manifest.ReadObject{ObjectName: object}
}

// WriteEntry returns what a revision says of writing an object; nil where it is
// not written. It fails with windlass.Invalid when the revision is damaged.
func WriteEntry(revision windlass.Revision, object string) (*manifest.WriteObject, error) {
	content, err := planEntry(revision)
	if err != nil {
		return nil, err
	}
	return writeEntry(content, object), nil
}

func writeEntry(content manifest.Integration, object string) *manifest.WriteObject {
	if content.Write != nil {
		for i := range content.Write.Objects {
			if content.Write.Objects[i].ObjectName == object {
				return &content.Write.Objects[i]
			}
		}
	}
	return nil
}

// Plan says how records of the object become entries. It fails with
// windlass.Invalid where config and revision do not agree.
func (o ReadObject) Plan(entry manifest.ReadObject) (*mapping.Plan, error) {
	return mapping.Compile(o.selection(entry))
}

// MapsTo reports whether a name is one that the product gave to a field: records
// have it among their mapped fields, whatever the provider calls so.
func (o ReadObject) MapsTo(entry manifest.ReadObject, name string) bool {
	for _, f := range entry.RequiredFields {
		if f.MapToName == name && name != "" && f.FieldName != "" {
			return true
		}
	}
	for _, f := range entry.OptionalFields {
		if f.MapToName == name && name != "" && o.SelectedFields[f.FieldName] {
			return true
		}
	}
	for _, d := range o.DynamicMappingsInput {
		if d.MapToName == name && d.FieldName != "" {
			return true
		}
	}
	return o.SelectedFieldMappings[name] != ""
}

func (o ReadObject) selection(entry manifest.ReadObject) mapping.Selection {
	chosen := mapping.Selection{
		Object: entry, SelectedFields: o.SelectedFields, SelectedFieldsAuto: o.SelectedFieldsAuto,
		SelectedFieldMappings: o.SelectedFieldMappings, SelectedValueMappings: o.SelectedValueMappings,
	}
	for _, d := range o.DynamicMappingsInput {
		chosen.Dynamic = append(chosen.Dynamic, mapping.DynamicMapping{MapToName: d.MapToName, FieldName: d.FieldName})
	}
	return chosen
}

// WritePlan says how records of an object are written: by its own settings, and by the
// reversed read mapping where the revision says so. It fails with windlass.Invalid
// where config and revision do not agree.
func (c Config) WritePlan(revision windlass.Revision, object string) (*mapping.WritePlan, error) {
	content, err := planEntry(revision)
	if err != nil {
		return nil, err
	}
	write := writeEntry(content, object)
	read, _ := c.Reads(object)
	settings, _ := c.Writes(object)
	return mapping.CompileWrite(mapping.WriteSelection{
		Object: object, InheritMapping: write != nil && write.InheritMapping,
		Read: read.selection(readEntry(content, object)), Settings: settings.settings(),
	})
}

// settings are those of the fields, in the newer form.
func (o WriteObject) settings() map[string]mapping.Setting {
	settings := map[string]mapping.Setting{}
	for field, old := range o.SelectedValueDefaults {
		settings[field] = mapping.Setting{Default: constant(old.Value), DefaultOnCreateOnly: old.ApplyOnUpdate == "never"}
	}
	for field, given := range o.SelectedFieldSettings {
		one := mapping.Setting{OnCreate: mapping.Gate(given.WriteOnCreate), OnUpdate: mapping.Gate(given.WriteOnUpdate)}
		if d := given.Default; d != nil {
			one.Default = &mapping.Default{StringValue: d.StringValue, IntegerValue: d.IntegerValue, BooleanValue: d.BooleanValue}
		}
		settings[field] = one
	}
	return settings
}

// constant reads a default that is a string, a whole number or a boolean.
func constant(value json.RawMessage) *mapping.Default {
	var d mapping.Default
	switch {
	case json.Unmarshal(value, &d.StringValue) == nil:
	case json.Unmarshal(value, &d.IntegerValue) == nil:
		d.StringValue = nil
	case json.Unmarshal(value, &d.BooleanValue) == nil:
		d.StringValue, d.IntegerValue = nil, nil
	default:
		return nil
	}
	return &d
}
