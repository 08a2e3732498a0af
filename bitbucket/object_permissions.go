package bitbucket

import "slices"

var objectPermissions = object{
	name: "permissions", display: "Workspace permissions",
	about:  "The people in the workspace and the role of each.",
	list:   "/workspaces/{workspace}/permissions",
	id:     []string{"user.uuid"},
	read:   scopes{"account"},
	fields: permissionFields,
}

// permissionFields: added_on and last_accessed are absent where the
// organization is administered at admin.atlassian.com.
var permissionFields = slices.Concat(
	[]field{
		text("type"),
		choice("permission", "owner", "create-project", "collaborator", "member"),
		moment("added_on"),
		moment("last_accessed"),
	},
	account("user"),
	itsWorkspace(),
	[]field{tree("links")},
)
