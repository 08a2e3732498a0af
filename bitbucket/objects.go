package bitbucket

import (
	"strings"

	"windlass"
	"windlass/connector"
)

// object is one row of the table: all that the package knows of an object.
type object struct {
	name    string
	display string
	about   string

	list   string   // path of the list; {workspace} is filled in
	item   string   // path of one record; {workspace} and {id} are filled in
	id     []string // dotted paths whose values make up Record.ID
	stable string   // a sortable field that never changes: what full walks sort by
	moved  string   // the field that moves with every change: Record.Updated
	filter filter   // whether moved can be filtered and sorted by
	role   bool     // the list takes role=
	home   string   // the field with the workspace's slug, where each record has it
	nulls  bool     // null may stand for a record, and is passed over
	walk   walk     // how the list is read

	read, write, erase scopes
	writes             writer // nil: Bitbucket has no write for it
	fields             []field
}

type scopes []string

// filter says how much Bitbucket's list endpoint can do with object.moved.
type filter int

const (
	noFilter     filter = iota // q is ignored or refused
	probedFilter               // q is undocumented: try it, and believe what comes
	goodFilter                 // q is documented
)

// walk says how the records of an object are found.
type walk int

const (
	walkPages       walk = iota // one list of pages
	walkEvents                  // an object of subjects, each with pages of its own
	walkWorkspaces              // memberships, then the full workspace of each
	walkPermissions             // memberships, then the permission in each
)

// objects is the only statement of what each object is. Its order is that of
// Objects: by name.
//
// The rows workspaces, user/permissions/workspaces and
// user/permissions/repositories keep the names of endpoints that answer 410
// since 2026-04-14 (CHANGE-2770) and read their replacements.
var objects = []object{
	{
		name: "addon/linkers", display: "Linkers",
		about:  "Link modules of a Connect app. Answers only that app's own JWT; gone from Atlassian's document since early 2026.",
		list:   "/addon/linkers",
		id:     []string{"key"},
		fields: linkerFields,
	},
	{
		name: "hook_events", display: "Webhook events",
		about:  "Every event that a repository's or a workspace's webhook can ask for. Public.",
		list:   "/hook_events",
		id:     []string{"subject", "event"},
		walk:   walkEvents,
		fields: eventFields,
	},
	{
		name: "hooks", display: "Webhooks",
		about: "The workspace's webhooks, which fire for all of its repositories. Only the workspace's owners may see or change them.",
		list:  "/workspaces/{workspace}/hooks", item: "/workspaces/{workspace}/hooks/{id}",
		id:   []string{"uuid"},
		read: scopes{"webhook"}, write: scopes{"webhook"}, erase: scopes{"webhook"},
		writes: hookWriter{},
		fields: hookFields,
	},
	{
		name: "members", display: "Members",
		about:  "The people in the workspace. A record's id is that of the user.",
		list:   "/workspaces/{workspace}/members",
		id:     []string{"user.uuid"},
		read:   scopes{"account"},
		fields: memberFields,
	},
	{
		name: "permissions", display: "Workspace permissions",
		about:  "The people in the workspace and the role of each.",
		list:   "/workspaces/{workspace}/permissions",
		id:     []string{"user.uuid"},
		read:   scopes{"account"},
		fields: permissionFields,
	},
	{
		name: "permissions/repositories", display: "Repository permissions",
		about:  "Who has which permission in which of the workspace's repositories. Only administrators of the workspace may see them.",
		list:   "/workspaces/{workspace}/permissions/repositories",
		id:     []string{"user.uuid", "repository.uuid"},
		read:   scopes{"account"},
		fields: repositoryPermissionFields,
	},
	{
		name: "pipelines-config/variables", display: "Pipeline variables",
		about: "Variables of the workspace's pipelines. The value of a secured one is never returned.",
		list:  "/workspaces/{workspace}/pipelines-config/variables", item: "/workspaces/{workspace}/pipelines-config/variables/{id}",
		id:   []string{"uuid"},
		read: scopes{"pipeline"}, write: scopes{"pipeline:variable"}, erase: scopes{"pipeline:variable"},
		writes: variableWriter{},
		fields: variableFields,
	},
	{
		name: "projects", display: "Projects",
		about: "The workspace's projects. Filtering by time is not documented: it is tried first. A project that still has repositories cannot be deleted.",
		list:  "/workspaces/{workspace}/projects", item: "/workspaces/{workspace}/projects/{id}",
		id:    []string{"uuid"},
		moved: "updated_on", filter: probedFilter, home: "workspace.slug",
		read: scopes{"project"}, write: scopes{"project:admin"}, erase: scopes{"project:admin"},
		writes: projectWriter{},
		fields: projectFields,
	},
	{
		name: "repositories", display: "Repositories",
		about: "The workspace's repositories in which the credential has a role. Changing the name changes the slug.",
		list:  "/repositories/{workspace}", item: "/repositories/{workspace}/{id}",
		id:     []string{"uuid"},
		stable: "created_on", moved: "updated_on", filter: goodFilter, role: true, home: "workspace.slug",
		read: scopes{"repository"}, write: scopes{"repository:admin"}, erase: scopes{"repository:delete"},
		writes: repositoryWriter{},
		fields: repositoryFields,
	},
	{
		name: "snippets", display: "Snippets",
		about: "The workspace's snippets. The contents of files can be written; a read returns their links.",
		list:  "/snippets/{workspace}", item: "/snippets/{workspace}/{id}",
		id:    []string{"id"},
		moved: "updated_on", role: true,
		read: scopes{"snippet"}, write: scopes{"snippet:write"}, erase: scopes{"snippet:write"},
		writes: snippetWriter{},
		fields: snippetFields,
	},
	{
		name: "user/emails", display: "Email addresses",
		about:  "The email addresses of the credential's own user, confirmed or not.",
		list:   "/user/emails",
		id:     []string{"email"},
		read:   scopes{"email"},
		fields: emailFields,
	},
	{
		name: "user/permissions/repositories", display: "Own repository permissions",
		about:  "The repositories of the workspace that the credential's own user may use, and how.",
		list:   "/user/workspaces/{workspace}/permissions/repositories",
		id:     []string{"user.uuid", "repository.uuid"},
		read:   scopes{"account", "repository"},
		fields: repositoryPermissionFields,
	},
	{
		name: "user/permissions/workspaces", display: "Own workspace permissions",
		about: "The workspaces of the credential's own user, with the role in each: one request for each workspace.",
		list:  "/user/workspaces", item: "/user/workspaces/{id}/permission",
		id:     []string{"workspace.uuid"},
		walk:   walkPermissions,
		read:   scopes{"account"},
		fields: permissionFields,
	},
	{
		name: "workspaces", display: "Workspaces",
		about: "The workspaces of the credential's own user: one request for each workspace.",
		list:  "/user/workspaces", item: "/workspaces/{id}",
		id:    []string{"uuid"},
		moved: "updated_on",
		walk:  walkWorkspaces, read: scopes{"account"},
		fields: workspaceFields,
	},
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
	return nil, &connector.Error{
		Kind:    windlass.Invalid,
		Message: "there is no object " + quote(name),
		Remedy:  suggest(name, names),
	}
}
