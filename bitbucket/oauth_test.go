package bitbucket_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

const oauthCallback = "https://windlass.example.com/callbacks/v1/oauth"

func oauthWorld(t *testing.T, opts sandbox.Options) (*sandbox.Server, *bitbucket.OAuth, windlass.ProviderApp) {
	t.Helper()
	opts.CallbackURL, opts.Repositories = oauthCallback, 3
	server := sandbox.New(&opts)
	keys := server.Credentials()
	return server, &bitbucket.OAuth{Base: server.Transport()}, windlass.ProviderApp{
		ID: "app-1", ClientID: keys.ConsumerKey, ClientSecret: windlass.NewSecret(keys.ConsumerSecret),
	}
}

func codeOf(t *testing.T, server *sandbox.Server, page string) string {
	t.Helper()
	back, err := server.Consent(page)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	return address.Query().Get("code")
}

func TestOAuthFromConsentToRefresh(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fixed bool
	}{{"refresh tokens that rotate", false}, {"refresh tokens that stay", true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server, oauth, app := oauthWorld(t, sandbox.Options{FixedRefresh: row.fixed})
			page, err := oauth.AuthorizeURL(app, connector.Consent{State: "the state", Callback: oauthCallback})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(page, "https://bitbucket.org/site/oauth2/authorize?") || strings.Contains(page, "scope=") {
				t.Errorf("the page is %s", page)
			}
			grant, err := oauth.Exchange(t.Context(), app, codeOf(t, server, page), connector.Consent{Callback: oauthCallback})
			if err != nil {
				t.Fatal(err)
			}
			if grant.ExpiresIn != 2*time.Hour || grant.RefreshToken.IsZero() || !slices.Contains(grant.Scopes, "repository") {
				t.Errorf("granted for %v with scopes %v", grant.ExpiresIn, grant.Scopes)
			}
			next, err := oauth.Refresh(t.Context(), app, grant.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			if next.AccessToken == grant.AccessToken || (next.RefreshToken == grant.RefreshToken) != row.fixed {
				t.Error("the tokens are not the next ones")
			}
			provider := &bitbucket.Provider{}
			transport, err := provider.Transport(windlass.Credentials{AccessToken: next.AccessToken}, server.Transport())
			if err != nil {
				t.Fatal(err)
			}
			account, err := provider.Check(t.Context(), &http.Client{Transport: transport}, "acme")
			if err != nil {
				t.Fatal(err)
			}
			if account.Membership != connector.Member || account.Workspace != "acme" || account.User == "" ||
				account.WorkspaceID != server.Credentials().WorkspaceUUID {
				t.Errorf("the account is %+v", account)
			}
		})
	}
}

// What the token endpoint may say to a refresh, and what it means.
func TestRefreshAnswers(t *testing.T) {
	t.Parallel()
	const (
		sent  = "the-refresh-token-that-was-sent"
		json  = "application/json"
		html  = "text/html"
		token = `{"access_token":"the-new-access-token","refresh_token":"next","expires_in":7200,"token_type":"bearer"`
	)
	for _, row := range []struct {
		name    string
		status  int
		kind    string
		body    string
		headers []string
		want    windlass.Kind
		says    string
		wait    time.Duration
	}{
		{name: "a refused token", status: 400, kind: json, body: `{"error":"invalid_grant","error_description":"Invalid refresh_token"}`, want: windlass.NeedsReconnect, says: "Invalid refresh_token"},
		{name: "a refused token, as in 2017", status: 400, kind: json, body: `{"error_description":"Invalid refresh_token","error":"invalid_request"}`, want: windlass.NeedsReconnect},
		{name: "a refused token, in words", status: 400, kind: "text/plain", body: "Token is invalid or not supported for this endpoint.", want: windlass.NeedsReconnect},
		{name: "a refused token, with another status", status: 401, kind: json, body: `{"error":"invalid_grant"}`, want: windlass.NeedsReconnect},
		{name: "a consumer without a callback", status: 400, kind: json, body: `{"error":"invalid_request","error_description":"No callback uri defined for the OAuth client"}`, want: windlass.Unauthorized, says: `"app-1"`},
		{name: "a grant that blames the callback", status: 400, kind: json, body: `{"error":"invalid_grant","error_description":"redirect_uri differs"}`, want: windlass.Unauthorized, says: "callback URL"},
		{name: "a token of another client", status: 400, kind: json, body: `{"error":"invalid_grant","error_description":"The refresh token was issued to another client"}`, want: windlass.Unauthorized, says: `"app-1"`},
		{name: "a consumer that is disabled", status: 400, kind: json, body: `{"type":"error","error":{"message":"This consumer has been disabled"}}`, want: windlass.Unauthorized, says: "enabled"},
		{name: "a consumer that is disabled, and forbidden", status: 403, kind: json, body: `{"type":"error","error":{"message":"OAuth consumer has been disabled"}}`, want: windlass.Unauthorized, says: "enabled"},
		{name: "a plain 401", status: 401, kind: "text/plain", body: "Unauthorized", want: windlass.Unauthorized, says: `"app-1"`},
		{name: "a 401 without a body", status: 401, kind: "text/plain", want: windlass.Unauthorized, says: "HTTP 401"},
		{name: "a 401 of the API's", status: 401, kind: "text/plain", body: "Token is invalid or not supported for this endpoint.", want: windlass.Unauthorized},
		{name: "a grant that the client may not use", status: 400, kind: json, body: `{"error":"unsupported_grant_type"}`, want: windlass.Unauthorized},
		{name: "a refusal of nothing in particular", status: 400, kind: json, body: `{"error":"invalid_request"}`, want: windlass.Unauthorized},
		{name: "a refused token, in the API's manner", status: 400, kind: json, body: `{"type":"error","error":{"message":"Token expired"}}`, want: windlass.NeedsReconnect, says: "Token expired"},
		{name: "a refusal that claims success", status: 200, kind: json, body: `{"error":"invalid_grant"}`, want: windlass.NeedsReconnect},
		{name: "a refusal that repeats the token", status: 400, kind: json, body: `{"error":"invalid_grant","error_description":"no ` + sent + ` here"}`, want: windlass.NeedsReconnect, says: "no ••• here"},
		{name: "a refusal that is cut off in the token it repeats", status: 400, kind: json, body: `{"error":"invalid_grant","error_description":"` + strings.Repeat("x", 275) + " " + sent + `"}`, want: windlass.NeedsReconnect, says: "x •••…"},
		{name: "a refusal that repeats the token as a field's", status: 400, kind: json, body: `{"type":"error","error":{"message":"Bad","fields":{"refresh_token":"` + sent + `"}}}`, want: windlass.NeedsReconnect, says: "(refresh_token: •••)"},
		{name: "a bad client", status: 400, kind: json, body: `{"error":"unauthorized_client","error_description":"Invalid OAuth client credentials"}`, want: windlass.Unauthorized, says: `"app-1"`},
		{name: "a bad client, by the book", status: 401, kind: json, body: `{"error":"invalid_client"}`, want: windlass.Unauthorized, says: `"app-1"`},
		{name: "a limit", status: 429, kind: "text/plain", body: "Rate limit for this resource has been exceeded", headers: []string{"Retry-After", "90"}, want: windlass.RateLimited, says: "Rate limit", wait: 90 * time.Second},
		{name: "a limit that blames the token", status: 429, kind: json, body: `{"error":"invalid_request"}`, want: windlass.RateLimited},
		{name: "a failure", status: 500, kind: json, body: `{"error":"invalid_request"}`, want: windlass.Unavailable},
		{name: "maintenance", status: 503, kind: html, body: "<html><title>Down</title></html>", headers: []string{"Retry-After", "60"}, want: windlass.Unavailable, says: "Down", wait: time.Minute},
		{name: "a passing error", status: 400, kind: json, body: `{"error":"temporarily_unavailable"}`, want: windlass.Unavailable},
		{name: "a gateway's page", status: 400, kind: html, body: "<!DOCTYPE html><html></html>", want: windlass.Unavailable, says: "HTML"},
		{name: "a gateway's page that is fine", status: 200, kind: html, body: "<html>Log in</html>", want: windlass.Unavailable, says: "HTML"},
		{name: "a firewall", status: 403, kind: json, body: `{"message":"blocked"}`, want: windlass.Unavailable},
		{name: "a redirect", status: 302, kind: html, headers: []string{"Location", "https://elsewhere.example.org/"}, want: windlass.Unavailable},
		{name: "a refusal cut off", status: 400, kind: json, body: `{"error":"invalid_gr`, want: windlass.Unavailable},
		{name: "tokens cut off", status: 200, kind: json, body: token, want: windlass.Unavailable, says: "broke off"},
		{name: "tokens as a form", status: 200, kind: json, body: "access_token=the-new-access-token", want: windlass.Unavailable},
		{name: "nothing", status: 200, kind: json, want: windlass.Unavailable},
		{name: "no access token", status: 200, kind: json, body: `{"refresh_token":"next"}`, want: windlass.Unavailable},
		{name: "an access token with a line of its own", status: 200, kind: json, body: `{"access_token":"a\r\nHost: x","token_type":"bearer"}`, want: windlass.Unavailable},
		{name: "a token of another sort", status: 200, kind: json, body: `{"access_token":"a","token_type":"mac"}`, want: windlass.Unavailable},
		{name: "far too much", status: 200, kind: json, body: token + `,"x":"` + strings.Repeat("x", 1<<20) + `"}`, want: windlass.Unavailable},
		{name: "tokens", status: 200, kind: json, body: token + `}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			oauth := bitbucket.OAuth{Base: transportFunc(func(req *http.Request) (*http.Response, error) {
				requests++
				form, err := io.ReadAll(req.Body)
				if err != nil {
					t.Error(err)
				}
				if user, password, _ := req.BasicAuth(); user != "key" || password != "s3cret" || strings.Contains(string(form), "s3cret") {
					t.Errorf("the client is %q, the form %s", user, form)
				}
				if req.URL.String() != "https://bitbucket.org/site/oauth2/access_token" || req.Method != http.MethodPost ||
					string(form) != "grant_type=refresh_token&refresh_token="+sent {
					t.Errorf("%s %s with %s", req.Method, req.URL, form)
				}
				return reply(row.status, row.body, append(row.headers, "Content-Type", row.kind)...), nil
			})}
			app := windlass.ProviderApp{ID: "app-1", ClientID: "key", ClientSecret: windlass.NewSecret("s3cret")}
			grant, err := oauth.Refresh(t.Context(), app, windlass.NewSecret(sent))
			if requests != 1 {
				t.Errorf("%d requests, want 1", requests)
			}
			if row.want == "" {
				if err != nil || grant.AccessToken.Reveal() != "the-new-access-token" || grant.RefreshToken.Reveal() != "next" {
					t.Errorf("got %v", err)
				}
				return
			}
			known := typed(t, err)
			if known.Kind != row.want || !strings.Contains(err.Error(), row.says) || known.RetryAfter != row.wait || known.Remedy == "" {
				t.Errorf("got %q, wait %v: %v", known.Kind, known.RetryAfter, err)
			}
			for _, secret := range []string{sent, "s3cret", "the-new-access-token"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("it shows a secret: %v", err)
				}
			}
		})
	}
}

func TestTokenEndpointOutOfReach(t *testing.T) {
	t.Parallel()
	app := windlass.ProviderApp{ClientID: "key"}
	for _, row := range []struct {
		name string
		base transportFunc
		want windlass.Kind
	}{
		{"no route", func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, windlass.Unavailable},
		{"no answer in time", func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}, windlass.Unavailable},
		{"an answer that breaks off", func(*http.Request) (*http.Response, error) { return cut(`{"access_token":"a`), nil }, windlass.Unavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := (&bitbucket.OAuth{Base: row.base}).Refresh(ctx, app, windlass.NewSecret("token"))
			if known := typed(t, err); known.Kind != row.want {
				t.Errorf("got %q: %v", known.Kind, err)
			}
		})
	}
}

func TestCheckSaysWhatACredentialIsGoodFor(t *testing.T) {
	t.Parallel()
	server, _, _ := oauthWorld(t, sandbox.Options{})
	provider, keys := &bitbucket.Provider{}, server.Credentials()
	for _, row := range []struct {
		name        string
		credentials windlass.Credentials
		workspace   string
		member      connector.Membership
		fails       windlass.Kind
		says        string
	}{
		{"an access token", windlass.Credentials{APIKey: windlass.NewSecret(keys.AccessToken)}, "acme", connector.Member, "", ""},
		{"an API token, and a workspace by its id", windlass.Credentials{Username: keys.Email, Password: windlass.NewSecret(keys.APIToken)}, keys.WorkspaceUUID, connector.Member, "", ""},
		{"a Connect app", windlass.Credentials{AppKey: keys.ConnectAppKey, ClientKey: keys.ConnectClientKey, SharedSecret: windlass.NewSecret(keys.ConnectSharedSecret)}, "acme", connector.Member, "", ""},
		{"without the scope account it cannot be told", windlass.Credentials{APIKey: windlass.NewSecret(server.NewAccessToken("repository"))}, "acme", connector.MemberUnknown, "", ""},
		{"an unknown workspace", windlass.Credentials{APIKey: windlass.NewSecret(keys.AccessToken)}, "nowhere", "", windlass.NotFound, "covers acme"},
		{"a path for a workspace", windlass.Credentials{APIKey: windlass.NewSecret(keys.AccessToken)}, "../user", "", windlass.Invalid, "cannot be a workspace"},
		{"a token that is not one", windlass.Credentials{APIKey: windlass.NewSecret("nonsense")}, "acme", "", windlass.Unauthorized, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			transport, err := provider.Transport(row.credentials, server.Transport())
			if err != nil {
				t.Fatal(err)
			}
			account, err := provider.Check(t.Context(), &http.Client{Transport: transport}, row.workspace)
			if row.fails != "" {
				if known := typed(t, err); known.Kind != row.fails || !strings.Contains(err.Error(), row.says) {
					t.Errorf("got %q: %v", known.Kind, err)
				}
				return
			}
			if err != nil || account.Membership != row.member || account.Workspace != "acme" {
				t.Errorf("got %+v, %v", account, err)
			}
			if row.member == connector.MemberUnknown && !slices.Equal(account.Scopes, []string{"repository"}) {
				t.Errorf("the scopes are %v", account.Scopes)
			}
		})
	}
}

// The sandbox has every workspace of others hidden, so this one is made up: one
// that anybody may look at.
func TestCheckOfSomebodyElsesPublicWorkspace(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/permission") {
			return reply(http.StatusForbidden, `{"type":"error","error":{"message":"You are not a member of this workspace."}}`), nil
		}
		return reply(http.StatusOK, `{"uuid":"{1}","slug":"public","name":"Public"}`), nil
	})}
	account, err := (&bitbucket.Provider{}).Check(t.Context(), client, "public")
	if err != nil || account.Membership != connector.NotMember {
		t.Errorf("got %+v, %v", account, err)
	}
}

func TestMissingScopes(t *testing.T) {
	t.Parallel()
	provider := &bitbucket.Provider{}
	for _, row := range []struct {
		name                    string
		granted, required, want string
	}{
		{"none", "repository webhook", "repository", ""},
		{"each once, and sorted", "", "webhook repository webhook", "repository webhook"},
		{"implied by another", "pullrequest:write", "repository", ""},
		{"not implied by admin", "repository:admin", "repository", "repository"},
		{"another vocabulary", "read:repository:bitbucket", "webhook", ""},
	} {
		got := provider.Missing(strings.Fields(row.granted), strings.Fields(row.required))
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %v, want %s", row.name, got, row.want)
		}
	}
}

func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{`{"error":"invalid_grant"}`, `{"access_token":"a","expires_in":"12"}`, `<html>`, `{"error":{}}`, "a=b&error=x", `{"expires_in":1e99}`} {
		f.Add(200, body, "application/json")
		f.Add(400, body, "text/plain")
	}
	f.Fuzz(func(t *testing.T, status int, body, kind string) {
		if status < 100 || status > 999 {
			t.Skip("not a status")
		}
		oauth := bitbucket.OAuth{Base: always(status, body, "Content-Type", kind)}
		app := windlass.ProviderApp{ClientID: "key", ClientSecret: windlass.NewSecret("kept-secret-01")}
		grant, err := oauth.Refresh(t.Context(), app, windlass.NewSecret("kept-secret-02"))
		switch {
		case err == nil && grant.AccessToken.IsZero():
			t.Error("no error and no token")
		case err != nil && strings.Contains(err.Error(), "kept-secret"):
			t.Errorf("a secret is shown: %v", err)
		case err != nil && typed(t, err).Kind == "":
			t.Error("an error without a kind")
		}
	})
}
