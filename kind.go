package windlass

// Kind says what sort of failure an error is, in terms that decide what
// happens next: which HTTP status an API answers, whether a job tries again,
// which exit code a command ends with. Each of those boundaries holds one
// table from Kind to its own verdict.
//
// A Kind is an error, so errors.Is(err, windlass.NotFound) asks any error that
// wraps or carries one.
type Kind string

// The kinds of failure. Unavailable, RateLimited, Malformed and Incomplete
// may pass by themselves; for the others a person has to change something first.
const (
	// Invalid: the request itself is wrong: an unknown object or field, a value
	// the provider refused. Repeating it unchanged fails again.
	Invalid Kind = "invalid"
	// Unauthorized: no credential, or one that the provider does not accept.
	Unauthorized Kind = "unauthorized"
	// NeedsReconnect: the credential was good once and the customer has to
	// consent again.
	NeedsReconnect Kind = "needs reconnect"
	// Forbidden: the credential is good but lacks a scope, a role, or the right
	// sort of authentication for this call.
	Forbidden Kind = "forbidden"
	// NotFound: the thing named does not exist, or the credential cannot see it.
	NotFound Kind = "not found"
	// Conflict: the thing exists already, or changed underneath the request.
	Conflict Kind = "conflict"
	// Gone: the provider has removed the endpoint or the thing for good.
	Gone Kind = "gone"
	// RateLimited: the budget of requests is spent; wait, then repeat.
	RateLimited Kind = "rate limited"
	// CursorExpired: a cursor no longer leads anywhere; start the read again.
	CursorExpired Kind = "cursor expired"
	// Unavailable: the provider is down, slow or unreachable.
	Unavailable Kind = "unavailable"
	// Malformed: the provider answered with something that is not what its
	// documents promise: cut JSON, HTML, a link to a foreign host.
	Malformed Kind = "malformed answer"
	// Incomplete: fewer records arrived than the provider said there were.
	Incomplete Kind = "incomplete"
	// Canceled: the caller gave up.
	Canceled Kind = "canceled"
	// Internal: a defect or a local failure, such as a full disk.
	Internal Kind = "internal"
)

// Error returns the kind's name, which makes a Kind usable with errors.Is.
func (k Kind) Error() string { return string(k) }

// Temporary reports whether a failure of this kind may pass without a change, so that
// waiting and repeating the same call makes sense.
func (k Kind) Temporary() bool {
	switch k {
	case RateLimited, Unavailable, Malformed, Incomplete:
		return true
	default:
		return false
	}
}
