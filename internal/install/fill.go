package install

import (
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
			c.Read.Objects[name] = object.Filled(config.FindRead(d.entry, name))
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
