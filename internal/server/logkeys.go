package server

import "windlass/internal/logkey"

// The keys of what is logged.
const (
	logAddr     = logkey.Addr
	logURL      = logkey.URL
	logDatabase = logkey.Database
	logRoles    = logkey.Roles
	logProject  = logkey.ProjectName
	logVersion  = logkey.Version
	logError    = logkey.Error
	logStack    = logkey.Stack
	logTook     = logkey.Duration
	logDeadline = logkey.Deadline
	logRemoved  = logkey.Removed
	logKind     = logkey.Kind
	logProcess  = logkey.Process

	logOperations = logkey.Operations
	logRequests   = logkey.Requests
)
