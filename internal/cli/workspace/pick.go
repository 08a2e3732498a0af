package workspace

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"windlass/internal/cli/command"
)

// picker takes chosen fields out of a record: --fields as a tree, so that
// project.key and project.name come out inside one project.
type picker struct {
	name     string
	children []*picker // none: the whole value
}

// newPicker makes a tree of dotted paths. Names keep the order in which they
// first appear. A path takes in the longer ones that begin with it.
func newPicker(paths []string) *picker {
	root := &picker{}
	for _, path := range paths {
		root.add(strings.Split(path, "."))
	}
	return root
}

func (p *picker) add(path []string) {
	for _, child := range p.children {
		if child.name != path[0] {
			continue
		}
		switch {
		case len(path) == 1:
			child.children = nil
		case len(child.children) > 0: // else the whole is taken already
			child.add(path[1:])
		}
		return
	}
	child := &picker{name: path[0]}
	p.children = append(p.children, child)
	if len(path) > 1 {
		child.add(path[1:])
	}
}

// appendTo appends what p takes of value, and reports whether that is anything:
// a field that the record lacks stays absent. In a list, the fields of each
// element are taken.
func (p *picker) appendTo(dst []byte, value json.RawMessage) ([]byte, bool, error) {
	value = bytes.TrimSpace(value)
	if len(p.children) == 0 || string(value) == "null" {
		dst, err := command.AppendCompact(dst, value)
		return dst, true, err
	}
	switch {
	case len(value) > 0 && value[0] == '{':
		return p.appendObject(dst, value)
	case len(value) > 0 && value[0] == '[':
		return p.appendList(dst, value)
	default: // a plain value has no fields
		return dst, false, nil
	}
}

func (p *picker) appendObject(dst []byte, value json.RawMessage) ([]byte, bool, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return dst, false, err
	}
	begin := len(dst)
	dst = append(dst, '{')
	for _, child := range p.children {
		member, ok := members[child.name]
		if !ok {
			continue
		}
		mark := len(dst)
		if mark > begin+1 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendQuote(dst, child.name), ':') // names of fields are plain ASCII
		var err error
		dst, ok, err = child.appendTo(dst, member)
		if err != nil {
			return dst, false, err
		}
		if !ok {
			dst = dst[:mark]
		}
	}
	if len(dst) == begin+1 && p.name != "" {
		return dst[:begin], false, nil
	}
	return append(dst, '}'), true, nil
}

func (p *picker) appendList(dst []byte, value json.RawMessage) ([]byte, bool, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return dst, false, err
	}
	dst = append(dst, '[')
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		var (
			ok  bool
			err error
		)
		if dst, ok, err = p.appendTo(dst, element); err != nil {
			return dst, false, err
		}
		if !ok {
			dst = append(dst, "{}"...) // its place in the list is information, too
		}
	}
	return append(dst, ']'), true, nil
}
