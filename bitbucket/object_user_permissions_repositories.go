package bitbucket

var objectOwnRepositoryPermissions = object{
	name: "user/permissions/repositories", display: "Own repository permissions",
	about:  "The repositories of the workspace that the credential's own user may use, and how.",
	list:   "/user/workspaces/{workspace}/permissions/repositories",
	id:     []string{"user.uuid", "repository.uuid"},
	read:   scopes{"account", "repository"},
	fields: repositoryPermissionFields,
}
