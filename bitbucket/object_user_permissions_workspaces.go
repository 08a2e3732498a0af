package bitbucket

import "windlass/connector"

var objectOwnWorkspacePermissions = object{
	name: "user/permissions/workspaces", display: "Own workspace permissions",
	about: "The workspaces of the credential's own user, with the role in each: one request for each workspace.",
	list:  "/user/workspaces", item: "/user/workspaces/{id}/permission",
	id:     []string{"workspace.uuid"},
	walk:   readMemberships(membershipItself),
	read:   scopes{"account"},
	fields: permissionFields,
}

// membershipItself: a membership says which workspace it is in, if not the role.
func membershipItself(membership connector.Record) connector.Record { return membership }
