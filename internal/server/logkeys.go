package server

// The keys of what is logged.
const (
	logAddr     = "addr"
	logURL      = "url"
	logDatabase = "database"
	logRoles    = "roles"
	logProject  = "project"
	logVersion  = "version"
	logError    = "error"
	logStack    = "stack"
	logTook     = "took"
	logDeadline = "deadline"
	logRemoved  = "removed"
	logKind     = "kind"
)
