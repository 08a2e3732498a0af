package bitbucket

var objectEmails = object{
	name: "user/emails", display: "Email addresses",
	about:  "The email addresses of the credential's own user, confirmed or not.",
	list:   "/user/emails",
	id:     []string{"email"},
	read:   scopes{"email"},
	fields: emailFields,
}

var emailFields = []field{
	text("type"),
	text("email"),
	flag("is_primary"),
	flag("is_confirmed"),
	tree("links"),
	link("links.self.href"),
}
