// Package config says what an installation's customer chose, in the published
// contract's shape, typed once for everything that reads, writes, checks or shows
// it.
//
// [Parse] reads what the store keeps. A saved config is complete: schedule,
// destination, backfill and required fields were filled in from the revision when
// it was saved, so most readers need no revision beside it. What a revision says
// of one object is [ReadEntry] and [WriteEntry]; [ReadObject.Plan] and
// [Config.WritePlan] compile the two into how records are mapped.
//
// The package does no I/O. Its values may be shared by goroutines that do not
// change them.
package config

import (
	"encoding/json"
	"maps"
	"slices"

	"windlass"
	"windlass/manifest"
)

// Config is the content of an installation's config.
type Config struct {
	Provider  string           `json:"provider,omitempty"`
	Read      *ReadConfig      `json:"read,omitempty"`
	Write     *WriteConfig     `json:"write,omitempty"`
	Subscribe *SubscribeConfig `json:"subscribe,omitempty"`
	Proxy     *ProxyConfig     `json:"proxy,omitempty"`
}

// Parse reads a config's content as the store keeps it, in
// windlass.Installation.Config.Content. It fails with windlass.Invalid when that
// is not a config.
func Parse(content json.RawMessage) (Config, error) {
	var c Config
	if err := json.Unmarshal(content, &c); err != nil {
		return c, &windlass.Error{
			Kind: windlass.Invalid, Op: "read the config", Message: "the installation's config cannot be read",
			Remedy: "save it again", Err: err,
		}
	}
	return c, nil
}

// Reads returns how an object is read; false when the config does not have it.
func (c Config) Reads(object string) (ReadObject, bool) {
	if c.Read == nil {
		return ReadObject{}, false
	}
	o, found := c.Read.Objects[object]
	return o, found
}

// Writes returns how an object is written; false when the config does not have
// it.
func (c Config) Writes(object string) (WriteObject, bool) {
	if c.Write == nil {
		return WriteObject{}, false
	}
	o, found := c.Write.Objects[object]
	return o, found
}

// ReadNames lists the objects that are read or disabled, by name.
func (c Config) ReadNames() []string {
	if c.Read == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.Read.Objects))
}

// EnabledNames lists the objects that are read and not disabled, by name.
func (c Config) EnabledNames() []string {
	return slices.DeleteFunc(c.ReadNames(), func(name string) bool { return c.Read.Objects[name].Disabled })
}

// WriteNames lists the objects that may be written, by name.
func (c Config) WriteNames() []string {
	if c.Write == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.Write.Objects))
}

// SendsTo reports whether a config names one of the destinations.
func (c Config) SendsTo(destinations []string) bool {
	if c.Read != nil {
		for _, o := range c.Read.Objects {
			if slices.Contains(destinations, o.Destination) {
				return true
			}
		}
	}
	if c.Subscribe != nil {
		for _, o := range c.Subscribe.Objects {
			if slices.Contains(destinations, o.Destination) {
				return true
			}
		}
	}
	return false
}

// ReadConfig holds the objects that are read, by name.
type ReadConfig struct {
	Objects map[string]ReadObject `json:"objects,omitempty"`
}

// ReadObject says how one object is read.
type ReadObject struct {
	ObjectName string `json:"objectName"`
	// Schedule is a cron expression; empty: only when asked for.
	Schedule string `json:"schedule,omitempty"`
	// Disabled: neither by schedule nor when asked for.
	Disabled bool `json:"disabled,omitempty"`
	// Destination is the id or the name of a destination.
	Destination string `json:"destination,omitempty"`
	// SelectedFields has the fields that are read under their own names. It is
	// written even when it is empty, as are the mappings: clients look into both.
	SelectedFields map[string]bool `json:"selectedFields"`
	// SelectedFieldsAuto is empty or [manifest.All].
	SelectedFieldsAuto string `json:"selectedFieldsAuto,omitempty"`
	// SelectedFieldMappings maps mapToName to the field.
	SelectedFieldMappings map[string]string `json:"selectedFieldMappings"`
	// SelectedValueMappings maps a field to its values: from the delivered value to the
	// provider's.
	SelectedValueMappings map[string]map[string]string `json:"selectedValueMappings,omitempty"`
	DynamicMappingsInput  []DynamicMapping             `json:"dynamicMappingsInput,omitempty"`
	Backfill              *Backfill                    `json:"backfill,omitempty"`
	FieldFilters          []Filter                     `json:"fieldFilters,omitempty"`
}

// DynamicMapping is a mapping that the product offers to one customer, in addition to
// those of the manifest.
type DynamicMapping struct {
	MapToName        string        `json:"mapToName"`
	MapToDisplayName string        `json:"mapToDisplayName,omitempty"`
	Prompt           string        `json:"prompt,omitempty"`
	MappedValues     []MappedValue `json:"mappedValues,omitempty"`
	// FieldName, where it is given, leaves the customer no choice.
	FieldName string `json:"fieldName,omitempty"`
}

// MappedValue is one of the product's values that the customer's are mapped to.
type MappedValue struct {
	MappedValue        string `json:"mappedValue"`
	MappedDisplayValue string `json:"mappedDisplayValue"`
}

// Backfill says how much of the past is read at first.
type Backfill struct {
	DefaultPeriod manifest.DefaultPeriod `json:"defaultPeriod"`
	FieldFilters  []Filter               `json:"fieldFilters,omitempty"`
}

// Filter lets only those records through whose field has the value.
type Filter struct {
	FieldName string `json:"fieldName"`
	Operator  string `json:"operator"` // eq
	// Value is a string, a boolean or a number.
	Value json.RawMessage `json:"value,omitempty"`
}

// Filters are those that a record has to pass; a backfill has its own on top.
func (o ReadObject) Filters(backfill bool) []Filter {
	all := o.FieldFilters
	if backfill && o.Backfill != nil {
		all = append(slices.Clip(all), o.Backfill.FieldFilters...)
	}
	return all
}

// WriteConfig holds the objects that may be written, by name.
type WriteConfig struct {
	Objects map[string]WriteObject `json:"objects,omitempty"`
}

// WriteObject says how one object is written.
type WriteObject struct {
	ObjectName            string                  `json:"objectName"`
	DeletionSettings      *DeletionSettings       `json:"deletionSettings,omitempty"`
	SelectedFieldSettings map[string]FieldSetting `json:"selectedFieldSettings,omitempty"`
	// SelectedValueDefaults is what clients of before SelectedFieldSettings send.
	SelectedValueDefaults map[string]ValueDefault `json:"selectedValueDefaults,omitempty"`
}

// Deletes reports whether records of the object may be deleted.
func (o WriteObject) Deletes() bool { return o.DeletionSettings != nil && o.DeletionSettings.Enabled }

// DeletionSettings says whether records may be deleted.
type DeletionSettings struct {
	Enabled bool `json:"enabled"`
}

// FieldSetting says what is written to a field, and when.
type FieldSetting struct {
	Default *DefaultValue `json:"default,omitempty"`
	// WriteOnCreate is always or never; empty is always.
	WriteOnCreate string `json:"writeOnCreate,omitempty"`
	// WriteOnUpdate is always, never or ifEmpty; empty is always.
	WriteOnUpdate string `json:"writeOnUpdate,omitempty"`
}

// DefaultValue is a value for a field that a record does not have. One of the
// three is set.
type DefaultValue struct {
	StringValue  *string `json:"stringValue,omitempty"`
	IntegerValue *int64  `json:"integerValue,omitempty"`
	BooleanValue *bool   `json:"booleanValue,omitempty"`
}

// ValueDefault is an older form of [DefaultValue].
type ValueDefault struct {
	Value json.RawMessage `json:"value"` // a string, a whole number or a boolean
	// ApplyOnUpdate is always or never; empty is always.
	ApplyOnUpdate string `json:"applyOnUpdate,omitempty"`
}

// SubscribeConfig holds the objects whose changes are followed, by name.
type SubscribeConfig struct {
	Objects map[string]SubscribeObject `json:"objects,omitempty"`
}

// SubscribeObject says which changes of one object are followed.
type SubscribeObject struct {
	ObjectName  string `json:"objectName"`
	Destination string `json:"destination"`
	// InheritFieldsAndMappings takes both from the read object.
	InheritFieldsAndMappings bool            `json:"inheritFieldsAndMappings"`
	CreateEvent              json.RawMessage `json:"createEvent,omitempty"`
	UpdateEvent              json.RawMessage `json:"updateEvent,omitempty"`
	DeleteEvent              json.RawMessage `json:"deleteEvent,omitempty"`
	OtherEvents              json.RawMessage `json:"otherEvents,omitempty"`
	ProviderOptions          json.RawMessage `json:"providerOptions,omitempty"`
}

// ProxyConfig says whether the product may call the provider's API.
type ProxyConfig struct {
	Enabled bool `json:"enabled"`
}
