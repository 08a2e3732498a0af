package connector

import (
	"time"

	"windlass"
)

// Consent holds the parameters that a provider's consent page and its token endpoint
// have in common.
type Consent struct {
	State    string // comes back with the code
	Callback string // where the code comes back to
	// Verifier is the secret half of a proof key (RFC 7636): the page is told its
	// hash, the token endpoint the verifier, so that a code is of no use with
	// another consent's. A provider that does not know the RFC ignores both.
	Verifier windlass.Secret
}

// Grant is the answer of a provider's token endpoint to a code or a refresh token.
type Grant struct {
	AccessToken windlass.Secret
	// ExpiresIn is how long the access token lives; zero when the provider does
	// not say.
	ExpiresIn time.Duration
	// RefreshToken is the one to use from now on. Where refresh tokens do not
	// rotate it is the one that was sent.
	RefreshToken windlass.Secret
	// Scopes are the ones granted; nil when the provider does not say.
	Scopes []string
}

// Account is what a credential gives access to: its person, if it belongs to one, and
// the workspace that was asked for.
type Account struct {
	// User is the provider's id of the credential's user; empty when the
	// credential may not tell, or has none.
	User     string
	UserName string // as shown to people
	// Workspace is the workspace's name in addresses, WorkspaceID its id, which
	// stays when it is renamed, and WorkspaceName its name for people.
	Workspace, WorkspaceID, WorkspaceName string
	// Membership says whether the user belongs to the workspace.
	Membership Membership
	// Scopes are the ones the credential has, where asking told; else nil.
	Scopes []string
}

// Membership says whether a credential's user belongs to a workspace.
type Membership string

// The answers: a credential may lack the scope to ask, or have no user.
const (
	Member        Membership = "member"
	NotMember     Membership = "not a member"
	MemberUnknown Membership = ""
)
