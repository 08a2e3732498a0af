package connectortest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"windlass"
	"windlass/connector"
)

// maxParents is how many records of a parent object are read below.
const maxParents = 20

// requestsFor returns the reads of an object: one, or one below each of its first
// parents.
func requestsFor(t *testing.T, s Subject, object connector.Object) []connector.ReadRequest {
	t.Helper()
	if object.Parent == "" {
		return []connector.ReadRequest{{Object: object.Name}}
	}
	var requests []connector.ReadRequest
	for _, above := range requestsFor(t, s, objectNamed(t, s, object.Parent)) {
		above.Fields = object.ParentKeys // what a caller asks for that wants no more
		for record, err := range connector.All(t.Context(), s.Connector, above) {
			if err != nil {
				t.Fatal(err)
			}
			parent, err := object.ParentOf(record)
			if err != nil {
				t.Fatal(err)
			}
			requests = append(requests, connector.ReadRequest{Object: object.Name, Parent: parent})
			if len(requests) == maxParents {
				return requests
			}
		}
	}
	return requests
}

func objectNamed(t *testing.T, s Subject, name string) connector.Object {
	t.Helper()
	objects := s.Connector.Objects()
	i := slices.IndexFunc(objects, func(o connector.Object) bool { return o.Name == name })
	if i < 0 {
		t.Fatalf("there is no object %s", name)
	}
	return objects[i]
}

// describesParent checks what an object says of the one it is below.
func describesParent(t *testing.T, s Subject, object connector.Object) {
	t.Helper()
	if object.Parent == "" {
		if len(object.ParentKeys) > 0 {
			t.Errorf("it is below no object and needs %v of a parent", object.ParentKeys)
		}
		return
	}
	if object.Create || object.Update || object.Delete {
		t.Error("it is below another object and can be written, and a WriteRequest names no parent")
	}
	seen := map[string]bool{object.Name: true}
	for above := object; above.Parent != ""; {
		if above = objectNamed(t, s, above.Parent); seen[above.Name] {
			t.Fatalf("it is below itself, by way of %s", above.Name)
		}
		seen[above.Name] = true
	}
	fields, err := s.Connector.Describe(t.Context(), object.Parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range object.ParentKeys {
		if !slices.ContainsFunc(fields, func(f connector.Field) bool { return f.Name == key }) {
			t.Errorf("it needs %s of its parent, and %s have no such field", key, object.Parent)
		}
	}
}

// cursorsStay checks that a cursor does not lead below another parent.
func cursorsStay(t *testing.T, r connector.Reader, req connector.ReadRequest, all []connector.ReadRequest) {
	t.Helper()
	req.PageSize = 10
	page, err := r.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if page.Next == "" {
		return // no parent has more records than one page
	}
	req.Cursor = page.Next
	for _, other := range all {
		if other.Parent.ID == req.Parent.ID {
			continue
		}
		req.Parent = other.Parent
		_, err = r.Read(t.Context(), req)
		wantKind(t, err, windlass.Invalid)
		return
	}
}

// refusesParent checks that an object below another is not read without a parent,
// and one at the top not with one.
func refusesParent(t *testing.T, s Subject, object connector.Object) {
	req := connector.ReadRequest{Object: object.Name}
	if object.Parent == "" {
		req.Parent = connector.Parent{ID: "some-parent"}
		refused(t, s.Connector, req)
		return
	}
	refused(t, s.Connector, req)
	if len(object.ParentKeys) == 0 {
		return
	}
	parent := requestsFor(t, s, object)[0].Parent
	for _, key := range object.ParentKeys {
		req.Parent = connector.Parent{ID: parent.ID, Keys: maps.Clone(parent.Keys)}
		delete(req.Parent.Keys, key)
		refused(t, s.Connector, req)
	}
	req.Parent = connector.Parent{Keys: parent.Keys}
	refused(t, s.Connector, req)
}

// refused checks that a read fails, with a remedy.
func refused(t *testing.T, r connector.Reader, req connector.ReadRequest) {
	t.Helper()
	_, err := r.Read(t.Context(), req)
	wantKind(t, err, windlass.Invalid)
	var known *windlass.Error
	if errors.As(err, &known) && known.Remedy == "" {
		t.Errorf("the error does not say what to do: %v", err)
	}
}
