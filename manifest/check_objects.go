package manifest

import (
	"errors"
	"fmt"
	"time"
)

const (
	// ShortestGap is the least time between two runs of an object's schedule.
	ShortestGap = 10 * time.Minute
	// ShortestWatchGap is the least time between two comparisons of fields.
	ShortestWatchGap = time.Hour
)

const (
	minPageSize = 50
	maxPageSize = 500
)

const addObject = `list at least one under "objects:", as in "- objectName: repositories"`

func (c checker) read(in *Integration, path string) {
	list := within(path, "objects")
	if len(in.Read.Objects) == 0 {
		c.add(list, "read has no object", addObject)
	}
	names := unique{checker: c, what: "object"}
	for i := range in.Read.Objects {
		c.readObject(in.Provider, &in.Read.Objects[i], item(list, i))
		names.add(in.Read.Objects[i].ObjectName, within(item(list, i), "objectName"))
	}
}

func (c checker) readObject(provider string, o *ReadObject, path string) {
	c.object(provider, o.ObjectName, path)
	c.need(o.Destination, within(path, "destination"), `name where its records go, as in "destination: myWebhook"`)
	if o.Schedule != "" {
		c.schedule(o.Schedule, within(path, "schedule"), ShortestGap)
	}
	c.fields(provider, o, path)
	c.oneOf(o.OptionalFieldsAuto, within(path, "optionalFieldsAuto"), All)
	if o.Backfill != nil {
		c.backfill(o.Backfill.DefaultPeriod, within(path, "backfill.defaultPeriod"))
	}
	if o.Delivery != nil {
		c.delivery(o.Delivery, within(path, "delivery"))
	}
	c.enabled(o, path)
}

// object checks the name of an object, whatever is done with it.
func (c checker) object(provider, name, path string) {
	path = within(path, "objectName")
	if c.need(name, path, `name the object, as in "objectName: repositories"`) && c.opts.Objects != nil {
		c.known(name, c.opts.Objects(provider), path, "object")
	}
}

func (c checker) schedule(text, path string, shortest time.Duration) {
	schedule, err := ParseSchedule(text)
	if err == nil {
		err = schedule.AtLeast(shortest)
	}
	if wrong, found := errors.AsType[*ScheduleError](err); found {
		c.add(path, wrong.Message, wrong.Remedy)
	}
}

func (c checker) backfill(p DefaultPeriod, path string) {
	days := within(path, "days")
	switch {
	case c.spoilt[days] || c.spoilt[within(path, "fullHistory")]:
	case p.Days != nil && p.FullHistory:
		c.add(path, "defaultPeriod has both days and fullHistory", "keep one of the two")
	case p.Days == nil && !p.FullHistory:
		c.add(path, "defaultPeriod has neither days nor fullHistory", `write "days: 30", or "fullHistory: true"`)
	case p.Days != nil && *p.Days < 0:
		c.add(days, fmt.Sprintf("days is %d", *p.Days), "write 0 for no backfill, or how many days to go back")
	}
}

func (c checker) delivery(d *Delivery, path string) {
	c.oneOf(d.Mode, within(path, "mode"), DeliverAuto, DeliverOnRequest)
	size := within(path, "pageSize")
	if (d.PageSize != 0 || c.has(size)) && (d.PageSize < minPageSize || d.PageSize > maxPageSize) {
		c.add(size, fmt.Sprintf("pageSize is %d", d.PageSize), fmt.Sprintf("write %d to %d", minPageSize, maxPageSize))
	}
}

// enabled checks that what is read without a customer's choice needs none.
func (c checker) enabled(o *ReadObject, path string) {
	at := within(path, "enabled")
	c.oneOf(o.Enabled, at, Always)
	if o.Enabled != Always {
		return
	}
	if o.Schedule == "" && !c.spoilt[within(path, "schedule")] {
		c.add(at, `"enabled: always" needs a schedule`, `add one, as in schedule: "0 * * * *"`)
	}
	if c.spoilt[within(path, "requiredFields")] {
		return
	}
	if len(o.RequiredFields) == 0 {
		c.add(at, `"enabled: always" needs requiredFields`, "list the fields that every customer's records are read with")
	}
	for i, field := range o.RequiredFields {
		if field.MapToName != "" {
			c.add(within(item(within(path, "requiredFields"), i), "mapToName"),
				`with "enabled: always" a required field cannot have mapToName`, "remove mapToName: no customer is asked for a mapping")
		}
	}
}

func (c checker) write(in *Integration, path string) {
	list := within(path, "objects")
	if len(in.Write.Objects) == 0 {
		c.add(list, "write has no object", addObject)
	}
	names := unique{checker: c, what: "object"}
	for i := range in.Write.Objects {
		c.object(in.Provider, in.Write.Objects[i].ObjectName, item(list, i))
		names.add(in.Write.Objects[i].ObjectName, within(item(list, i), "objectName"))
	}
}

func (c checker) subscribe(in *Integration, path string) {
	list := within(path, "objects")
	if len(in.Subscribe.Objects) == 0 {
		c.add(list, "subscribe has no object", addObject)
	}
	names := unique{checker: c, what: "object"}
	for i := range in.Subscribe.Objects {
		o, at := &in.Subscribe.Objects[i], item(list, i)
		c.object(in.Provider, o.ObjectName, at)
		c.need(o.Destination, within(at, "destination"), `name where its changes go, as in "destination: myWebhook"`)
		c.events(o, at)
		names.add(o.ObjectName, within(at, "objectName"))
	}
}

func (c checker) events(o *SubscribeObject, path string) {
	if o.CreateEvent != nil {
		c.oneOf(o.CreateEvent.Enabled, within(path, "createEvent.enabled"), Always)
	}
	if o.UpdateEvent != nil {
		c.oneOf(o.UpdateEvent.Enabled, within(path, "updateEvent.enabled"), Always)
		c.oneOf(o.UpdateEvent.WatchFieldsAuto, within(path, "updateEvent.watchFieldsAuto"), All, Selected)
	}
	if o.DeleteEvent != nil {
		c.oneOf(o.DeleteEvent.Enabled, within(path, "deleteEvent.enabled"), Always)
	}
	if o.AssociationChangeEvent != nil {
		c.oneOf(o.AssociationChangeEvent.Enabled, within(path, "associationChangeEvent.enabled"), Always)
	}
}

func (c checker) watchSchema(w *WatchSchema, path string) {
	c.need(w.Destination, within(path, "destination"), `name where changes of fields are reported, as in "destination: myWebhook"`)
	if w.Schedule != "" {
		c.schedule(w.Schedule, within(path, "schedule"), ShortestWatchGap)
	}
	all := within(path, "allObjects")
	if w.AllObjects == (WatchAllObjects{}) {
		c.add(all, "watchSchema watches nothing", "list fieldCreated, fieldDeleted or fieldChanged under allObjects")
	}
	for _, event := range []struct {
		name  string
		event *WatchEvent
	}{
		{"fieldCreated", w.AllObjects.FieldCreated},
		{"fieldDeleted", w.AllObjects.FieldDeleted},
		{"fieldChanged", w.AllObjects.FieldChanged},
	} {
		at := within(within(all, event.name), "enabled")
		if event.event != nil && c.need(event.event.Enabled, at, `write "enabled: always"`) {
			c.oneOf(event.event.Enabled, at, Always)
		}
	}
}
