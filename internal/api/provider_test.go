package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/connector"
)

// A fakeProvider is a provider whose answers are set by the test.
type fakeProvider struct {
	connector.Provider // what no request of the API asks for: it would panic

	mu       sync.Mutex
	exchange error // what Exchange fails with
	refresh  error
	check    error
	refused  int // how often Refresh was asked
}

func (p *fakeProvider) Info() connector.Info {
	return connector.Info{
		Name: "bitbucket", DisplayName: "Bitbucket Cloud", Brand: "Bitbucket", AuthType: connector.OAuth2,
		BaseURL: "https://api.example.com", Consent: &connector.ConsentInfo{AuthURL: "https://provider.example.com/authorize"},
	}
}

func (p *fakeProvider) Objects() []connector.Object {
	return []connector.Object{
		{Name: "repositories", DisplayName: "Repositories", Workspace: true, Create: true, Update: true},
		{Name: "workspaces", DisplayName: "Workspaces"},
		{Name: "addon/linkers", DisplayName: "Linkers"},
		{Name: "projects", DisplayName: "Projects", Create: true, Update: true, Delete: true},
		{Name: "snippets", DisplayName: "Snippets", Create: true},
		{Name: "hooks", DisplayName: "Hooks", Create: true},
	}
}

func (p *fakeProvider) Fields(object string) ([]connector.Field, error) {
	if object == "workspaces" {
		return nil, &windlass.Error{Kind: windlass.Unavailable, Op: "describe", Provider: &windlass.ProviderDetails{Status: 503}, Message: "try later"}
	}
	return []connector.Field{
		{Name: "name", DisplayName: "Name", Type: connector.String, ProviderType: "string"},
		{Name: "full_name", DisplayName: "Full name", Type: connector.String, ProviderType: "string", ReadOnly: true},
		{Name: "type", DisplayName: "Type", Type: connector.String, ProviderType: "string", ReadOnly: true},
		{Name: "description", DisplayName: "Description", Type: connector.String, ProviderType: "string"},
	}, nil
}

func (p *fakeProvider) OAuth(http.RoundTripper) connector.OAuth { return p }

func (p *fakeProvider) AuthorizeURL(app windlass.ProviderApp, consent connector.Consent) (string, error) {
	return fmt.Sprintf("https://provider.example.com/authorize?client_id=%s&state=%s&redirect_uri=%s", app.ClientID, consent.State, consent.Callback), nil
}

const (
	theAccessToken  = "access-token-that-must-stay-hidden"
	theRefreshToken = "refresh-token-that-must-stay-hidden"
)

func (p *fakeProvider) grant(err error) (connector.Grant, error) {
	return connector.Grant{
		AccessToken: windlass.NewSecret(theAccessToken), RefreshToken: windlass.NewSecret(theRefreshToken),
		ExpiresIn: 2 * time.Hour, Scopes: []string{"account", "repository"},
	}, err
}

func (p *fakeProvider) Exchange(context.Context, windlass.ProviderApp, string, connector.Consent) (connector.Grant, error) {
	return p.grant(p.exchange)
}

func (p *fakeProvider) Refresh(context.Context, windlass.ProviderApp, windlass.Secret) (connector.Grant, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	return p.grant(p.refresh)
}

func (p *fakeProvider) Transport(windlass.Credentials, http.RoundTripper) (http.RoundTripper, error) {
	return nowhere{}, nil
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("this provider has no API")
}

func (p *fakeProvider) Check(_ context.Context, _ *http.Client, workspace string) (connector.Account, error) {
	if named, byID := strings.CutSuffix(strings.TrimPrefix(workspace, "{"), "-uuid}"); byID {
		workspace = named // the one that it answered before
	}
	return connector.Account{
		User: "{user-uuid}", UserName: "Ada", Workspace: workspace, WorkspaceID: "{" + workspace + "-uuid}", WorkspaceName: strings.ToUpper(workspace),
		Membership: connector.Member, Scopes: []string{"account", "repository"},
	}, p.check
}

func (p *fakeProvider) Missing(_, _ []string) (none []string) { return nil }
