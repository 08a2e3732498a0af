package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"windlass/manifest"
)

// Written is a record as the provider is to receive it.
type Written struct {
	Record json.RawMessage
	// Withheld are the fields that gates kept out although the record had them,
	// by the names of their settings, for the operation's log.
	Withheld []string
}

// Create returns the record to create. Its input is the product's record without
// anything that belongs to the request. Errors are *windlass.Errors of kind
// windlass.Invalid.
func (p *WritePlan) Create(record json.RawMessage) (Written, error) {
	return p.write(record, func(s setting) bool { return s.OnCreate == Never }, true)
}

// Update returns the record to update with: the fields to set, and no others.
// The record is without its id. current is the provider's record as it is now;
// it may be nil when NeedsCurrent returns nothing.
func (p *WritePlan) Update(record, current json.RawMessage) (Written, error) {
	var now tree
	if len(p.NeedsCurrent()) > 0 {
		if now = parseTree(current); now == nil {
			return Written{}, invalid(p.object, "the provider's record is needed to know which fields are empty (%s)", strings.Join(p.NeedsCurrent(), ", "))
		}
	}
	return p.write(record, func(s setting) bool {
		return s.OnUpdate == Never || s.OnUpdate == IfEmpty && !isEmpty(now.get(s.path))
	}, false)
}

func isEmpty(value any) bool {
	raw, isRaw := value.(json.RawMessage)
	return value == nil || isRaw && (string(raw) == "null" || string(raw) == `""`)
}

func (p *WritePlan) write(record json.RawMessage, shut func(setting) bool, create bool) (Written, error) {
	given := parseTree(record)
	if given == nil {
		return Written{}, invalid(p.object, "the record is not a JSON object")
	}
	out := tree{}
	if err := p.move(given, out); err != nil {
		return Written{}, err
	}
	if err := p.keep(given, out); err != nil {
		return Written{}, err
	}
	var result Written
	for _, s := range p.settings {
		has := out.get(s.path) != nil
		switch {
		case shut(s) && has:
			out.take(s.path)
			out.prune(s.path)
			result.Withheld = append(result.Withheld, s.name)
		case shut(s), has, s.value == nil, s.DefaultOnCreateOnly && !create:
		case !out.put(s.path, s.value):
			return Written{}, invalid(p.object, "the default of %q cannot be set: the record has a value on its path that is not an object", s.name)
		}
	}
	result.Record = toJSON(out)
	return result, nil
}

// move moves the values at targets to the fields that the targets are read from.
func (p *WritePlan) move(given, out tree) error {
	first := map[string]string{} // from the provider's place to the target that went there
	for _, m := range p.moves {
		if err := p.passable(given, m.from); err != nil {
			return err
		}
		value := given.take(m.from)
		if value == nil {
			continue
		}
		if isList(m.to) {
			return invalid(p.object, "%q cannot be written: it is read from the entries of a list, %s", m.target, m.source)
		}
		if !out.put(m.to, m.values.append(nil, value)) {
			return invalid(p.object, "%q cannot be written to %s: %s is written there with another value", m.target, m.source, quoteNonEmpty(first[m.source], "another mapped field"))
		}
		first[m.source] = m.target
	}
	// Objects that exist for the sake of targets must have nothing else in them:
	// it would be ambiguous where that goes.
	for _, m := range p.moves {
		if len(m.from) < 2 {
			continue
		}
		within, isTree := given[m.from[0].Key].(tree)
		if !isTree {
			continue
		}
		if rest := within.left(); rest != nil {
			place := append(manifest.Path{m.from[0]}, rest...)
			return invalid(p.object, "the record has %s, which no field is mapped to; remove it, or map a field to it", place)
		}
		delete(given, m.from[0].Key)
	}
	return nil
}

func quoteNonEmpty(name, other string) string {
	if name == "" {
		return other
	}
	return string(quote(name))
}

// passable refuses a record that has something else than objects on the way to a
// target.
func (p *WritePlan) passable(given tree, path manifest.Path) error {
	for i, step := range path[:len(path)-1] {
		value, found := given[step.Key]
		if !found {
			return nil
		}
		if given = given.under(step.Key); given == nil {
			return invalid(p.object, "%s is %s in the record, but fields are mapped to places inside of it", path[:i+1], what(toJSON(value)[0]))
		}
	}
	return nil
}

// keep passes on what is not mapped, under the provider's own names.
func (p *WritePlan) keep(given, out tree) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := p.values[name].append(nil, toJSON(given[name]))
		path := manifest.Path{{Key: name}}
		if p.inherit {
			// Reading delivers nested fields under such names.
			nested, err := placeOf(name)
			if err != nil || isList(nested) {
				return invalid(p.object, "%q cannot be written: it is not the name of one field", name)
			}
			path = nested
		}
		if !out.put(path, value) {
			return invalid(p.object, "%q cannot be written: a field that is mapped to it, or another name for it, is written there as well", name)
		}
	}
	return nil
}

// prune removes the objects on a path that have become empty.
func (t tree) prune(path manifest.Path) {
	if len(path) < 2 {
		return
	}
	below, isTree := t[path[0].Key].(tree)
	if !isTree {
		return
	}
	below.prune(path[1:])
	if len(below) == 0 {
		delete(t, path[0].Key)
	}
}
