package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"windlass"
	"windlass/manifest"
)

// Entry reads a revision's content. It fails with windlass.Internal when what is
// stored is damaged.
func Entry(r windlass.Revision) (manifest.Integration, error) {
	var entry manifest.Integration
	if len(r.Content) == 0 {
		return entry, nil
	}
	if err := json.Unmarshal(r.Content, &entry); err != nil {
		return entry, &windlass.Error{Kind: windlass.Internal, Op: "read revision " + r.ID, Message: "its stored content is damaged", Err: err}
	}
	return entry, nil
}

// FindRead finds an object that an integration reads; nil where it does not.
func FindRead(entry manifest.Integration, object string) *manifest.ReadObject {
	if entry.Read == nil {
		return nil
	}
	for i := range entry.Read.Objects {
		if entry.Read.Objects[i].ObjectName == object {
			return &entry.Read.Objects[i]
		}
	}
	return nil
}

// Lacks reports whether an entry has not all objects that a config reads.
func Lacks(entry manifest.Integration, c Config) bool {
	return slices.ContainsFunc(c.EnabledNames(), func(o string) bool { return FindRead(entry, o) == nil })
}

// Destinations lists the destinations that an entry names.
func Destinations(entry manifest.Integration) []string {
	var names []string
	if entry.Read != nil {
		for i := range entry.Read.Objects {
			names = append(names, entry.Read.Objects[i].Destination)
		}
	}
	if entry.Subscribe != nil {
		for i := range entry.Subscribe.Objects {
			names = append(names, entry.Subscribe.Objects[i].Destination)
		}
	}
	if entry.WatchSchema != nil {
		names = append(names, entry.WatchSchema.Destination)
	}
	return names
}

// Filled completes one object with what a revision says of it: its schedule,
// destination and backfill where it has none, and the fields that every customer's
// records are read with. in is nil where the revision does not have the object.
func (o ReadObject) Filled(in *manifest.ReadObject) ReadObject {
	if o.SelectedFields == nil {
		o.SelectedFields = map[string]bool{}
	}
	if o.SelectedFieldMappings == nil {
		o.SelectedFieldMappings = map[string]string{}
	}
	if in == nil {
		return o
	}
	if o.Schedule == "" {
		o.Schedule = in.Schedule
	}
	if o.Destination == "" {
		o.Destination = in.Destination
	}
	if o.Backfill == nil {
		o.Backfill = backfillOf(in)
	}
	for _, field := range in.RequiredFields {
		switch {
		case field.MapToName == "":
			o.SelectedFields[field.FieldName] = true
		case field.FieldName != "":
			o.SelectedFieldMappings[field.MapToName] = field.FieldName
		case field.Default != "" && o.SelectedFieldMappings[field.MapToName] == "":
			o.SelectedFieldMappings[field.MapToName] = field.Default
		}
	}
	for _, field := range in.OptionalFields {
		chosen := o.SelectedFields[field.FieldName] || o.SelectedFieldsAuto == manifest.All
		if field.FieldName != "" && field.MapToName != "" && chosen {
			o.SelectedFieldMappings[field.MapToName] = field.FieldName
		}
	}
	for _, mapping := range o.DynamicMappingsInput {
		if mapping.FieldName != "" && mapping.MapToName != "" {
			o.SelectedFieldMappings[mapping.MapToName] = mapping.FieldName
		}
	}
	maps.DeleteFunc(o.SelectedFieldMappings, func(_, from string) bool { return from == "" }) // a choice that was taken back
	return o
}

// Follow prepares a config for another revision: what says the same as the one
// it was made with says what the new one says. Objects that are disabled because
// the new one does not have them stay, in case that a later one does.
func (c *Config) Follow(before, after manifest.Integration) {
	if c.Read == nil {
		return
	}
	for name, o := range c.Read.Objects {
		old, now := FindRead(before, name), FindRead(after, name)
		if old == nil || now == nil {
			continue
		}
		if o.Schedule == old.Schedule {
			o.Schedule = now.Schedule
		}
		if o.Destination == old.Destination {
			o.Destination = now.Destination
		}
		if reflect.DeepEqual(o.Backfill, backfillOf(old)) {
			o.Backfill = backfillOf(now)
		}
		c.Read.Objects[name] = o
	}
}

// backfillOf returns the backfill that a manifest's object has.
func backfillOf(in *manifest.ReadObject) *Backfill {
	if in.Backfill == nil {
		return nil
	}
	return &Backfill{DefaultPeriod: in.Backfill.DefaultPeriod}
}
