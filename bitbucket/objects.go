package bitbucket

import (
	"context"
	"strings"

	"windlass"
	"windlass/connector"
)

// object is one row of the table: all that the package knows of an object.
type object struct {
	name    string
	display string
	about   string

	parent string   // the object whose records this one's are below; "" at the top
	keys   []string // dotted paths of the parent's fields that list takes
	within bool     // ids are unique below one parent only: Record.ID has the parent's in front

	list   string   // path of the list; {workspace}, {parent} (its id) and {parent.<key>} are filled in
	item   string   // path of one record; {workspace} and {id} are filled in
	id     []string // dotted paths whose values make up Record.ID
	stable string   // a sortable field that never changes: what full walks sort by
	moved  string   // the field that moves with every change: Record.Updated
	filter filter   // whether moved can be filtered and sorted by
	role   bool     // the list takes role=
	home   string   // the field with the workspace's slug, where each record has it
	nulls  bool     // null may stand for a record, and is passed over
	walk   walk     // how the list is read; nil: it is one list of pages

	access             Access
	read, write, erase scopes
	remedies           remedies
	writes             writer // nil: Bitbucket has no write for it
	fields             []field
}

type scopes []string

// walk reads the page at a place of an object that is no plain list of pages.
type walk func(ctx context.Context, w *walker, p place) (connector.Page, error)

// remedies say what to do about an error where an object has a reason of its
// own for it. An empty one means the usual remedy.
type remedies struct {
	unauthorized string
	forbidden    string // to read or to change it
	undeletable  string // to delete it
}

// Access says whom an object answers.
type Access int

// Whom an object answers.
const (
	AnyCredential  Access = iota // every credential with the right scopes
	Public                       // everyone, with a credential or without
	ConnectAppOnly               // a Connect app that signs its requests
)

// AccessTo says whom an object answers; AnyCredential for one that is not known.
func AccessTo(object string) Access {
	o, err := lookup(object)
	if err != nil {
		return AnyCredential
	}
	return o.access
}

// filter says how much Bitbucket's list endpoint can do with object.moved.
type filter int

const (
	noFilter     filter = iota // q is ignored or refused
	probedFilter               // q is undocumented: try it, and believe what comes
	goodFilter                 // q is documented
)

// objects is the table: all objects, in the order of Objects, by name. Each row
// is in the file of its object, with its fields, its writer and its quirks, and
// is the only statement of what the object is: no other code asks for its name.
//
// The rows workspaces, user/permissions/workspaces and
// user/permissions/repositories keep the names of endpoints that answer 410
// since 2026-04-14 (CHANGE-2770) and read their replacements.
var objects = []object{
	objectLinkers,
	objectHookEvents,
	objectHooks,
	objectMembers,
	objectPermissions,
	objectRepositoryPermissions,
	objectVariables,
	objectProjects,
	objectRepositories,
	objectSnippets,
	objectEmails,
	objectOwnRepositoryPermissions,
	objectOwnWorkspacePermissions,
	objectWorkspaces,
}

// Objects returns what can be done with each object, sorted by name.
func Objects() []connector.Object {
	all := make([]connector.Object, 0, len(objects))
	for i := range objects {
		all = append(all, objects[i].public())
	}
	return all
}

func (o *object) public() connector.Object {
	public := connector.Object{
		Name: o.name, DisplayName: o.display, Description: o.about,
		Parent: o.parent, ParentKeys: o.keys,
		IncrementalIfProbed: o.filter == probedFilter,
		Workspace:           strings.Contains(o.list, "{workspace}"),
		ReadScopes:          o.read,
	}
	if o.filter != noFilter {
		public.Incremental = o.moved
	}
	if o.writes != nil {
		public.Create, public.Update, public.Delete = true, true, true
		public.WriteScopes, public.DeleteScopes = o.write, o.erase
	}
	return public
}

// lookup finds a row by name.
func lookup(name string) (*object, error) {
	names := make([]string, 0, len(objects))
	for i := range objects {
		if objects[i].name == name {
			return &objects[i], nil
		}
		names = append(names, objects[i].name)
	}
	return nil, &windlass.Error{
		Kind:    windlass.Invalid,
		Message: "there is no object " + quote(name),
		Remedy:  suggest(name, names), Provider: &windlass.ProviderDetails{},
	}
}
