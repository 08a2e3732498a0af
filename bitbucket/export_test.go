package bitbucket

import (
	"context"
	"iter"
	"slices"
	"strings"

	"windlass/connector"
)

// WithChildren is a connector whose table has two rows more, below repositories
// and below those: what adding a child object takes is to be seen here.
type WithChildren struct{ *Connector }

// childRows are the rows. A branch's name is unique in its repository only; the
// path of its statuses takes two fields of the branch.
var childRows = []object{
	{
		name: "branches", display: "Branches", about: "The branches of one repository.",
		parent: "repositories", within: true,
		list: "/repositories/{workspace}/{parent}/refs/branches",
		id:   []string{"name"},
		read: scopes{"repository"},
		fields: []field{
			text("name"), tree("target"), text("target.hash"), tree("target.repository"), text("target.repository.uuid"),
		},
	},
	{
		name: "branches/statuses", display: "Branch statuses", about: "The statuses of a branch's head.",
		parent: "branches", keys: []string{"target.hash", "target.repository.uuid"}, within: true,
		list:   "/repositories/{workspace}/{parent.target.repository.uuid}/commit/{parent.target.hash}/statuses",
		id:     []string{"key"},
		read:   scopes{"repository"},
		fields: []field{text("key"), text("state")},
	},
}

func (WithChildren) row(name string) *object {
	if i := slices.IndexFunc(childRows, func(o object) bool { return o.name == name }); i >= 0 {
		return &childRows[i]
	}
	return nil
}

// Objects returns the table's objects and the two.
func (c WithChildren) Objects() []connector.Object {
	all := c.Connector.Objects()
	for i := range childRows {
		all = append(all, childRows[i].public())
	}
	slices.SortFunc(all, func(a, b connector.Object) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Describe describes the table's objects and the two.
func (c WithChildren) Describe(ctx context.Context, name string) ([]connector.Field, error) {
	if o := c.row(name); o != nil {
		return o.describe(), nil
	}
	return c.Connector.Describe(ctx, name)
}

// Read reads the table's objects and the two.
func (c WithChildren) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	if o := c.row(req.Object); o != nil {
		return c.read(ctx, o, req)
	}
	return c.Connector.Read(ctx, req)
}

// Pages asks for the next page ahead.
func (c WithChildren) Pages(ctx context.Context, req connector.ReadRequest) iter.Seq2[connector.Page, error] {
	if o := c.row(req.Object); o != nil {
		return c.pages(ctx, o, req)
	}
	return c.Connector.Pages(ctx, req)
}
