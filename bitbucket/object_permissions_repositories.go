package bitbucket

import "slices"

var objectRepositoryPermissions = object{
	name: "permissions/repositories", display: "Repository permissions",
	about:  "Who has which permission in which of the workspace's repositories. Only administrators of the workspace may see them.",
	list:   "/workspaces/{workspace}/permissions/repositories",
	id:     []string{"user.uuid", "repository.uuid"},
	read:   scopes{"account"},
	fields: repositoryPermissionFields,
}

var repositoryPermissionFields = slices.Concat(
	[]field{
		text("type"),
		choice("permission", "read", "write", "admin", "none"),
	},
	account("user"),
	itsRepository(),
)
