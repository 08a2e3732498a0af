package bitbucket

var objectLinkers = object{
	name: "addon/linkers", display: "Linkers",
	about:  "Link modules of a Connect app. Answers only that app's own JWT; gone from Atlassian's document since early 2026.",
	list:   "/addon/linkers",
	id:     []string{"key"},
	access: ConnectAppOnly,
	remedies: remedies{
		unauthorized: "addon/linkers answers only the JWT of a Connect app: use the app's key, client key and shared secret",
	},
	fields: linkerFields,
}

// linkerFields: no document gives a linker's fields; these are those of the
// module in an app's descriptor.
var linkerFields = []field{
	text("key"),
	text("name"),
	text("type"),
	tree("links"),
}
