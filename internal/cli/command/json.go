package command

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// Plain is a JSON value as a cell shows it: strings bare, objects and lists as
// compact JSON, null as nothing.
func Plain(value json.RawMessage) ([]byte, error) {
	value = bytes.TrimSpace(value)
	switch {
	case len(value) == 0 || string(value) == "null":
		return nil, nil
	case value[0] == '"':
		var text string
		err := json.Unmarshal(value, &text)
		return []byte(text), err
	case value[0] == '{' || value[0] == '[':
		return AppendCompact(nil, value)
	default:
		return value, nil
	}
}

// Cell is a value of a thing for people: "" when it is not there.
func Cell(one json.RawMessage, path string) string {
	found, ok, err := Lookup(one, strings.Split(path, "."))
	if err != nil || !ok {
		return ""
	}
	if bytes.HasPrefix(found, []byte("[")) {
		var words []string
		if json.Unmarshal(found, &words) == nil {
			return strings.Join(words, " ")
		}
	}
	text, err := Plain(found)
	if err != nil {
		return ""
	}
	return OneLine(string(text))
}

// PrintBytes prints JSON just as it came, and ends its line.
func PrintBytes(w io.Writer, body []byte) error {
	body = bytes.TrimRight(body, "\n")
	if len(body) == 0 {
		return nil
	}
	_, err := w.Write(append(slices.Clip(body), '\n'))
	return err
}

// Lookup returns the value at a dotted path of a record, and false where there
// is none. A path that goes through a list gives the list of what its elements
// have.
func Lookup(value json.RawMessage, path []string) (json.RawMessage, bool, error) {
	value = bytes.TrimSpace(value)
	if len(path) == 0 {
		return value, true, nil
	}
	switch {
	case len(value) > 0 && value[0] == '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return nil, false, err
		}
		member, ok := members[path[0]]
		if !ok {
			return nil, false, nil
		}
		return Lookup(member, path[1:])
	case len(value) > 0 && value[0] == '[':
		return lookupEach(value, path)
	default:
		return nil, false, nil
	}
}

func lookupEach(value json.RawMessage, path []string) (json.RawMessage, bool, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return nil, false, err
	}
	found := []json.RawMessage{}
	for _, element := range elements {
		member, ok, err := Lookup(element, path)
		if err != nil {
			return nil, false, err
		}
		if ok {
			found = append(found, member)
		}
	}
	list, err := json.Marshal(found)
	return list, true, err
}

// AppendCompact appends JSON without its insignificant space.
func AppendCompact(dst []byte, value json.RawMessage) ([]byte, error) {
	buffer := bytes.NewBuffer(dst)
	err := json.Compact(buffer, value)
	return buffer.Bytes(), err
}
