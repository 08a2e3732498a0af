package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"windlass/manifest"
)

// WriteSelection is what an object's write plan is made of.
type WriteSelection struct {
	// Object is the object's name, for errors.
	Object string
	// InheritMapping applies the mapping of Read backwards. Without it records
	// have the provider's names already.
	InheritMapping bool
	// Read is the selection of the read object of the same name.
	Read Selection
	// Settings are by mapToName or by field.
	Settings map[string]Setting
}

// Setting says what is written to one field, and when.
type Setting struct {
	// Default is written when the record does not have the field. A null in the
	// record is a value: it clears the field.
	Default *Default
	// DefaultOnCreateOnly keeps the default out of updates without keeping the
	// field out: applyOnUpdate "never" of the older form of settings.
	DefaultOnCreateOnly bool
	// OnCreate is [Always] or [Never], OnUpdate may be [IfEmpty], too.
	OnCreate, OnUpdate Gate
}

// Default is a constant. One of the three is set.
type Default struct {
	StringValue  *string
	IntegerValue *int64
	BooleanValue *bool
}

// Gate says when a field is written at all, with the record's own value or with the
// default.
type Gate string

// The gates. An empty one is Always.
const (
	Always Gate = "always"
	Never  Gate = "never"
	// IfEmpty is when the provider's record has no such field, or null or ""
	// in it.
	IfEmpty Gate = "ifEmpty"
)

// WritePlan says how an object's records are written. It is made by
// [CompileWrite], never changes, and is safe for concurrent use.
type WritePlan struct {
	object   string
	inherit  bool
	moves    []move
	values   map[string]values // of what keeps its name
	settings []setting
}

// move is a mapping backwards.
type move struct {
	target, source string
	from, to       manifest.Path
	values         values
}

type setting struct {
	Setting

	name string
	path manifest.Path
	// value is the default as JSON; nil for none.
	value json.RawMessage
}

// CompileWrite makes the plan. The error is a *windlass.Error of kind
// windlass.Invalid that names what is in conflict.
func CompileWrite(s WriteSelection) (*WritePlan, error) {
	p := &WritePlan{object: s.Object, inherit: s.InheritMapping, values: map[string]values{}}
	if s.InheritMapping {
		if err := p.inheritFrom(&s.Read); err != nil {
			return nil, err
		}
	}
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		one, err := p.setting(name, s.Settings[name])
		if err != nil {
			return nil, err
		}
		place := one.path.String()
		if other, found := taken[place]; found {
			return nil, invalid(p.object, "the settings of %q and of %q are for the same field", other, name)
		}
		taken[place] = name
		p.settings = append(p.settings, one)
	}
	return p, nil
}

// inheritFrom reverses the mapping of a read object.
func (p *WritePlan) inheritFrom(read *Selection) error {
	// A mapping that reading refuses cannot be reversed either.
	if _, err := Compile(*read); err != nil {
		return err
	}
	choice, err := read.choose()
	if err != nil {
		return err
	}
	for _, target := range slices.Sorted(maps.Keys(choice.mapped)) {
		source := choice.mapped[target]
		from, err := manifest.ParsePath(target)
		if err != nil {
			return invalid(p.object, "mapToName: %v", err)
		}
		to, err := placeOf(source)
		if err != nil {
			return invalid(p.object, "field: %v", err)
		}
		p.moves = append(p.moves, move{
			target: target, source: source, from: from, to: to,
			values: written(read.valueMapping(target, source)),
		})
	}
	for name, mapping := range read.SelectedValueMappings {
		if choice.mapped[name] == "" {
			p.values[name] = written(mapping)
		}
	}
	return nil
}

// placeOf returns where the field of a name is in a provider's record. Unlike in
// reading, where a record can tell, a name with dots is always a nested field.
func placeOf(name string) (manifest.Path, error) {
	path, err := manifest.ParsePath(name)
	if err != nil {
		return nil, err
	}
	if nested := dotted(path); nested != nil {
		return nested, nil
	}
	return path, nil
}

// setting checks one setting.
func (p *WritePlan) setting(name string, s Setting) (setting, error) {
	if s.OnCreate != "" && s.OnCreate != Always && s.OnCreate != Never {
		return setting{}, invalid(p.object, "writeOnCreate of %q is %q; it can be %s or %s", name, s.OnCreate, Always, Never)
	}
	if s.OnUpdate != "" && s.OnUpdate != Always && s.OnUpdate != Never && s.OnUpdate != IfEmpty {
		return setting{}, invalid(p.object, "writeOnUpdate of %q is %q; it can be %s, %s or %s", name, s.OnUpdate, Always, Never, IfEmpty)
	}
	value, err := s.Default.json()
	if err != "" {
		return setting{}, invalid(p.object, "the default of %q %s", name, err)
	}
	one := setting{Setting: s, name: name, value: value}
	for _, m := range p.moves {
		if m.target == name {
			one.path = m.to
		}
	}
	if one.path == nil {
		path, err := placeOf(name)
		if err != nil {
			return setting{}, invalid(p.object, "settings: %v", err)
		}
		one.path = path
	}
	if isList(one.path) {
		return setting{}, invalid(p.object, "the settings of %q are for the entries of a list, which cannot be written one by one", name)
	}
	return one, nil
}

// json returns the constant, or what is wrong with it.
func (d *Default) json() (value json.RawMessage, wrong string) {
	if d == nil {
		return nil, ""
	}
	var found []any
	if d.StringValue != nil {
		found = append(found, *d.StringValue)
	}
	if d.IntegerValue != nil {
		found = append(found, *d.IntegerValue)
	}
	if d.BooleanValue != nil {
		found = append(found, *d.BooleanValue)
	}
	if len(found) != 1 {
		return nil, "has to be one of a string, an integer and a boolean"
	}
	if text, ok := found[0].(string); ok {
		return quote(text), ""
	}
	value, _ = json.Marshal(found[0]) // a number or a boolean can always be encoded
	return value, ""
}

// NeedsCurrent returns the fields whose gates depend on what the provider has
// now, so that an update has to look first. None is the usual case.
func (p *WritePlan) NeedsCurrent() []string {
	var names []string
	for _, s := range p.settings {
		if s.OnUpdate == IfEmpty {
			var keys []string
			for _, step := range s.path {
				keys = append(keys, step.Key)
			}
			names = append(names, strings.Join(keys, "."))
		}
	}
	return names
}
