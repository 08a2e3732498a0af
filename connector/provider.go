package connector

import (
	"context"
	"net/http"
	"slices"

	"windlass"
)

// Provider is everything that a server knows about one provider. There is one value for
// each, made when the server is put together; it is safe for concurrent use. Only what
// differs between providers is a method: paying, counting, retrying and keeping
// credentials fresh are the server's.
type Provider interface {
	// Info returns the facts. They do not change, and callers do not change them.
	Info() Info
	// Objects returns what can be read and written, sorted by name.
	Objects() []Object
	// Fields returns the fields of an object, parents before children. It makes no
	// request, and fails with windlass.Invalid for an object that is not known.
	Fields(object string) ([]Field, error)
	// OAuth returns the provider's side of a consent, whose requests base sends; nil
	// where customers do not connect by one (see Info.AuthType).
	OAuth(base http.RoundTripper) OAuth
	// Transport returns a transport that puts credentials, of whichever sort they are,
	// on every request, and refuses requests to anywhere but the provider (invariant
	// 6). It refreshes nothing.
	Transport(credentials windlass.Credentials, base http.RoundTripper) (http.RoundTripper, error)
	// Check determines what the credentials of client give access to in a workspace. One
	// that does not exist, or that they cannot see, is a windlass.NotFound.
	Check(ctx context.Context, client *http.Client, workspace string) (Account, error)
	// Missing returns which of the required scopes a grant lacks, each once and sorted.
	Missing(granted, required []string) []string
	// Open returns a connector to one workspace. Its requests are sent through client,
	// which authenticates and pays for them, and sends again what may be.
	Open(client *http.Client, options Options) (Connector, error)
	// Limit reads the request limit from an answer. It reports false where there is none.
	Limit(resp *http.Response) (Limit, bool)
}

// OAuth is a provider's side of a consent. Its errors are of kind
// windlass.NeedsReconnect where the code or refresh token is refused,
// windlass.Unauthorized where the provider app is, and windlass.RateLimited or
// windlass.Unavailable where nothing is decided. None of its methods sends twice.
type OAuth interface {
	// AuthorizeURL returns the address of the page on which a customer consents.
	AuthorizeURL(app windlass.ProviderApp, consent Consent) (string, error)
	// Exchange turns the code that a consent brought back into tokens.
	Exchange(ctx context.Context, app windlass.ProviderApp, code string, consent Consent) (Grant, error)
	// Refresh turns a refresh token into a new access token.
	Refresh(ctx context.Context, app windlass.ProviderApp, token windlass.Secret) (Grant, error)
}

// Connector reads and writes the records of one workspace. What an object's row does
// not promise (see Object) fails with windlass.Invalid.
type Connector interface {
	Reader
	Writer
	Deleter
	Finder
	Getter
}

// Options say which workspace a connector is for.
type Options struct {
	// Workspace is the workspace's name or id. What belongs to the credential's own
	// user does without.
	Workspace string
	// Lessons names what the workspace's endpoints have shown of themselves (page
	// lengths that are refused, filters that work): connectors of one provider that
	// are opened with the same name share it, and try nothing twice. Empty shares
	// nothing.
	Lessons string
}

// Endpoints override the addresses of a provider, for example with those of a mock
// server for tests and trials. Empty uses the provider's own.
type Endpoints struct {
	// API is the base URL of its API, Site where its consent pages are.
	API, Site string
}

// Info is what is known of a provider without asking it.
type Info struct {
	// Name is its name in manifests, connections and settings.
	Name string
	// DisplayName is its name for people, and Brand the short one, for sentences.
	DisplayName, Brand string
	// AuthType is how customers connect.
	AuthType AuthType
	// BaseURL is where its API is known to be.
	BaseURL string
	// ProxyURL is what stands before the path of a proxied request; empty means
	// BaseURL. It differs where the provider is at other Endpoints.
	ProxyURL string
	// Consent says where customers consent; nil where AuthType is not OAuth2.
	Consent *ConsentInfo
	// HourlyLimit is how many requests an hour the provider documents for one
	// credential; 0 where it documents none.
	HourlyLimit int
	// Category is a word that the catalogue sorts providers by.
	Category string
	// IconURL is the address of a picture.
	IconURL string
	// Inputs are what has to be known of a connection besides its credentials, and
	// AppInputs what can be set on a provider app.
	Inputs, AppInputs []Input
}

// AuthType is how customers of a provider connect, in the contract's words.
type AuthType string

// The ways to connect.
const (
	OAuth2 AuthType = "oauth2"
	APIKey AuthType = "apiKey"
	Basic  AuthType = "basic"
)

// ConsentInfo says where customers consent, and where to read about it.
type ConsentInfo struct {
	AuthURL, TokenURL, DocsURL string
	// ScopesField is where the token endpoint's answer names the granted scopes.
	ScopesField string
	// App says how a product registers its provider app.
	App AppWords
}

// AppWords are a provider's words for a provider app, for pages that explain how to
// register one. In sentences **this** is the name of what is chosen on the provider's
// page, *this* a word of its own, and {callback} where the callback URL stands.
type AppWords struct {
	// Name is what the provider calls it, and About a sentence that says what it is.
	Name, About string
	// Steps lead to one.
	Steps []string
	// ClientID, ClientSecret, Scopes and Limit are hints to what is entered.
	ClientID, ClientSecret, Scopes, Limit string
}

// Input is a value that a person is asked for.
type Input struct {
	Name, DisplayName string
	// Prompt says what it is and where to find it; DocsURL, if set, says more.
	Prompt, DocsURL string
}

// InputHourlyLimit is the name of the input of a provider app by which its owner says
// how many requests an hour it may make.
const InputHourlyLimit = "hourlyLimit"

// Providers are those that a server is built with.
type Providers []Provider

// Named finds a provider by the name that manifests and connections have for it.
func (p Providers) Named(name string) (Provider, bool) {
	for _, provider := range p {
		if provider.Info().Name == name {
			return provider, true
		}
	}
	return nil, false
}

// Objects are those of the provider of a name; none of one that is not known. They are
// the caller's to change.
func (p Providers) Objects(name string) []Object {
	provider, known := p.Named(name)
	if !known {
		return nil
	}
	return slices.Clone(provider.Objects())
}

// Names are the names of all, in their order.
func (p Providers) Names() []string {
	names := make([]string, 0, len(p))
	for _, provider := range p {
		names = append(names, provider.Info().Name)
	}
	return names
}

// ObjectNamed finds one of several objects.
func ObjectNamed(objects []Object, name string) (Object, bool) {
	i := slices.IndexFunc(objects, func(o Object) bool { return o.Name == name })
	if i < 0 {
		return Object{}, false
	}
	return objects[i], true
}

// Scopes returns the scopes that reading an object needs, and with write those of
// creating and updating it as well.
func (o *Object) Scopes(write bool) []string {
	if write {
		return slices.Concat(o.ReadScopes, o.WriteScopes)
	}
	return o.ReadScopes
}

// SecretFields lists those at the top of a record whose values are not to be seen by
// anyone, such as the value of a variable.
func SecretFields(fields []Field) []string {
	var names []string
	for i := range fields {
		if fields[i].Secret {
			names = append(names, fields[i].Name)
		}
	}
	return names
}
