package read

import (
	"encoding/json"
	"maps"
	"slices"

	"windlass"
	"windlass/internal/mapping"
	"windlass/manifest"
)

// config is what this package reads of an installation's config: the contract's
// names, filled in from the revision when it was saved.
type config struct {
	Read struct {
		Objects map[string]object `json:"objects"`
	} `json:"read"`
}

// object says how one object is read.
type object struct {
	Schedule              string                       `json:"schedule"`
	Disabled              bool                         `json:"disabled"`
	Destination           string                       `json:"destination"`
	SelectedFields        map[string]bool              `json:"selectedFields"`
	SelectedFieldsAuto    string                       `json:"selectedFieldsAuto"`
	SelectedFieldMappings map[string]string            `json:"selectedFieldMappings"`
	SelectedValueMappings map[string]map[string]string `json:"selectedValueMappings"`
	DynamicMappingsInput  []struct {
		MapToName string `json:"mapToName"`
		FieldName string `json:"fieldName"`
	} `json:"dynamicMappingsInput"`
	Backfill *struct {
		DefaultPeriod manifest.DefaultPeriod `json:"defaultPeriod"`
		FieldFilters  []fieldFilter          `json:"fieldFilters"`
	} `json:"backfill"`
	FieldFilters []fieldFilter `json:"fieldFilters"`
}

func parseConfig(content json.RawMessage) (config, error) {
	var c config
	if err := json.Unmarshal(content, &c); err != nil {
		return c, &windlass.Failure{
			Kind: windlass.Invalid, Op: "read the config", Message: "the installation's config cannot be read",
			Remedy: "save it again", Err: err,
		}
	}
	return c, nil
}

// names lists the objects that are not disabled.
func (c config) names() []string {
	enabled := slices.Collect(maps.Keys(c.Read.Objects))
	enabled = slices.DeleteFunc(enabled, func(name string) bool { return c.Read.Objects[name].Disabled })
	slices.Sort(enabled)
	return enabled
}

// entryOf returns what a revision says of an object; just its name where it does
// not have it any more.
func entryOf(revision windlass.Revision, name string) (manifest.ReadObject, error) {
	var entry manifest.Integration
	if err := json.Unmarshal(revision.Content, &entry); err != nil {
		return manifest.ReadObject{}, &windlass.Failure{
			Kind: windlass.Invalid, Op: "read the revision", Message: "the revision " + revision.ID + " cannot be read",
			Remedy: "deploy the integration again", Err: err,
		}
	}
	if entry.Read != nil {
		for i := range entry.Read.Objects {
			if entry.Read.Objects[i].ObjectName == name {
				return entry.Read.Objects[i], nil
			}
		}
	}
	return manifest.ReadObject{ObjectName: name}, nil
}

// plan says how records become entries.
func (o object) plan(entry manifest.ReadObject) (*mapping.Plan, error) {
	selection := mapping.Selection{
		Object: entry, SelectedFields: o.SelectedFields, SelectedFieldsAuto: o.SelectedFieldsAuto,
		SelectedFieldMappings: o.SelectedFieldMappings, SelectedValueMappings: o.SelectedValueMappings,
	}
	for _, d := range o.DynamicMappingsInput {
		selection.Dynamic = append(selection.Dynamic, mapping.DynamicMapping{MapToName: d.MapToName, FieldName: d.FieldName})
	}
	return mapping.Compile(selection)
}
