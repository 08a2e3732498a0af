package write

import (
	"encoding/json"

	"windlass"
	"windlass/internal/mapping"
	"windlass/manifest"
)

// config is what this package reads of an installation's config: the contract's
// names, filled in from the revision when it was saved.
type config struct {
	Read struct {
		Objects map[string]readObject `json:"objects"`
	} `json:"read"`
	Write struct {
		Objects map[string]object `json:"objects"`
	} `json:"write"`
}

// readObject is the mapping that a write object may inherit.
type readObject struct {
	SelectedFields        map[string]bool              `json:"selectedFields"`
	SelectedFieldsAuto    string                       `json:"selectedFieldsAuto"`
	SelectedFieldMappings map[string]string            `json:"selectedFieldMappings"`
	SelectedValueMappings map[string]map[string]string `json:"selectedValueMappings"`
	DynamicMappingsInput  []struct {
		MapToName string `json:"mapToName"`
		FieldName string `json:"fieldName"`
	} `json:"dynamicMappingsInput"`
}

// object says how one object is written.
type object struct {
	DeletionSettings *struct {
		Enabled bool `json:"enabled"`
	} `json:"deletionSettings"`
	SelectedFieldSettings map[string]fieldSetting `json:"selectedFieldSettings"`
	// SelectedValueDefaults is an older form of the above.
	SelectedValueDefaults map[string]struct {
		Value         json.RawMessage `json:"value"`
		ApplyOnUpdate string          `json:"applyOnUpdate"`
	} `json:"selectedValueDefaults"`
}

type fieldSetting struct {
	Default *struct {
		StringValue  *string `json:"stringValue"`
		IntegerValue *int64  `json:"integerValue"`
		BooleanValue *bool   `json:"booleanValue"`
	} `json:"default"`
	WriteOnCreate string `json:"writeOnCreate"`
	WriteOnUpdate string `json:"writeOnUpdate"`
}

func (o object) deletes() bool { return o.DeletionSettings != nil && o.DeletionSettings.Enabled }

func parseConfig(content json.RawMessage) (config, error) {
	var c config
	if err := json.Unmarshal(content, &c); err != nil {
		return c, &windlass.Failure{
			Kind: windlass.Invalid, Op: opWrite, Message: "the installation's config cannot be read", Remedy: "save it again", Err: err,
		}
	}
	return c, nil
}

// entries are what a revision says of an object: as one to write, and as one to
// read. write is nil where it is not to be written.
func entries(revision windlass.Revision, name string) (write *manifest.WriteObject, read manifest.ReadObject, err error) {
	var entry manifest.Integration
	if err := json.Unmarshal(revision.Content, &entry); err != nil {
		return nil, read, &windlass.Failure{
			Kind: windlass.Invalid, Op: opWrite, Message: "the revision " + revision.ID + " cannot be read",
			Remedy: "deploy the integration again", Err: err,
		}
	}
	read.ObjectName = name
	if entry.Read != nil {
		for i := range entry.Read.Objects {
			if entry.Read.Objects[i].ObjectName == name {
				read = entry.Read.Objects[i]
			}
		}
	}
	if entry.Write != nil {
		for i := range entry.Write.Objects {
			if entry.Write.Objects[i].ObjectName == name {
				write = &entry.Write.Objects[i]
			}
		}
	}
	return write, read, nil
}

// plan says how the records of an object are written.
func plan(c config, revision windlass.Revision, name string) (*mapping.WritePlan, error) {
	write, read, err := entries(revision, name)
	if err != nil {
		return nil, err
	}
	chosen := c.Read.Objects[name]
	selection := mapping.WriteSelection{
		Object: name, InheritMapping: write != nil && write.InheritMapping,
		Read: mapping.Selection{
			Object: read, SelectedFields: chosen.SelectedFields, SelectedFieldsAuto: chosen.SelectedFieldsAuto,
			SelectedFieldMappings: chosen.SelectedFieldMappings, SelectedValueMappings: chosen.SelectedValueMappings,
		},
		Settings: c.Write.Objects[name].settings(),
	}
	for _, d := range chosen.DynamicMappingsInput {
		selection.Read.Dynamic = append(selection.Read.Dynamic, mapping.DynamicMapping{MapToName: d.MapToName, FieldName: d.FieldName})
	}
	return mapping.CompileWrite(selection)
}

// settings are those of the fields, in the newer form.
func (o object) settings() map[string]mapping.Setting {
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

// constant reads a default that is any of the three.
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
