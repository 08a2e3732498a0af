package install

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/fields"
	"windlass/internal/input"
	"windlass/manifest"
)

// check checks a filled config against the revision, the fields of the customer's
// workspace, and the destinations. It returns only errors of the store; errors of the
// config become issues.
func (d *draft) check(ctx context.Context) error {
	c := &d.config
	if c.Provider != d.entry.Provider {
		d.Addf(input.Within(d.at, "provider"), "is %q, and the integration's is %s", input.Shorten(c.Provider), d.entry.Provider)
	}
	if c.Read != nil {
		for name := range input.UntilFull(&d.Issues, c.Read.Objects) {
			if err := d.checkRead(ctx, name, c.Read.Objects[name]); err != nil {
				return err
			}
		}
	}
	if c.Write != nil {
		for name := range input.UntilFull(&d.Issues, c.Write.Objects) {
			d.checkWrite(name, c.Write.Objects[name])
		}
	}
	if c.Subscribe != nil {
		for name := range input.UntilFull(&d.Issues, c.Subscribe.Objects) {
			if err := d.checkSubscribe(ctx, name, c.Subscribe.Objects[name]); err != nil {
				return err
			}
		}
	}
	if c.Proxy != nil && c.Proxy.Enabled && (d.entry.Proxy == nil || !d.entry.Proxy.Enabled) {
		d.Addf(input.Within(d.at, "proxy.enabled"), "is true, and the integration has no proxy: add it to the manifest first")
	}
	return nil
}

// checkName checks an object's key against its objectName and the revision's objects of
// the action.
func (d *draft) checkName(key, objectName, action, at string, names []string) bool {
	if key != objectName {
		d.Addf(input.Within(at, "objectName"), "is %q, but its key is %q: both must be the object's name", input.Shorten(objectName), input.Shorten(key))
		return false
	}
	if slices.Contains(names, key) {
		return true
	}
	if len(names) == 0 {
		d.Addf(at, "the integration has no object to %s: add it to the manifest first", action)
	} else {
		d.Addf(at, "the integration does not %s %q: %s", action, input.Shorten(key), input.Suggest(key, names, "it has "+input.FirstFew(names)))
	}
	return false
}

// had reports whether an object was in the config before, and disabled.
func (d *draft) had(name string) bool {
	o, found := d.before.Reads(name)
	return found && o.Disabled
}

func (d *draft) checkRead(ctx context.Context, name string, o config.ReadObject) error {
	at := input.Within(d.at, "read.objects."+name)
	var names []string
	if d.entry.Read != nil {
		for i := range d.entry.Read.Objects {
			names = append(names, d.entry.Read.Objects[i].ObjectName)
		}
	}
	if o.Disabled && d.had(name) && !slices.Contains(names, name) {
		return nil // a deploy took it out of the manifest
	}
	if !d.checkName(name, o.ObjectName, "read", at, names) {
		return nil
	}
	if o.Schedule != "" {
		d.checkSchedule(o.Schedule, input.Within(at, "schedule"))
	}
	if o.SelectedFieldsAuto != "" && o.SelectedFieldsAuto != manifest.All {
		d.Addf(input.Within(at, "selectedFieldsAuto"), "%q has no meaning: write %s, or leave it out", input.Shorten(o.SelectedFieldsAuto), manifest.All)
	}
	t := d.fields(name)
	for field := range input.UntilFull(&d.Issues, o.SelectedFields) {
		if wrong := t.Wrong(field); wrong != "" && o.SelectedFields[field] {
			d.Addf(input.Within(at, "selectedFields."+input.Shorten(field)), "%s", wrong)
		}
	}
	d.checkMappings(o, config.FindRead(d.entry, name), t, at)
	d.checkValues(o, t, at)
	if o.Backfill != nil {
		d.checkBackfill(*o.Backfill, t, input.Within(at, "backfill"))
	}
	d.checkFilters(o.FieldFilters, t, input.Within(at, "fieldFilters"))
	return d.checkDestinationName(ctx, o.Destination, input.Within(at, "destination"))
}

func (d *draft) checkSchedule(text, at string) {
	schedule, err := manifest.ParseSchedule(text)
	if err == nil {
		err = schedule.AtLeast(manifest.ShortestGap)
	}
	if wrong, found := errors.AsType[*manifest.ScheduleError](err); found {
		d.Addf(at, "%s: %s", wrong.Message, wrong.Remedy)
	}
}

func (d *draft) checkBackfill(b config.Backfill, t *fields.Table, at string) {
	period := input.Within(at, "defaultPeriod")
	switch p := b.DefaultPeriod; {
	case p.Days != nil && p.FullHistory:
		d.Addf(period, "has both days and fullHistory: keep one of the two")
	case p.Days == nil && !p.FullHistory:
		d.Addf(period, "has neither days nor fullHistory: write one of the two")
	case p.Days != nil && *p.Days < 0:
		d.Addf(input.Within(period, "days"), "is %d: write 0 for no backfill, or how many days to go back", *p.Days)
	}
	d.checkFilters(b.FieldFilters, t, input.Within(at, "fieldFilters"))
}

func (d *draft) checkFilters(filters []config.Filter, t *fields.Table, at string) {
	seen := map[string]bool{}
	for i, filter := range filters {
		if d.Full() {
			return
		}
		at := item(at, i)
		if d.Need(filter.FieldName, input.Within(at, "fieldName")) {
			if wrong := t.Wrong(filter.FieldName); wrong != "" {
				d.Addf(input.Within(at, "fieldName"), "%s", wrong)
			}
			if seen[filter.FieldName] {
				d.Addf(input.Within(at, "fieldName"), "%q has a filter already, and can have one only", input.Shorten(filter.FieldName))
			}
			seen[filter.FieldName] = true
		}
		if d.Need(filter.Operator, input.Within(at, "operator")) && filter.Operator != "eq" {
			d.Addf(input.Within(at, "operator"), "%q is not supported: write eq", input.Shorten(filter.Operator))
		}
		if !isScalar(filter.Value) {
			d.Addf(input.Within(at, "value"), "is missing, or is not a string, a number or a boolean")
		}
	}
}

// isScalar reports whether a value is a text, a number or a boolean.
func isScalar(text json.RawMessage) bool {
	value, err := input.Anything(text)
	if err != nil {
		return false
	}
	switch value.(type) {
	case string, bool, json.Number:
		return true
	default:
		return false
	}
}

// checkDestinationName adds an issue when there is no such destination.
func (d *draft) checkDestinationName(ctx context.Context, name, at string) error {
	if name == "" {
		d.Addf(at, "is missing: name where the records go")
		return nil
	}
	_, err := d.store.Destination(ctx, d.projectID, name)
	if !errors.Is(err, windlass.NotFound) {
		return err
	}
	all, err := d.store.Destinations(ctx, d.projectID, windlass.Page{})
	if err != nil {
		return err
	}
	names := make([]string, 0, len(all))
	for i := range all {
		names = append(names, all[i].Name)
	}
	d.Addf(at, "there is no destination %q: %s", input.Shorten(name), input.Suggest(name, names, "create it first"))
	return nil
}
