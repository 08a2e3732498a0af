package install

import (
	"maps"
	"reflect"

	"windlass/internal/config"
	"windlass/manifest"
)

// fill completes a config from the revision: its schedules,
// destinations and backfills where the config has none, the fields that every
// customer's records are read with, and the objects that are always read.
func (d *draft) fill() {
	c := &d.config
	if c.Provider == "" {
		c.Provider = d.entry.Provider
	}
	d.addAlwaysRead()
	if c.Read != nil {
		for name, object := range c.Read.Objects {
			if object.ObjectName == "" {
				object.ObjectName = name
			}
			c.Read.Objects[name] = filled(object, readEntry(d.entry, name))
		}
	}
	if c.Write != nil {
		for name, object := range c.Write.Objects {
			if object.ObjectName == "" {
				object.ObjectName = name
				c.Write.Objects[name] = object
			}
		}
	}
	if c.Subscribe != nil {
		for name, object := range c.Subscribe.Objects {
			c.Subscribe.Objects[name] = d.filledSubscribe(name, object)
		}
	}
	if c.Proxy == nil && d.entry.Proxy != nil && d.entry.Proxy.Enabled {
		c.Proxy = &config.ProxyConfig{Enabled: true}
	}
}

// addAlwaysRead adds the objects that are read for every customer.
func (d *draft) addAlwaysRead() {
	if d.entry.Read == nil {
		return
	}
	for i := range d.entry.Read.Objects {
		o := &d.entry.Read.Objects[i]
		if o.Enabled != manifest.Always {
			continue
		}
		if d.config.Read == nil {
			d.config.Read = &config.ReadConfig{}
		}
		if d.config.Read.Objects == nil {
			d.config.Read.Objects = map[string]config.ReadObject{}
		}
		if _, there := d.config.Read.Objects[o.ObjectName]; !there {
			d.config.Read.Objects[o.ObjectName] = config.ReadObject{ObjectName: o.ObjectName}
		}
	}
}

// filled completes one object. in is nil where the revision does not have it.
func filled(o config.ReadObject, in *manifest.ReadObject) config.ReadObject {
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
	maps.DeleteFunc(o.SelectedFieldMappings, func(_, from string) bool { return from == "" }) // a choice that was removed
	return o
}

func (d *draft) filledSubscribe(name string, o config.SubscribeObject) config.SubscribeObject {
	if o.ObjectName == "" {
		o.ObjectName = name
	}
	if in := subscribeEntry(d.entry, name); in != nil {
		if o.Destination == "" {
			o.Destination = in.Destination
		}
		o.InheritFieldsAndMappings = o.InheritFieldsAndMappings || in.InheritFieldsAndMapping
	}
	return o
}

// follow prepares a config for another revision: values that equal those of its
// revision are replaced by those of the new one. Disabled objects that the new one
// lacks stay, in case a later one has them.
func follow(c *config.Config, before, after manifest.Integration) {
	if c.Read == nil {
		return
	}
	for name, o := range c.Read.Objects {
		old, now := readEntry(before, name), readEntry(after, name)
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
func backfillOf(in *manifest.ReadObject) *config.Backfill {
	if in.Backfill == nil {
		return nil
	}
	return &config.Backfill{DefaultPeriod: in.Backfill.DefaultPeriod}
}

func subscribeEntry(entry manifest.Integration, object string) *manifest.SubscribeObject {
	if entry.Subscribe == nil {
		return nil
	}
	for i := range entry.Subscribe.Objects {
		if entry.Subscribe.Objects[i].ObjectName == object {
			return &entry.Subscribe.Objects[i]
		}
	}
	return nil
}
