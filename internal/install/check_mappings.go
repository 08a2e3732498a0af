package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"windlass/internal/config"
	"windlass/manifest"
)

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// checkMappings checks that each mapping is one that the manifest or the product
// offers, that each one that must be made is, and that no two end in one place.
func (d *draft) checkMappings(o config.ReadObject, in *manifest.ReadObject, t *fieldTable, at string) {
	offered := map[string]bool{}
	for _, list := range [][]manifest.Field{in.RequiredFields, in.OptionalFields} {
		for _, field := range list {
			offered[field.MapToName] = true
		}
	}
	dynamic := map[string]bool{}
	for i, mapping := range o.DynamicMappingsInput {
		if d.full() {
			return
		}
		at := item(within(at, "dynamicMappingsInput"), i)
		if !d.need(mapping.MapToName, within(at, "mapToName")) {
			continue
		}
		if offered[mapping.MapToName] || dynamic[mapping.MapToName] {
			d.addf(within(at, "mapToName"), "%q is offered already", shorten(mapping.MapToName))
		}
		dynamic[mapping.MapToName] = true
	}
	for _, field := range in.RequiredFields {
		if field.FieldName == "" && o.SelectedFieldMappings[field.MapToName] == "" {
			d.addf(within(at, "selectedFieldMappings."+field.MapToName), "is missing: say which field of the customer's it is")
		}
	}
	for to := range untilFull(&d.issues, o.SelectedFieldMappings) {
		at := within(at, "selectedFieldMappings."+shorten(to))
		if !offered[to] && !dynamic[to] {
			d.addf(at, "is offered neither by the manifest nor in dynamicMappingsInput, as a mapToName")
			continue
		}
		if wrong := targetError(to); wrong != "" {
			d.addf(at, "%s", wrong)
		}
		if from := o.SelectedFieldMappings[to]; from != "" {
			if wrong := t.wrong(from); wrong != "" {
				d.addf(at, "%s", wrong)
			}
		}
	}
	d.checkOverlaps(sortedKeys(o.SelectedFieldMappings), within(at, "selectedFieldMappings"))
}

// targetError returns the error of a target name, or nothing.
func targetError(name string) string {
	route, err := manifest.ParsePath(name)
	if bad, found := errors.AsType[*manifest.PathError](err); found {
		return bad.Error()
	}
	if slices.ContainsFunc(route, func(s manifest.Step) bool { return s.Every }) {
		return "names more than one place: replace [*] by a key"
	}
	return ""
}

// checkOverlaps finds targets that are inside others.
func (d *draft) checkOverlaps(targets []string, at string) {
	whole := map[string]string{}
	for _, name := range targets {
		if route, err := manifest.ParsePath(name); err == nil {
			if other, taken := whole[route.String()]; taken {
				d.addf(within(at, shorten(name)), "is the same place as %q", shorten(other))
			}
			whole[route.String()] = name
		}
	}
	for _, name := range targets {
		route, err := manifest.ParsePath(name)
		if err != nil {
			continue
		}
		for i := 1; i < len(route); i++ {
			if other, taken := whole[route[:i].String()]; taken {
				d.addf(within(at, shorten(name)), "is inside %q, which another field is mapped to", shorten(other))
			}
		}
	}
}

// checkValues checks the mappings of values, which must be reversible: a record
// that is written is mapped back.
func (d *draft) checkValues(o config.ReadObject, t *fieldTable, at string) {
	for field := range untilFull(&d.issues, o.SelectedValueMappings) {
		at := within(at, "selectedValueMappings."+shorten(field))
		if _, mapped := o.SelectedFieldMappings[field]; !mapped {
			if wrong := t.wrong(field); wrong != "" {
				d.addf(at, "%s", wrong)
			}
		}
		from := map[string]string{}
		values := o.SelectedValueMappings[field]
		for to := range untilFull(&d.issues, values) {
			if other, twice := from[values[to]]; twice {
				d.addf(within(at, shorten(to)), "stands for %q, and so does %q: which one is delivered?", shorten(values[to]), shorten(other))
			}
			from[values[to]] = to
		}
	}
}

func (d *draft) checkWrite(name string, o config.WriteObject) {
	at := within(d.at, "write.objects."+name)
	var names []string
	if d.entry.Write != nil {
		for _, o := range d.entry.Write.Objects {
			names = append(names, o.ObjectName)
		}
	}
	if !d.checkName(name, o.ObjectName, "write", at, names) {
		return
	}
	t := d.fields(name)
	for field := range untilFull(&d.issues, o.SelectedFieldSettings) {
		at := within(at, "selectedFieldSettings."+shorten(field))
		setting := o.SelectedFieldSettings[field]
		d.checkWritable(t, field, at)
		d.checkWord(setting.WriteOnCreate, within(at, "writeOnCreate"), "always", "never")
		d.checkWord(setting.WriteOnUpdate, within(at, "writeOnUpdate"), "always", "never", "ifEmpty")
		if value := setting.Default; value != nil {
			set := 0
			for _, has := range []bool{value.StringValue != nil, value.IntegerValue != nil, value.BooleanValue != nil} {
				if has {
					set++
				}
			}
			if set != 1 {
				d.addf(within(at, "default"), "has %d values: write one of stringValue, integerValue and booleanValue", set)
			}
		}
	}
	for field := range untilFull(&d.issues, o.SelectedValueDefaults) {
		at := within(at, "selectedValueDefaults."+shorten(field))
		value := o.SelectedValueDefaults[field]
		d.checkWritable(t, field, at)
		d.checkWord(value.ApplyOnUpdate, within(at, "applyOnUpdate"), "always", "never")
		if number := json.Number(value.Value); !isScalar(value.Value) || strings.ContainsAny(number.String(), ".eE") && value.Value[0] != '"' && value.Value[0] != 't' && value.Value[0] != 'f' {
			d.addf(within(at, "value"), "is missing, or is not a string, an integer or a boolean")
		}
	}
}

// checkWritable checks that a write can set a field.
func (d *draft) checkWritable(t *fieldTable, name, at string) {
	if t == nil {
		return
	}
	route, err := manifest.ParsePath(name)
	if bad, found := errors.AsType[*manifest.PathError](err); found {
		d.addf(at, "%s", bad.Error())
		return
	}
	field, found := t.named[route.String()]
	switch {
	case !found && !route.Nested():
		d.addf(at, "%s", t.unknown(name))
	case found && field.ReadOnly:
		d.addf(at, "%q cannot be written", shorten(name))
	}
}

func (d *draft) checkWord(value, at string, words ...string) {
	if value != "" && !slices.Contains(words, value) {
		d.addf(at, "%q has no meaning: write %s, or leave it out", shorten(value), strings.Join(words, ", "))
	}
}

func (d *draft) checkSubscribe(ctx context.Context, name string, o config.SubscribeObject) error {
	at := within(d.at, "subscribe.objects."+name)
	var names []string
	if d.entry.Subscribe != nil {
		for i := range d.entry.Subscribe.Objects {
			names = append(names, d.entry.Subscribe.Objects[i].ObjectName)
		}
	}
	if !d.checkName(name, o.ObjectName, "subscribe to", at, names) {
		return nil
	}
	if o.InheritFieldsAndMappings {
		if d.config.Read == nil || d.config.Read.Objects[name].ObjectName == "" {
			d.addf(within(at, spelling), "is true, and %q is not read: there is nothing to inherit from", name)
		}
	}
	return d.checkDestinationName(ctx, o.Destination, within(at, "destination"))
}
