package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windlass/internal/config"
	"windlass/internal/fields"
	"windlass/internal/input"
	"windlass/manifest"
)

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// checkMappings checks that each mapping is one that the manifest or the product
// offers, that each one that must be made is, and that no two end in one place.
func (d *draft) checkMappings(o config.ReadObject, in *manifest.ReadObject, t *fields.Table, at string) {
	offered := map[string]bool{}
	for _, list := range [][]manifest.Field{in.RequiredFields, in.OptionalFields} {
		for _, field := range list {
			offered[field.MapToName] = true
		}
	}
	dynamic := map[string]bool{}
	for i, mapping := range o.DynamicMappingsInput {
		if d.Full() {
			return
		}
		at := item(input.Within(at, "dynamicMappingsInput"), i)
		if !d.Need(mapping.MapToName, input.Within(at, "mapToName")) {
			continue
		}
		if offered[mapping.MapToName] || dynamic[mapping.MapToName] {
			d.Addf(input.Within(at, "mapToName"), "%q is offered already", input.Shorten(mapping.MapToName))
		}
		dynamic[mapping.MapToName] = true
	}
	for _, field := range in.RequiredFields {
		if field.FieldName == "" && o.SelectedFieldMappings[field.MapToName] == "" {
			d.Addf(input.Within(at, "selectedFieldMappings."+field.MapToName), "is missing: say which field of the customer's it is")
		}
	}
	for to := range input.UntilFull(&d.Issues, o.SelectedFieldMappings) {
		at := input.Within(at, "selectedFieldMappings."+input.Shorten(to))
		if !offered[to] && !dynamic[to] {
			d.Addf(at, "is offered neither by the manifest nor in dynamicMappingsInput, as a mapToName")
			continue
		}
		if wrong := targetError(to); wrong != "" {
			d.Addf(at, "%s", wrong)
		}
		if from := o.SelectedFieldMappings[to]; from != "" {
			if wrong := t.Wrong(from); wrong != "" {
				d.Addf(at, "%s", wrong)
			}
		}
	}
	d.checkOverlaps(slices.Sorted(maps.Keys(o.SelectedFieldMappings)), input.Within(at, "selectedFieldMappings"))
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
				d.Addf(input.Within(at, input.Shorten(name)), "is the same place as %q", input.Shorten(other))
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
				d.Addf(input.Within(at, input.Shorten(name)), "is inside %q, which another field is mapped to", input.Shorten(other))
			}
		}
	}
}

// checkValues checks the mappings of values, which must be reversible: a record
// that is written is mapped back.
func (d *draft) checkValues(o config.ReadObject, t *fields.Table, at string) {
	for field := range input.UntilFull(&d.Issues, o.SelectedValueMappings) {
		at := input.Within(at, "selectedValueMappings."+input.Shorten(field))
		if _, mapped := o.SelectedFieldMappings[field]; !mapped {
			if wrong := t.Wrong(field); wrong != "" {
				d.Addf(at, "%s", wrong)
			}
		}
		from := map[string]string{}
		values := o.SelectedValueMappings[field]
		for to := range input.UntilFull(&d.Issues, values) {
			if other, twice := from[values[to]]; twice {
				d.Addf(input.Within(at, input.Shorten(to)), "stands for %q, and so does %q: which one is delivered?", input.Shorten(values[to]), input.Shorten(other))
			}
			from[values[to]] = to
		}
	}
}

func (d *draft) checkWrite(name string, o config.WriteObject) {
	at := input.Within(d.at, "write.objects."+name)
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
	for field := range input.UntilFull(&d.Issues, o.SelectedFieldSettings) {
		at := input.Within(at, "selectedFieldSettings."+input.Shorten(field))
		setting := o.SelectedFieldSettings[field]
		d.checkWritable(t, field, at)
		d.checkWord(setting.WriteOnCreate, input.Within(at, "writeOnCreate"), "always", "never")
		d.checkWord(setting.WriteOnUpdate, input.Within(at, "writeOnUpdate"), "always", "never", "ifEmpty")
		if value := setting.Default; value != nil {
			set := 0
			for _, has := range []bool{value.StringValue != nil, value.IntegerValue != nil, value.BooleanValue != nil} {
				if has {
					set++
				}
			}
			if set != 1 {
				d.Addf(input.Within(at, "default"), "has %d values: write one of stringValue, integerValue and booleanValue", set)
			}
		}
	}
	for field := range input.UntilFull(&d.Issues, o.SelectedValueDefaults) {
		at := input.Within(at, "selectedValueDefaults."+input.Shorten(field))
		value := o.SelectedValueDefaults[field]
		d.checkWritable(t, field, at)
		d.checkWord(value.ApplyOnUpdate, input.Within(at, "applyOnUpdate"), "always", "never")
		if number := json.Number(value.Value); !isScalar(value.Value) || strings.ContainsAny(number.String(), ".eE") && value.Value[0] != '"' && value.Value[0] != 't' && value.Value[0] != 'f' {
			d.Addf(input.Within(at, "value"), "is missing, or is not a string, an integer or a boolean")
		}
	}
}

// checkWritable checks that a write can set a field.
func (d *draft) checkWritable(t *fields.Table, name, at string) {
	if t == nil {
		return
	}
	route, err := manifest.ParsePath(name)
	if bad, found := errors.AsType[*manifest.PathError](err); found {
		d.Addf(at, "%s", bad.Error())
		return
	}
	field, found := t.Field(route)
	switch {
	case !found && !route.Nested():
		d.Addf(at, "%s", t.Unknown(name))
	case found && field.ReadOnly:
		d.Addf(at, "%q cannot be written", input.Shorten(name))
	}
}

func (d *draft) checkWord(value, at string, words ...string) {
	if value != "" && !slices.Contains(words, value) {
		d.Addf(at, "%q has no meaning: write %s, or leave it out", input.Shorten(value), strings.Join(words, ", "))
	}
}

func (d *draft) checkSubscribe(ctx context.Context, name string, o config.SubscribeObject) error {
	at := input.Within(d.at, "subscribe.objects."+name)
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
			d.Addf(input.Within(at, spelling), "is true, and %q is not read: there is nothing to inherit from", name)
		}
	}
	return d.checkDestinationName(ctx, o.Destination, input.Within(at, "destination"))
}
