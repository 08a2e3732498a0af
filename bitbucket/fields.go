package bitbucket

import "slices"

// The fields of each object in the table: those of Atlassian's document and
// those that recorded bodies have beside them. Nested fields follow their
// parents.

// account returns the fields of a user or team under a parent.
func account(parent string) []field {
	return []field{
		reference(parent, "members"),
		text(parent + ".type"),
		text(parent + ".uuid"),
		text(parent + ".display_name"),
		text(parent + ".nickname"),
		text(parent + ".username"),
		text(parent + ".account_id"),
		tree(parent + ".links"),
	}
}

// itsWorkspace returns the fields of the workspace inside another record.
func itsWorkspace() []field {
	return []field{
		reference("workspace", "workspaces"),
		text("workspace.type"),
		text("workspace.uuid"),
		text("workspace.name"),
		text("workspace.slug"),
		tree("workspace.links"),
	}
}

// itsRepository returns the fields of the repository inside another record.
func itsRepository() []field {
	return []field{
		reference("repository", "repositories"),
		text("repository.type"),
		text("repository.uuid"),
		text("repository.name"),
		text("repository.full_name"),
		tree("repository.links"),
	}
}

// hookEvents are the events a webhook can ask for.
var hookEvents = []string{
	"issue:comment_created", "issue:created", "issue:updated",
	"pipeline:span_created", "project:updated",
	"pullrequest:approved", "pullrequest:changes_request_created", "pullrequest:changes_request_removed",
	"pullrequest:comment_created", "pullrequest:comment_deleted", "pullrequest:comment_reopened",
	"pullrequest:comment_resolved", "pullrequest:comment_updated", "pullrequest:created",
	"pullrequest:fulfilled", "pullrequest:push", "pullrequest:rejected",
	"pullrequest:unapproved", "pullrequest:updated",
	"repo:commit_comment_created", "repo:commit_status_created", "repo:commit_status_updated",
	"repo:created", "repo:deleted", "repo:fork", "repo:imported", "repo:push", "repo:transfer", "repo:updated",
}

var repositoryFields = slices.Concat(
	[]field{
		text("type"),
		text("uuid"),
		text("full_name"),
		text("name").with(writable),
		text("slug").with(createOnly),
		text("description").with(writable),
		choice("scm", "git").with(createOnly),
		link("website").with(writable),
		flag("is_private").with(writable),
		choice("fork_policy", "allow_forks", "no_public_forks", "no_forks").with(writable),
		moment("created_on"),
		moment("updated_on"),
		number("size"),
		text("language").with(writable),
		flag("has_issues").with(writable),
		flag("has_wiki").with(writable),
		flag("enforced_signed_commits"),
		reference("project", "projects").with(writable),
		text("project.type"),
		text("project.key").with(writable),
		text("project.uuid").with(writable),
		text("project.name"),
		tree("project.links"),
		tree("mainbranch").with(writable),
		text("mainbranch.type"),
		text("mainbranch.name").with(writable),
		reference("parent", "repositories"),
		text("parent.uuid"),
		text("parent.full_name"),
		tree("override_settings"),
		flag("override_settings.default_merge_strategy"),
		flag("override_settings.branching_model"),
		tree("links"),
		link("links.self.href"),
		link("links.html.href"),
		link("links.avatar.href"),
		list("links.clone"),
	},
	account("owner"),
	itsWorkspace(),
)

var projectFields = slices.Concat(
	[]field{
		text("type"),
		text("uuid"),
		text("key").with(required),
		text("name").with(required),
		text("description").with(writable),
		flag("is_private").with(writable),
		flag("has_publicly_visible_repos"),
		moment("created_on"),
		moment("updated_on"),
		tree("links").with(writable),
		link("links.self.href"),
		link("links.html.href"),
		link("links.avatar.href").with(writable),
	},
	account("owner"),
	itsWorkspace(),
)

var hookFields = []field{
	text("type"),
	text("uuid"),
	text("description").with(writable),
	link("url").with(required),
	flag("active").with(writable),
	choices("events", hookEvents...).with(required),
	text("secret").with(writeOnly).hidden(),
	flag("secret_set"),
	flag("skip_cert_verification").with(writable),
	flag("history_enabled"),
	flag("read_only"),
	text("source"),
	moment("created_at"),
	choice("subject_type", "repository", "workspace"),
	tree("subject"),
	text("subject.type"),
	text("subject.uuid"),
	text("subject.name"),
	text("subject.slug"),
	text("subject.full_name"),
	tree("subject.links"),
	tree("links"),
	link("links.self.href"),
}

var memberFields = slices.Concat(
	[]field{text("type")},
	account("user"),
	itsWorkspace(),
	[]field{tree("links"), link("links.self.href")},
)

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

var repositoryPermissionFields = slices.Concat(
	[]field{
		text("type"),
		choice("permission", "read", "write", "admin", "none"),
	},
	account("user"),
	itsRepository(),
)

var variableFields = []field{
	text("type"),
	text("uuid"),
	text("key").with(required),
	text("value").with(required).hidden(),
	flag("secured").with(writable),
}

// snippetFields: Atlassian's document calls id an integer; it is a short string.
var snippetFields = slices.Concat(
	[]field{
		text("type"),
		text("id"),
		text("title").with(writable),
		flag("is_private").with(writable),
		choice("scm", "git").with(createOnly),
		tree("files").with(writable),
		moment("created_on"),
		moment("updated_on"),
		tree("links"),
		link("links.self.href"),
		link("links.html.href"),
	},
	account("owner"),
	account("creator"),
	itsWorkspace(),
)

var emailFields = []field{
	text("type"),
	text("email"),
	flag("is_primary"),
	flag("is_confirmed"),
	tree("links"),
	link("links.self.href"),
}

// eventFields: subject is ours; Bitbucket has it in the path only.
var eventFields = []field{
	choice("subject", "repository", "workspace"),
	choice("event", hookEvents...),
	text("category"),
	text("label"),
	text("description"),
}

var workspaceFields = []field{
	text("type"),
	text("uuid"),
	text("name"),
	text("slug"),
	flag("is_private"),
	flag("is_personal"),
	flag("is_privacy_enforced"),
	choice("forking_mode", "allow_forks", "internal_only"),
	moment("created_on"),
	moment("updated_on"),
	tree("links"),
	link("links.self.href"),
	link("links.html.href"),
	link("links.avatar.href"),
}

// linkerFields: no document gives a linker's fields; these are those of the
// module in an app's descriptor.
var linkerFields = []field{
	text("key"),
	text("name"),
	text("type"),
	tree("links"),
}
