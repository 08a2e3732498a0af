package sandbox

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"windlass/bitbucket/sandbox/internal/auth"
)

// A principal is who asks, with the person whose eyes they see with: the user
// of the sandbox for every credential it hands out, nil for anonymous ones.
type principal struct {
	auth.Principal
	user *user
}

func (p principal) anonymous() bool { return p.Kind == auth.Anonymous }

// require is the 403 for a principal that lacks one of the scopes. Who comes
// without any credential has none and needs none.
func (p principal) require(scopes ...string) error {
	if p.anonymous() || len(p.Missing(scopes...)) == 0 {
		return nil
	}
	return refused(auth.Forbidden(p.Principal, scopes...))
}

// refused makes a failure of what package auth answers.
func refused(f *auth.Failure) *failure {
	return &failure{sent: &answer{status: f.Status, header: f.Header, kind: f.ContentType, body: f.Body}}
}

// access holds the credentials of a server.
type access struct {
	authority *auth.Authority
	world     *world
	issued    atomic.Uint64
}

// The numbers of seeded secrets, and where those made later begin.
const (
	secretAccessToken = iota + 1
	secretAPIToken
	secretConsumerKey
	secretConsumer
	secretClientKey
	secretShared
	secretPassword
	secretsMade = 1000
)

const connectAppKey = "windlass-sandbox-app"

func newAccess(o *Options, w *world) *access {
	options := auth.Options{
		Now: o.Now, Seed: o.Seed, TokenLifetime: o.TokenLifetime, FixedRefresh: o.FixedRefresh,
		OldRefreshError: o.FixedRefresh, PlainText: o.PlainErrors, Scope: "scope",
	}
	if o.FixedRefresh {
		options.Scope = "scopes"
	}
	a := &access{authority: auth.New(options), world: w}
	for _, u := range w.users {
		a.authority.AddUser(auth.User{UUID: u.uuid, Username: u.nickname, DisplayName: u.name, Email: u.address()})
	}
	me := w.me
	a.authority.AddUser(auth.User{
		UUID: me.uuid, Username: me.nickname, DisplayName: me.name, Email: me.address(), Password: a.secret(secretPassword),
	})
	a.authority.AddAccessToken(auth.AccessToken{
		Token: a.secret(secretAccessToken), UserUUID: me.uuid, Scopes: classicScopes(),
		Owner: auth.Owner{Kind: auth.OwnedByWorkspace, UUID: w.workspaces[0].uuid},
	})
	a.authority.AddAPIToken(auth.APIToken{Token: a.secret(secretAPIToken), UserUUID: me.uuid, Scopes: granularScopes()})
	a.authority.AddConsumer(auth.Consumer{
		Key: a.secret(secretConsumerKey)[:18], Secret: a.secret(secretConsumer)[:32], Name: "Sandbox consumer",
		CallbackURL: o.CallbackURL, Scopes: classicScopes(), AppUser: me.uuid,
	})
	a.authority.AddApp(auth.App{
		Key: connectAppKey, ClientKey: a.secret(secretClientKey)[:32], SharedSecret: a.secret(secretShared),
		UserUUID: me.uuid, Scopes: classicScopes(),
	})
	return a
}

// secret is the n-th: forty characters that follow from the seed.
func (a *access) secret(n uint64) string {
	text := uuidOf(a.world.seed, kindToken, n) + uuidOf(a.world.seed+1, kindToken, n)
	return strings.NewReplacer("{", "", "}", "", "-", "").Replace(text)[:40]
}

// authenticate finds out who asks and whether the route answers such as them.
func (a *access) authenticate(r *http.Request, route *route) (principal, error) {
	found, err := a.authority.Authenticate(r)
	if err != nil {
		if f, ok := errors.AsType[*auth.Failure](err); ok {
			return principal{}, refused(f)
		}
		return principal{}, err
	}
	p := principal{Principal: found, user: a.world.user(found.UserUUID)}
	switch {
	case route.app && p.Kind != auth.ConnectApp:
		return p, refused(a.authority.AppTokenRequired())
	case p.anonymous() && !route.anonymous:
		return p, a.loginRequired()
	}
	return p, nil
}

func (a *access) loginRequired() error { return refused(a.authority.LoginRequired()) }

func (a *access) serveSite(w http.ResponseWriter, r *http.Request) { a.authority.ServeSite(w, r) }

// classicScopes are all scopes an OAuth consumer can be given.
func classicScopes() []string {
	return []string{
		"account", "account:write", "email", "team", "team:write",
		"project", "project:admin",
		"repository", "repository:write", "repository:admin", "repository:delete",
		"pullrequest", "pullrequest:write", "issue", "issue:write", "wiki",
		"snippet", "snippet:write", "webhook",
		"pipeline", "pipeline:write", "pipeline:variable", "runner", "runner:write",
	}
}

// granularScopes are all scopes an API token can be given that matter here.
func granularScopes() []string {
	var scopes []string
	for _, subject := range []string{
		"user", "workspace", "permission", "project", "repository", "pullrequest",
		"issue", "snippet", "webhook", "pipeline", "runner",
	} {
		for _, level := range []string{"read", "write", "delete", "admin"} {
			scopes = append(scopes, level+":"+subject+":bitbucket")
		}
	}
	return scopes
}
