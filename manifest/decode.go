package manifest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/nearest"
)

// A decoder decodes a tree into the types of this package. The tags of those
// types are the only list of keys there is.
type decoder struct{ *report }

// otherSpellings are keys that documents spell differently.
var otherSpellings = map[string]string{"inheritFieldsAndMappings": "inheritFieldsAndMapping"}

func (d decoder) decode(n *node, path string, into reflect.Value) {
	d.places[path] = n.at
	switch n.kind {
	case broken:
		d.spoilt[path] = true
		if n.text != "" {
			d.addAt(n.at, path, n.text, n.remedy)
		}
		return
	case null:
		d.spoil(n.at, path, label(path)+" has no value", "give it one, or remove the key")
		return
	default:
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(n, path, into.Elem())
	case reflect.Struct:
		d.decodeMapping(n, path, into)
	case reflect.Slice:
		d.decodeList(n, path, into)
	case reflect.Bool:
		if d.expect(n, path, boolean) {
			into.SetBool(strings.EqualFold(n.text, "true"))
		}
	case reflect.Int:
		d.decodeInt(n, path, into)
	default:
		if d.expect(n, path, text) {
			into.SetString(n.text)
		}
	}
}

func (d decoder) decodeMapping(n *node, path string, into reflect.Value) {
	if !d.expect(n, path, mapping) {
		return
	}
	names := keysOf(into.Type())
	seen := map[string]place{}
	for _, e := range n.entries {
		name := e.key
		if other, found := otherSpellings[name]; found {
			name = other
		}
		index := slices.Index(names, name)
		if index < 0 {
			d.unknownKey(e, path, names)
			continue
		}
		if first, twice := seen[name]; twice {
			d.addAt(e.at, within(path, name), "key "+quote(e.key)+" is here twice"+first.asBefore(), "remove one of the two")
			continue
		}
		seen[name] = e.at
		d.decode(e.value, within(path, name), into.Field(index))
	}
}

func (d decoder) unknownKey(e entry, path string, names []string) {
	remedy := "the keys known here are " + strings.Join(names, ", ")
	if meant := nearest.To(e.key, names); meant != "" {
		remedy = "write " + quote(meant)
		d.spoilt[within(path, meant)] = true // it is not missing, it is misspelt
	}
	d.addAt(e.at, path, "unknown key "+quote(e.key), remedy)
}

func (d decoder) decodeList(n *node, path string, into reflect.Value) {
	if !d.expect(n, path, list) {
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, value := range n.items {
		d.decode(value, item(path, i), into.Index(i))
	}
}

func (d decoder) decodeInt(n *node, path string, into reflect.Value) {
	if !d.expect(n, path, integer) {
		return
	}
	base := 10
	digits := strings.TrimPrefix(n.text, "+")
	if rest, found := strings.CutPrefix(digits, "0x"); found {
		base, digits = 16, rest
	} else if rest, found := strings.CutPrefix(digits, "0o"); found {
		base, digits = 8, rest
	}
	number, err := strconv.ParseInt(digits, base, 32) // no number in a manifest needs more
	if err != nil {
		d.spoil(n.at, path, fmt.Sprintf("%s is %s, which is out of range", label(path), n.text), "write a smaller number")
		return
	}
	into.SetInt(number)
}

// expect reports whether a value is of the kind that is wanted, and says so if
// not.
func (d decoder) expect(n *node, path string, want kind) bool {
	if n.kind == want {
		return true
	}
	remedy := "write " + want.String()
	switch {
	case want == text && n.kind < list:
		remedy = "put it in quotes: " + quote(n.text)
	case want == boolean:
		remedy = "write true or false, without quotes"
	case want == integer:
		remedy = "write a whole number, without quotes"
	case want == list:
		remedy = `write a list: a line that begins with "- " for each entry`
	case want == mapping:
		remedy = `write keys with their values, as in "key: value"`
	}
	d.spoil(n.at, path, fmt.Sprintf("%s is %s, it should be %s", label(path), n.describe(), want), remedy)
	return false
}

// asBefore says where a key first appeared, if that is known.
func (p place) asBefore() string {
	if p.line == 0 {
		return ""
	}
	return fmt.Sprintf(" (first in line %d)", p.line)
}

// keysOf lists the keys of a type in the order of its fields.
func keysOf(of reflect.Type) []string {
	names := make([]string, of.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(of.Field(i).Tag.Get("json"), ",")
	}
	return names
}
