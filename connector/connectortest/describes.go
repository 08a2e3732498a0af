package connectortest

import (
	"slices"
	"strings"
	"testing"

	"windlass/connector"
)

// describes checks the description of every object.
func describes(t *testing.T, s Subject) {
	objects := s.Connector.Objects()
	if len(objects) == 0 {
		t.Fatal("there are no objects")
	}
	if !slices.IsSortedFunc(objects, func(a, b connector.Object) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the objects are not sorted by name")
	}
	for _, object := range objects {
		t.Run(object.Name, func(t *testing.T) {
			if object.DisplayName == "" || object.Description == "" {
				t.Error("it has no display name or no description")
			}
			fields, err := s.Connector.Describe(t.Context(), object.Name)
			if err != nil {
				t.Fatal(err)
			}
			describesFields(t, object, fields)
			describesParent(t, s, object)
		})
	}
}

func describesFields(t *testing.T, object connector.Object, fields []connector.Field) {
	t.Helper()
	if len(fields) == 0 {
		t.Error("it has no fields")
	}
	seen := map[string]bool{}
	settable := false
	for _, f := range fields {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if parent, _, nested := cutLast(f.Name); nested && !seen[parent] && !strings.HasPrefix(f.Name, "links.") {
			t.Errorf("%s comes without or before its parent", f.Name)
		}
		describesField(t, f)
		settable = settable || !f.ReadOnly
	}
	if object.Incremental != "" && !seen[object.Incremental] {
		t.Errorf("the field that incremental reads go by, %s, is not described", object.Incremental)
	}
	if settable != (object.Create || object.Update) {
		t.Errorf("it has fields that can be set: %t; it can be written: %t", settable, object.Create || object.Update)
	}
}

func describesField(t *testing.T, f connector.Field) {
	t.Helper()
	if f.DisplayName == "" || f.Type == "" || f.ProviderType == "" {
		t.Errorf("%s lacks a display name or a type: %+v", f.Name, f)
	}
	if f.ReadOnly && (f.Required || f.WriteOnly) {
		t.Errorf("%s is read-only and has to be set as well", f.Name)
	}
	choice := f.Type == connector.SingleSelect || f.Type == connector.MultiSelect
	if choice != (len(f.Values) > 0) {
		t.Errorf("%s is a %s and has %d possible values", f.Name, f.Type, len(f.Values))
	}
	if (f.Type == connector.Reference) != (len(f.ReferenceTo) > 0) {
		t.Errorf("%s is a %s and refers to %v", f.Name, f.Type, f.ReferenceTo)
	}
}

// cutLast splits a dotted path before its last part.
func cutLast(path string) (parent, last string, nested bool) {
	at := strings.LastIndexByte(path, '.')
	if at < 0 {
		return "", path, false
	}
	return path[:at], path[at+1:], true
}
