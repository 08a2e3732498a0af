package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"windlass/manifest"
)

// target is a place in mappedFields: either a field, or an object with places.
type target struct {
	name  string
	key   []byte // the name in quotes, and a colon
	field *field // nil for an object
	below []*target
}

// field is one value that is delivered.
type field struct {
	key    []byte // the name in quotes, and a colon
	from   source
	values values
}

// put makes a place for a field.
func (t *target) put(object, name string, f *field) error {
	path, err := manifest.ParsePath(name)
	if err != nil {
		return invalid(object, "mapToName: %v", err)
	}
	if isList(path) {
		return invalid(object, "mapToName %q names more than one place; replace [*] by a key", name)
	}
	at := t
	for i, step := range path {
		last := i == len(path)-1
		next := slices.IndexFunc(at.below, func(b *target) bool { return b.name == step.Key })
		if next < 0 {
			next = len(at.below)
			at.below = append(at.below, &target{name: step.Key, key: quoteKey(step.Key)})
		} else if last || at.below[next].field != nil {
			return invalid(object, "mapToName %q overlaps another one; give each field a place of its own", name)
		}
		at = at.below[next]
	}
	at.field = f
	return nil
}

// sort puts everything in order of name.
func (t *target) sort() {
	slices.SortFunc(t.below, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	for _, b := range t.below {
		b.sort()
	}
}

// quoteKey returns a name as it stands in JSON, with the colon.
func quoteKey(name string) []byte { return append(quote(name), ':') }

// quote returns a string as it stands in JSON, without the escapes that are for
// HTML only.
func quote(text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded, and a buffer written
	return bytes.TrimRight(out.Bytes(), "\n")
}
