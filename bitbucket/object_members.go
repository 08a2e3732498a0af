package bitbucket

import "slices"

var objectMembers = object{
	name: "members", display: "Members",
	about:  "The people in the workspace. A record's id is that of the user.",
	list:   "/workspaces/{workspace}/members",
	id:     []string{"user.uuid"},
	read:   scopes{"account"},
	fields: memberFields,
}

var memberFields = slices.Concat(
	[]field{text("type")},
	account("user"),
	itsWorkspace(),
	[]field{tree("links"), link("links.self.href")},
)
