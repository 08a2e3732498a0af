package install

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/input"
)

// Patch is one operation of RFC 6902.
type Patch struct {
	Op    string          `json:"op"`   // add, remove or replace
	Path  string          `json:"path"` // a pointer of RFC 6901 into the object's config
	Value json.RawMessage `json:"value,omitempty"`
}

// pointer reads a JSON pointer (RFC 6901) that leads below the top.
func pointer(text string) (keys []string, wrong string) {
	rest, found := strings.CutPrefix(text, "/")
	if !found {
		return nil, "does not begin with /"
	}
	for token := range strings.SplitSeq(rest, "/") {
		for i := range len(token) {
			if token[i] == '~' && (i+1 == len(token) || token[i+1] != '0' && token[i+1] != '1') {
				return nil, "has a ~ that is neither ~0 (for ~) nor ~1 (for /)"
			}
		}
		keys = append(keys, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return keys, ""
}

// apply applies one operation to a tree. It returns an error text, or nothing. Unlike
// RFC 6902, add creates missing parent objects: in a config an empty object and none
// are the same.
func (p Patch) apply(to map[string]any) (wrong string) {
	keys, wrong := pointer(p.Path)
	if wrong != "" {
		return "path " + wrong
	}
	var value any
	if p.Op != "remove" {
		var err error
		if len(p.Value) == 0 {
			return "value is missing"
		}
		if value, err = input.Anything(p.Value); err != nil {
			return "value " + err.Error()
		}
	}
	switch p.Op {
	case "add", "remove", "replace":
		_, wrong = p.change(to, keys, value)
		return wrong
	default:
		return fmt.Sprintf("op %q is not supported: write add, remove or replace", input.Shorten(p.Op))
	}
}

// change makes the change below one node, and returns the node as it is then: a
// list may have become another.
func (p Patch) change(node any, keys []string, value any) (after any, wrong string) {
	key := keys[0]
	switch node := node.(type) {
	case map[string]any:
		inside, found := node[key]
		switch {
		case len(keys) > 1:
			if !found && p.Op == "add" {
				inside, found = map[string]any{}, true
			}
			if !found {
				return node, p.absent()
			}
			if inside, wrong = p.change(inside, keys[1:], value); wrong == "" {
				node[key] = inside
			}
			return node, wrong
		case p.Op != "add" && !found:
			return node, p.absent()
		case p.Op == "remove":
			delete(node, key)
		default:
			node[key] = value
		}
		return node, ""
	case []any:
		return p.changeList(node, keys, value)
	default:
		return node, fmt.Sprintf("path goes through a value at %q that is neither an object nor a list", input.Shorten(key))
	}
}

func (p Patch) changeList(list []any, keys []string, value any) (after any, wrong string) {
	index, isIndex := listIndex(keys[0], len(list))
	if keys[0] == "-" && p.Op == "add" && len(keys) == 1 {
		index, isIndex = len(list), true
	}
	inside := index < len(list)
	switch {
	case !isIndex, !inside && (len(keys) > 1 || p.Op != "add"):
		return list, p.absent()
	case len(keys) > 1:
		changed, wrong := p.change(list[index], keys[1:], value)
		if wrong == "" {
			list[index] = changed
		}
		return list, wrong
	case p.Op == "add":
		return slices.Insert(list, index, value), ""
	case p.Op == "remove":
		return slices.Delete(list, index, index+1), ""
	default:
		list[index] = value
		return list, ""
	}
}

// listIndex reads a position in a list, of which the end is one.
func listIndex(text string, length int) (int, bool) {
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index > length || text != strconv.Itoa(index) {
		return 0, false
	}
	return index, true
}

func (p Patch) absent() string {
	return fmt.Sprintf("path %s does not exist: there is nothing to %s", input.Shorten(p.Path), p.Op)
}
