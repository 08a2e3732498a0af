package bitbucket

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/connector"
)

// Name is the provider's name in manifests, connections and settings.
const Name = "bitbucket"

// Provider is Bitbucket Cloud to a server. The zero value is useful; it is safe for
// concurrent use and must not be copied after the first.
type Provider struct {
	// Endpoints are where Bitbucket is; empty means DefaultAPIURL and DefaultSiteURL.
	Endpoints connector.Endpoints
	// Now is the clock by which a Connect app's requests are signed and limits are
	// read; nil means time.Now.
	Now func() time.Time

	mu      sync.Mutex // guards lessons
	lessons map[string]*Lessons
}

var (
	_ connector.Provider  = (*Provider)(nil)
	_ connector.OAuth     = (*OAuth)(nil)
	_ connector.Connector = (*Connector)(nil)
)

// consumer is how a product registers an OAuth consumer.
var consumer = connector.AppWords{
	Name: "OAuth consumer", About: "An OAuth consumer of a Bitbucket workspace of yours.",
	Steps: []string{
		"In Bitbucket, open the workspace that is to own the consumer: **Settings** (the gear at the top right) → **Workspace settings**.",
		"Under **Apps and features** choose **OAuth consumers** → **Add consumer**.",
		"As **Callback URL** enter exactly {callback}",
		"Tick **This is a private consumer**, and the permissions that your manifest needs (see *First steps*).",
		"Save, open the consumer, and copy its **Key** and **Secret** into the fields below.",
	},
	ClientID: "Bitbucket calls it *Key*.", ClientSecret: "Bitbucket calls it *Secret*.",
	Scopes: "repository account webhook", Limit: "Bitbucket's usual limit of 1,000",
}

// The picture is Atlassian's, from where Bitbucket's own pages have it.
const icon = "https://bitbucket.org/favicon.ico"

// The parts of Info that callers share: they are asked for with every request.
var (
	consent = &connector.ConsentInfo{
		AuthURL: DefaultSiteURL + authorizePath, TokenURL: DefaultSiteURL + tokenPath, ScopesField: "scope",
		DocsURL: "https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/",
		App:     consumer,
	}
	inputs = []connector.Input{{
		Name: "workspace", DisplayName: "Workspace",
		Prompt:  "The workspace's id, which stands behind bitbucket.org/ in the address of any of its pages.",
		DocsURL: "https://support.atlassian.com/bitbucket-cloud/docs/what-is-a-workspace/",
	}}
	appInputs = []connector.Input{{
		Name: connector.InputHourlyLimit, DisplayName: "Requests an hour",
		Prompt: "How many requests an hour all connections of this consumer may make together. Leave it empty for Bitbucket's usual limit.",
	}}
)

// Info returns the facts. The proxy's paths begin with the API's version themselves,
// so what stands before them ends there.
func (p *Provider) Info() connector.Info {
	return connector.Info{
		Name: Name, DisplayName: "Bitbucket Cloud", Brand: "Bitbucket", Category: "developer-tools", IconURL: icon,
		AuthType: connector.OAuth2, Consent: consent, Inputs: inputs, AppInputs: appInputs,
		BaseURL: "https://api.bitbucket.org", ProxyURL: strings.TrimSuffix(strings.TrimRight(p.Endpoints.API, "/"), "/2.0"),
		HourlyLimit: 1000, // for repository data
	}
}

// Objects returns what can be done with each object, sorted by name.
func (*Provider) Objects() []connector.Object { return Objects() }

// Fields returns the fields of an object, which are the same for every customer.
func (*Provider) Fields(object string) ([]connector.Field, error) { return Describe(object) }

// OAuth returns Bitbucket's side of a consent.
func (p *Provider) OAuth(base http.RoundTripper) connector.OAuth {
	return &OAuth{SiteURL: p.Endpoints.Site, Base: base}
}

// Transport returns a transport that puts credentials, of whichever sort they
// are, on every request to the API, and refuses requests to anywhere else. It
// does not refresh anything.
func (p *Provider) Transport(credentials windlass.Credentials, base http.RoundTripper) (http.RoundTripper, error) {
	credential, err := credentialOf(credentials)
	if err != nil {
		return nil, err
	}
	if app, signs := credential.(connectApp); signs && p.Now != nil {
		app.now = p.Now
		credential = app
	}
	return NewTransport(credential, p.Endpoints.API, base)
}

// Open returns a connector to one workspace.
func (p *Provider) Open(client *http.Client, options connector.Options) (connector.Connector, error) {
	opts := &Options{Workspace: options.Workspace, APIURL: p.Endpoints.API}
	if options.Lessons != "" {
		opts.Lessons = p.learnt(options.Lessons)
	}
	c, err := New(client, opts)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// maxLessons bounds what is remembered of workspaces: beyond it all is learnt
// anew, at two requests for each workspace with projects.
const maxLessons = 10_000

// learnt returns what is shared by all who read a workspace, so that a scheduled read
// does not pay again for finding it out.
func (p *Provider) learnt(name string) *Lessons {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.lessons[name]
	if !ok {
		if p.lessons == nil || len(p.lessons) >= maxLessons {
			p.lessons = map[string]*Lessons{}
		}
		known = &Lessons{}
		p.lessons[name] = known
	}
	return known
}

// Limit reads what an answer says of the rolling hour's budget, in the names that many
// providers share. For OAuth credentials it usually says nothing.
func (p *Provider) Limit(resp *http.Response) (connector.Limit, bool) {
	now := time.Now
	if p.Now != nil {
		now = p.Now
	}
	return connector.ParseLimit(resp.Header, now())
}
