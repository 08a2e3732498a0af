package read

import (
	"bytes"
	"encoding/json"
	"strings"

	"windlass/internal/config"
	"windlass/manifest"
)

// passes reports whether a record has every filter's value. The provider is not
// asked to filter: it may know the field by another name, or not know how.
func passes(record json.RawMessage, filters []config.Filter) bool {
	for _, filter := range filters {
		value, found := lookUp(record, filter.FieldName)
		if !found || !sameScalar(value, filter.Value) {
			return false
		}
	}
	return true
}

// lookUp finds a field by its name: a key, a path, or a dotted name.
func lookUp(record json.RawMessage, name string) (json.RawMessage, bool) {
	path, err := manifest.ParsePath(name)
	if err != nil {
		return nil, false
	}
	if value, found := walk(record, path); found || path.Nested() {
		return value, found
	}
	var dotted manifest.Path
	for key := range strings.SplitSeq(name, ".") {
		dotted = append(dotted, manifest.Step{Key: key})
	}
	return walk(record, dotted)
}

func walk(value json.RawMessage, path manifest.Path) (json.RawMessage, bool) {
	for _, step := range path {
		var object map[string]json.RawMessage
		if step.Every || json.Unmarshal(value, &object) != nil {
			return nil, false
		}
		var found bool
		if value, found = object[step.Key]; !found {
			return nil, false
		}
	}
	return value, true
}

// sameScalar compares two JSON scalars by value: "a" and "\u0061" are the same,
// 1 and "1" are not.
func sameScalar(a, b json.RawMessage) bool {
	var left, right any
	if json.Unmarshal(a, &left) != nil || json.Unmarshal(b, &right) != nil {
		return false
	}
	switch left.(type) {
	case string, bool:
		return left == right
	case float64:
		return left == right || bytes.Equal(a, b)
	default:
		return false
	}
}
