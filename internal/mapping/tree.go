package mapping

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"windlass/manifest"
)

// tree is a JSON object that is parsed as far as it is needed: its values are trees and
// json.RawMessages. Numbers keep their digits that way.
type tree map[string]any

// parseTree opens the top of a JSON object; it is nil for anything else.
func parseTree(data []byte) tree {
	var members map[string]json.RawMessage
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(data, &members) != nil {
		return nil
	}
	t := make(tree, len(members))
	for key, value := range members {
		t[key] = value
	}
	return t
}

// under opens the object under a key; nil when there is something else.
func (t tree) under(key string) tree {
	switch value := t[key].(type) {
	case tree:
		return value
	case json.RawMessage:
		if below := parseTree(value); below != nil {
			t[key] = below
			return below
		}
	}
	return nil
}

// get returns what is at a path, or nil.
func (t tree) get(path manifest.Path) any {
	for _, step := range path[:len(path)-1] {
		if t = t.under(step.Key); t == nil {
			return nil
		}
	}
	return t[path[len(path)-1].Key]
}

// take removes what is at a path, and returns it as JSON; nil when nothing is
// there. The object around it stays, even if it is empty now.
func (t tree) take(path manifest.Path) json.RawMessage {
	for _, step := range path[:len(path)-1] {
		if t = t.under(step.Key); t == nil {
			return nil
		}
	}
	last := path[len(path)-1].Key
	value, found := t[last]
	if !found {
		return nil
	}
	delete(t, last)
	return toJSON(value)
}

// put stores a value at a path, making objects on the way. It returns false,
// and changes nothing that is there, when something else is in the place or in
// the way.
func (t tree) put(path manifest.Path, value json.RawMessage) bool {
	for _, step := range path[:len(path)-1] {
		if _, found := t[step.Key]; !found {
			t[step.Key] = tree{}
		}
		if t = t.under(step.Key); t == nil {
			return false
		}
	}
	last := path[len(path)-1].Key
	if other, found := t[last]; found {
		return same(other, value)
	}
	t[last] = value
	return true
}

// left returns the path of a value that is still in a tree, or nil; empty trees do not
// count.
func (t tree) left() manifest.Path {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		below, isTree := t[key].(tree)
		if !isTree {
			return manifest.Path{{Key: key}}
		}
		if rest := below.left(); rest != nil {
			return append(manifest.Path{{Key: key}}, rest...)
		}
	}
	return nil
}

// toJSON encodes what a tree holds, keys in order.
func toJSON(value any) json.RawMessage {
	if raw, ok := value.(json.RawMessage); ok {
		return raw
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // its RawMessages have been parsed, and a buffer can be written
	return bytes.TrimRight(out.Bytes(), "\n")
}

// same reports whether two values are the same JSON, white space and the order of
// keys apart.
func same(a, b any) bool { return bytes.Equal(normal(a), normal(b)) }

func normal(value any) []byte {
	decoder := json.NewDecoder(bytes.NewReader(toJSON(value)))
	decoder.UseNumber() // so that long numbers are not rounded into being the same
	var out any
	_ = decoder.Decode(&out) // it has been parsed before
	return toJSON(out)
}
