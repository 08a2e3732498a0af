package windlass

import "time"

// Role is what a person may do in the dashboard.
type Role string

// The roles. An editor may do what a viewer may, and change things.
const (
	Viewer Role = "viewer"
	Editor Role = "editor"
)

// Allows reports whether the role includes another one.
func (r Role) Allows(needed Role) bool { return r == Editor || r == needed }

// A Session is one browser of one person who has signed in to the dashboard.
type Session struct {
	// Hash is that of the token in the browser's cookie; the token is not kept.
	Hash string
	// Subject says who it is: "admin", or issuer and subject of an OpenID Connect
	// account.
	Subject string
	Name    string // as shown to people
	Role    Role
	Created time.Time
	Seen    time.Time // when it was last used, to within a minute
	Expires time.Time
}

// An AuditEntry says who changed what.
type AuditEntry struct {
	ID        string // sorts by time
	ProjectID string // empty for what belongs to no project
	Time      time.Time
	Subject   string // who: see Session.Subject, or "key:" and an API key's id
	Name      string // the same for people
	Action    string // what was done, as in "destination.rotate"
	Target    string // to what: an id or a name
	Details   map[string]string
}

// AuditFilter chooses entries of the audit log, the newest first.
type AuditFilter struct {
	ProjectID string // that project's, and those of no project; empty chooses all
	Before    string // only those older than this id
	Limit     int    // at most so many; 0 means 100
}
