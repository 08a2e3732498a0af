package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"windlass"
	"windlass/connector"
)

var (
	branches = connector.Object{Name: "branches", Parent: "repositories"}
	comments = connector.Object{Name: "comments", Parent: "pullrequests", ParentKeys: []string{"id", "destination.repository.uuid"}}
)

func TestParentOf(t *testing.T) {
	t.Parallel()
	pull := `{"title":"x","id":12,"destination":{"repository":{"name":"y","uuid":"{1}"}}}`
	for _, row := range []struct {
		name   string
		object connector.Object
		raw    string
		want   string // as JSON
		kind   windlass.Kind
	}{
		{"its id is enough where no keys are needed", branches, `{"uuid":"{1}"}`, `{"id":"p"}`, ""},
		{"the keys are the record's own bytes", comments, pull, `{"id":"p","keys":{"destination.repository.uuid":"{1}","id":12}}`, ""},
		{"a key that is missing is an error", comments, `{"id":12}`, "", windlass.Malformed},
		{"a key that is null is missing", comments, `{"id":null,"destination":{"repository":{"uuid":"{1}"}}}`, "", windlass.Malformed},
		{"a key below something that is no object is missing", comments, `{"id":12,"destination":"main"}`, "", windlass.Malformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			parent, err := row.object.ParentOf(connector.Record{ID: "p", Raw: json.RawMessage(row.raw)})
			if row.kind != "" {
				if !errors.Is(err, row.kind) || !parent.IsZero() || !strings.HasPrefix(err.Error(), "read comments below p: the record of pullrequests has no ") {
					t.Errorf("%+v, %v", parent, err)
				}
				return
			}
			got, bad := json.Marshal(parent)
			if err != nil || bad != nil || string(got) != row.want {
				t.Errorf("%s, %v; want %s", got, err, row.want)
			}
			if err := row.object.CheckParent(connector.ReadRequest{Object: row.object.Name, Parent: parent}); err != nil {
				t.Errorf("it is refused: %v", err)
			}
		})
	}
}

func TestCheckParentSaysWhatToDo(t *testing.T) {
	t.Parallel()
	keys := map[string]json.RawMessage{"id": json.RawMessage("12")}
	for _, row := range []struct {
		name   string
		object connector.Object
		parent connector.Parent
		want   string
	}{
		{
			"a child without a parent", branches,
			connector.Parent{},
			"read branches: branches are read below one record of repositories at a time, and none was named; read repositories first, then branches below each of their records",
		},
		{
			"a child whose parent has no id", comments,
			connector.Parent{Keys: keys},
			"read comments: comments are read below one record of pullrequests at a time, and none was named; read pullrequests first, then comments below each of their records",
		},
		{
			"a child whose parent lacks a key", comments,
			connector.Parent{ID: "p", Keys: keys},
			"read comments below p: the parent record was named without its destination.repository.uuid; take it from the record of pullrequests, with id, destination.repository.uuid",
		},
		{
			"an object at the top with a parent",
			connector.Object{Name: "projects"},
			connector.Parent{ID: "p"},
			"read projects below p: projects are not below another object, and a parent record was named; read them without a parent",
		},
		{
			"an object at the top with the keys of one",
			connector.Object{Name: "projects"},
			connector.Parent{Keys: keys},
			"read projects: projects are not below another object, and a parent record was named; read them without a parent",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := row.object.CheckParent(connector.ReadRequest{Object: row.object.Name, Parent: row.parent})
			if !errors.Is(err, windlass.Invalid) || err.Error() != row.want {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
	if err := (connector.Object{Name: "projects"}).CheckParent(connector.ReadRequest{Object: "projects"}); err != nil {
		t.Errorf("an object at the top without a parent: %v", err)
	}
}

// below is a provider that returns one record on each of two pages below the parent
// it is asked for, and counts one more.
type below struct{}

func (below) Read(_ context.Context, req connector.ReadRequest) (connector.Page, error) {
	page := connector.Page{Size: 3, Records: []connector.Record{{ID: req.Parent.ID + "/1"}}, Next: "2"}
	if req.Cursor != "" {
		page.Records[0].ID, page.Next = req.Parent.ID+"/2", ""
	}
	return page, nil
}

func TestAllCarriesTheParentToEveryPageAndIntoItsError(t *testing.T) {
	t.Parallel()
	var got []string
	var end error
	for record, err := range connector.All(t.Context(), below{}, connector.ReadRequest{Object: "branches", Parent: connector.Parent{ID: "p"}}) {
		if end = err; err == nil {
			got = append(got, record.ID)
		}
	}
	if fmt.Sprint(got) != "[p/1 p/2]" || !errors.Is(end, windlass.Incomplete) || !strings.HasPrefix(end.Error(), "read branches below p: 2 of the 3 records") {
		t.Errorf("%v, and %v", got, end)
	}
}
