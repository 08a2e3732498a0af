package manifest

import (
	"fmt"
	"strings"

	"windlass"
)

// Path is the way to a value inside a record, step by step. It has at least one
// step, and its first one is a key.
type Path []Step

// Step is one step of a [Path]: to the value under a key, or to every entry of
// a list.
type Step struct {
	Key   string
	Every bool // [*], and Key is empty
}

// maxSteps is more than any provider's records are deep.
const maxSteps = 32

// ParsePath reads the name of a field: a plain name such as full_name, which is
// a key at the top of the record, or a path that begins with $, such as
// $['links']['clone'][*]['href']. Keys stand in single or double quotes, in which \
// escapes a quote or another \.
//
// The error is a [*PathError].
func ParsePath(text string) (Path, error) {
	if text == "" {
		return nil, &PathError{Message: "the name of the field is empty", Remedy: "write the field's name"}
	}
	rest, isPath := strings.CutPrefix(text, "$")
	if !isPath {
		return Path{{Key: text}}, nil
	}
	wrong := func(message, remedy string) error {
		return &PathError{Message: "path " + quote(text) + " " + message, Remedy: remedy}
	}
	var path Path
	for rest != "" {
		if after, found := strings.CutPrefix(rest, "[*]"); found {
			if path == nil {
				return nil, wrong("begins with [*], but a record is not a list", "begin with a key, as in $['values'][*]")
			}
			path, rest = append(path, Step{Every: true}), after
			continue
		}
		if len(rest) < 2 || rest[0] != '[' || rest[1] != '\'' && rest[1] != '"' {
			return nil, wrong("cannot be read at "+quote(rest), "write each step as ['key'] or [*], as in $['a']['b']")
		}
		key, after, closed := cutKey(rest[2:], rest[1])
		switch {
		case !closed:
			return nil, wrong("does not close the key that begins at "+quote(rest), "close each step with ']")
		case key == "":
			return nil, wrong("has an empty key", "write the name of a field between the quotes")
		}
		if path, rest = append(path, Step{Key: key}), after; len(path) > maxSteps {
			return nil, wrong(fmt.Sprintf("has more than %d steps", maxSteps), "name a field that is less deep")
		}
	}
	if path == nil {
		return nil, wrong("leads nowhere", "name a field, as in $['a']['b']")
	}
	return path, nil
}

// cutKey reads a quoted key up to its quote and bracket, and returns what
// follows.
func cutKey(text string, quote byte) (key, after string, closed bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == quote || text[i+1] == '\\'):
			i++
			out.WriteByte(text[i])
		case text[i] == quote:
			after, closed = strings.CutPrefix(text[i+1:], "]")
			return out.String(), after, closed
		default:
			out.WriteByte(text[i])
		}
	}
	return "", "", false
}

// Nested reports whether the path goes below the top of the record.
func (p Path) Nested() bool { return len(p) > 1 }

// String returns the path as [ParsePath] reads it: a plain name where one key
// is all there is, and steps in single quotes elsewhere.
func (p Path) String() string {
	if len(p) == 1 && p[0].Key != "" && !strings.HasPrefix(p[0].Key, "$") {
		return p[0].Key
	}
	var out strings.Builder
	out.WriteByte('$')
	for _, step := range p {
		if step.Every {
			out.WriteString("[*]")
			continue
		}
		fmt.Fprintf(&out, "['%s']", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(step.Key))
	}
	return out.String()
}

// PathError says why a path cannot be read. Its kind is windlass.Invalid.
type PathError struct{ Message, Remedy string }

// Error returns the message and the remedy.
func (e *PathError) Error() string { return e.Message + ": " + e.Remedy }

// Unwrap returns the kind, for errors.Is.
func (e *PathError) Unwrap() error { return windlass.Invalid }
