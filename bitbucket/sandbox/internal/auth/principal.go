package auth

import (
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind is the sort of credential a request came with.
type Kind string

// The sorts of credential.
const (
	Anonymous Kind = "anonymous"
	// OAuth is a token a user consented to, or one that a Connect app exchanged
	// for its JWT.
	OAuth Kind = "oauth"
	// AppUser is a token of the client_credentials grant.
	AppUser Kind = "app user"
	// UserToken is an API token with its owner's email.
	UserToken Kind = "api token"
	// ResourceToken is an access token of a repository, project or workspace.
	ResourceToken Kind = "access token"
	// ConnectApp is an app's own JWT.
	ConnectApp Kind = "connect app"
)

// Principal is who a request comes from.
type Principal struct {
	Kind      Kind
	UserUUID  string // whom it acts as; "" when Anonymous
	Consumer  string // key of the OAuth consumer
	AppKey    string // of a Connect app
	ClientKey string // of its installation
	Owner     Owner  // of a ResourceToken
	Scopes    []string
	// LimitKey is who shares a limit with this request: the address when
	// anonymous, the user for API tokens, each access token, each installation of
	// an app, and the consumer for OAuth, for all of its users.
	LimitKey string
}

// vocabulary gives the scopes as the principal's kind of credential names them.
func (p Principal) vocabulary(scopes []string) []string {
	fine := slices.ContainsFunc(p.Scopes, isGranular)
	own := slices.ContainsFunc(scopes, isGranular)
	var named []string
	for _, scope := range scopes {
		switch {
		case isGranular(scope) == fine:
			named = append(named, scope)
		case fine && !own:
			named = append(named, granular(scope)[0])
		}
	}
	return named
}

// Authenticate finds out who a request comes from. Without an Authorization
// header that is Anonymous; whether this suffices is the
// endpoint's business ([Authority.LoginRequired]). The error is a *Failure.
//
// Only the header counts: since May 2026 Bitbucket takes a token nowhere else.
func (a *Authority) Authenticate(r *http.Request) (Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Principal{Kind: Anonymous, LimitKey: "address:" + address(r)}, nil
	}
	scheme, credentials, _ := strings.Cut(header, " ")
	credentials = strings.TrimSpace(credentials)
	switch {
	case scheme == "JWT": // in capitals only, says Atlassian
		app, err := a.verify(r, credentials)
		if err != nil {
			return Principal{}, a.unauthorized("JWT", err.Error())
		}
		return app.principal(ConnectApp), nil
	case strings.EqualFold(scheme, "Bearer"):
		return a.bearer(credentials)
	case strings.EqualFold(scheme, "Basic"):
		return a.basic(r)
	default:
		return Principal{}, a.unauthorized("Basic", "Authorization scheme is not supported")
	}
}

func address(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

func (a App) principal(kind Kind) Principal {
	return Principal{
		Kind: kind, UserUUID: a.UserUUID, AppKey: a.Key, ClientKey: a.ClientKey, Scopes: a.Scopes,
		LimitKey: "app:" + a.Key + ":" + a.ClientKey,
	}
}

func (a *Authority) bearer(token string) (Principal, error) {
	const invalid = "Token is invalid, expired, or not supported for this endpoint."
	now, key := a.options.Now(), digestOf(token)
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.accessTokens[key]; ok && !expired(t.Expires, now) {
		return Principal{
			Kind: ResourceToken, UserUUID: t.UserUUID, Owner: t.Owner, Scopes: t.Scopes,
			LimitKey: "token:" + hex.EncodeToString(key[:8]),
		}, nil
	}
	b, ok := a.bearers[key]
	switch {
	case !ok:
		return Principal{}, a.unauthorized("OAuth", invalid)
	case expired(b.expires, now):
		return Principal{}, a.unauthorized("OAuth", "Access token expired. Use your refresh token to obtain a new access token.")
	default:
		return b.principal, nil
	}
}

func (a *Authority) basic(r *http.Request) (Principal, error) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return Principal{}, a.unauthorized("Basic", "Basic credentials cannot be read")
	}
	now := a.options.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.apiTokens[digestOf(password)]
	user := a.users[t.UserUUID]
	switch {
	case ok && strings.EqualFold(name, user.Email) && !expired(t.Expires, now):
		return Principal{Kind: UserToken, UserUUID: t.UserUUID, Scopes: t.Scopes, LimitKey: "user:" + t.UserUUID}, nil
	case !strings.Contains(name, "@") || strings.HasPrefix(password, appPasswordPrefix):
		// A username is what app passwords went with; API tokens go with an email.
		return Principal{}, a.unauthorized("Basic", "App passwords are no longer supported. Use an API token with the email address of your Atlassian account.")
	default:
		return Principal{}, a.unauthorized("Basic", "Email or API token is invalid or expired")
	}
}

// appPasswordPrefix began every app password.
const appPasswordPrefix = "ATBB"

func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
