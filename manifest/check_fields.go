package manifest

import (
	"errors"
	"slices"
	"strings"
)

// fields checks both lists of an object's fields; they share the names that
// they map to.
func (c checker) fields(provider string, o *ReadObject, path string) {
	var known []string
	if c.opts.Fields != nil && o.ObjectName != "" {
		known = c.opts.Fields(provider, o.ObjectName)
	}
	targets := targets{unique: unique{checker: c, what: "mapToName"}, through: map[string]string{}}
	for _, list := range []struct {
		name   string
		fields []Field
	}{{"requiredFields", o.RequiredFields}, {"optionalFields", o.OptionalFields}} {
		for i, field := range list.fields {
			at := item(within(path, list.name), i)
			c.field(field, known, at)
			targets.add(field.MapToName, within(at, "mapToName"))
		}
	}
}

func (c checker) field(f Field, known []string, path string) {
	name := within(path, "fieldName")
	switch {
	case c.spoilt[name] || c.spoilt[within(path, "mapToName")]:
		return
	case f.FieldName == "" && f.MapToName == "":
		c.add(path, "the field has neither fieldName nor mapToName",
			`write "fieldName: name" for a field that exists, or "mapToName: name" for one that the customer chooses`)
		return
	case f.FieldName == "":
		return
	}
	const remedy = "remove it, or remove fieldName to let the customer choose"
	if f.Default != "" {
		c.add(within(path, "default"), "default has no use beside fieldName", remedy)
	}
	if f.Prompt != "" {
		c.add(within(path, "prompt"), "prompt has no use beside fieldName", remedy)
	}
	route, err := ParsePath(f.FieldName)
	if wrong, found := errors.AsType[*PathError](err); found {
		c.add(name, wrong.Message, wrong.Remedy)
		return
	}
	if known != nil {
		c.knownField(f.FieldName, route, known, name)
	}
}

// knownField checks a field against those that the object has. Of a nested
// one only the first step is certain: what is below may be the customer's own.
func (c checker) knownField(text string, route Path, known []string, path string) {
	var top []string
	for _, name := range known {
		first, _, _ := strings.Cut(name, ".")
		if !slices.Contains(top, first) {
			top = append(top, first)
		}
	}
	if !route.Nested() && strings.Contains(text, ".") && slices.Contains(known, text) {
		var nested Path
		for key := range strings.SplitSeq(text, ".") {
			nested = append(nested, Step{Key: key})
		}
		c.add(path, quote(text)+" is a nested field", "write "+nested.String())
		return
	}
	c.known(route[0].Key, top, path, "field")
}

// targets reports fields that would be written to the same place, or one inside
// of the other.
type targets struct {
	unique
	through map[string]string // from every place above a target to that target
}

func (t *targets) add(name, path string) {
	if name == "" || t.spoilt[path] {
		return
	}
	route, err := ParsePath(name)
	if wrong, found := errors.AsType[*PathError](err); found {
		t.checker.add(path, wrong.Message, wrong.Remedy)
		return
	}
	if slices.ContainsFunc(route, func(s Step) bool { return s.Every }) {
		t.checker.add(path, "mapToName "+quote(name)+" names more than one place", "replace [*] by a key")
		return
	}
	whole := route.String()
	other, overlaps := t.through[whole]
	for i := 1; i < len(route) && !overlaps; i++ {
		other = route[:i].String()
		_, overlaps = t.first[other]
	}
	if overlaps {
		t.checker.add(path, "mapToName "+quote(name)+" overlaps "+quote(other), "give each field a place of its own")
		return
	}
	for i := 1; i < len(route); i++ {
		t.through[route[:i].String()] = whole
	}
	t.unique.add(whole, path)
}
