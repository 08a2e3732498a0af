// Package auth is everything the sandbox knows about credentials: who may call,
// with what scopes, whose limit a call counts against, and the OAuth pages and
// token endpoint under /site/oauth2.
//
// [New] makes an [Authority]; its Add methods register users, API tokens, access
// tokens, OAuth consumers and Connect apps. [Authority.Authenticate] turns a
// request into a [Principal] or into the [Failure] to answer with;
// [Principal.Missing] and [Forbidden] check scopes; [Authority.ServeSite] serves
// the site. [Authority.Issue] and [Authority.Consent] do without the pages what
// a user would do on them.
//
// Everything it makes up (codes, tokens, sessions) follows from Options.Seed and
// the order of requests, so that runs can be repeated. That also makes it no
// protection for anything: it is for tests and demonstrations.
//
// Facts are Atlassian's "Authentication methods" and "Query string hash"; where
// they leave something open, the choice is noted where it is made.
package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the ways in which Bitbucket's behaviour varies. The zero value is
// today's Bitbucket.
type Options struct {
	Now  func() time.Time // nil is time.Now
	Seed uint64           // of everything made up

	TokenLifetime   time.Duration // of access tokens; 0 is an hour, as documented (two were seen)
	CodeLifetime    time.Duration // of authorization codes; 0 is five minutes
	RefreshGrace    time.Duration // how long a used refresh token still works; 0 is ten minutes
	RefreshLifetime time.Duration // of an unused one; 0 is 90 days
	FixedRefresh    bool          // refresh tokens do not rotate, as before 2026
	Scope           string        // the key of a token answer that names the scopes; "" is "scopes"
	TokenSize       int           // characters of an access token; 0 is 2,600
	OldRefreshError bool          // a bad refresh token is invalid_request, as in 2017
	NoProofKeys     bool          // RFC 7636 is not known: what belongs to it is ignored
	PlainText       bool          // 401 answers are plain text rather than JSON
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.TokenLifetime, time.Hour)
	setDefault(&o.CodeLifetime, 5*time.Minute)
	setDefault(&o.RefreshGrace, 10*time.Minute)
	setDefault(&o.RefreshLifetime, 90*24*time.Hour)
	setDefault(&o.Scope, "scopes")
	setDefault(&o.TokenSize, 2600)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// User is a person, or an app user that only acts.
type User struct {
	UUID        string // in braces
	Username    string
	DisplayName string // "" is Username
	Email       string
	Password    string // for the login form only; "" cannot log in
}

// Consumer is an OAuth consumer.
type Consumer struct {
	Key, Secret string
	Name        string // on the consent page; "" is Key
	CallbackURL string
	Scopes      []string // set here and not by the request, as on Bitbucket
	// AppUser is the uuid that client_credentials tokens act as; "" refuses that
	// grant, as for a consumer that is not private.
	AppUser string
	// Disabled is a consumer that its owner, or Atlassian, has switched off: its
	// pages and its token endpoint refuse, whatever they are asked.
	Disabled bool
}

// APIToken is a user's token, used as the password of HTTP Basic with the
// user's email.
type APIToken struct {
	Token    string
	UserUUID string
	Scopes   []string  // read:repository:bitbucket and the like, or the classic names
	Expires  time.Time // zero is never
}

// OwnerKind is what an access token belongs to.
type OwnerKind string

// The owners of access tokens.
const (
	OwnedByRepository OwnerKind = "repository"
	OwnedByProject    OwnerKind = "project"
	OwnedByWorkspace  OwnerKind = "workspace"
)

// Owner is what an access token gives access to, and nothing beyond.
type Owner struct {
	Kind OwnerKind
	UUID string
}

// AccessToken is a repository, project or workspace access token.
type AccessToken struct {
	Token    string
	UserUUID string // of the user that Bitbucket shows in its place
	Owner    Owner
	Scopes   []string
	Expires  time.Time // zero is never
}

// App is one installation of a Connect app.
type App struct {
	Key          string // of the app: the iss of its tokens
	ClientKey    string // of the installation: their sub
	SharedSecret string
	UserUUID     string // the account for which it is installed
	Scopes       []string
}

// Authority holds the credentials and decides. Its methods may be called at
// once.
type Authority struct {
	options Options
	pages   *template.Template

	mu           sync.Mutex
	users        map[string]User
	consumers    map[string]Consumer
	apps         map[appID]App
	apiTokens    map[digest]APIToken
	accessTokens map[digest]AccessToken

	bearers  map[digest]bearer  // OAuth access tokens
	refresh  map[digest]refresh // refresh tokens
	codes    map[digest]code
	sessions map[digest]session
	made     uint64    // how many secrets were made up
	swept    time.Time // when expired ones were last thrown away
	requests int       // at the token endpoint
}

type appID struct{ key, clientKey string }

// digest stands for a secret in maps: access tokens are long.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

// New returns an Authority that knows no credential yet.
func New(options Options) *Authority {
	return &Authority{
		options: options.withDefaults(), pages: parsePages(),
		users: map[string]User{}, consumers: map[string]Consumer{}, apps: map[appID]App{},
		apiTokens: map[digest]APIToken{}, accessTokens: map[digest]AccessToken{},
		bearers: map[digest]bearer{}, refresh: map[digest]refresh{}, codes: map[digest]code{}, sessions: map[digest]session{},
	}
}

// AddUser registers a user, replacing one of the same uuid.
func (a *Authority) AddUser(u User) {
	setDefault(&u.DisplayName, u.Username)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users[u.UUID] = u
}

// AddConsumer registers an OAuth consumer, replacing one of the same key.
func (a *Authority) AddConsumer(c Consumer) {
	setDefault(&c.Name, c.Key)
	c.Scopes = slices.Clone(c.Scopes)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.consumers[c.Key] = c
}

// ChangeConsumer changes a consumer, as its owner can in the settings; it reports
// whether there is one of that key.
func (a *Authority) ChangeConsumer(key string, change func(*Consumer)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, known := a.consumers[key]
	if known {
		change(&c)
		a.consumers[key] = c
	}
	return known
}

// AddApp registers an installation of a Connect app.
func (a *Authority) AddApp(app App) {
	app.Scopes = slices.Clone(app.Scopes)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apps[appID{app.Key, app.ClientKey}] = app
}

// AddAPIToken registers a user's API token.
func (a *Authority) AddAPIToken(t APIToken) {
	t.Scopes = slices.Clone(t.Scopes)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apiTokens[digestOf(t.Token)] = t
}

// AddAccessToken registers an access token.
func (a *Authority) AddAccessToken(t AccessToken) {
	t.Scopes = slices.Clone(t.Scopes)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accessTokens[digestOf(t.Token)] = t
}

// newSecret makes up a string of letters, digits, - and _ that was never made
// before. The caller holds the lock.
func (a *Authority) newSecret(purpose string, length int) string {
	a.made++
	mac := hmac.New(sha256.New, binary.BigEndian.AppendUint64(nil, a.options.Seed))
	var out strings.Builder
	for block := 0; out.Len() < length; block++ {
		mac.Reset()
		_, _ = fmt.Fprintf(mac, "%s %d %d", purpose, a.made, block)
		out.WriteString(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	}
	return out.String()[:length]
}
