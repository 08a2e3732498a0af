package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

func TestCredentials(t *testing.T) {
	basic := func(name, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
	}
	creds := sandbox.New(nil).Credentials()
	for _, row := range []struct {
		says, authorization string
		status              int
	}{
		{"an access token is a bearer token", "Bearer " + creds.AccessToken, 200},
		{"an API token goes with the email", basic(creds.Email, creds.APIToken), 200},
		{"an API token is no bearer token", "Bearer " + creds.APIToken, 401},
		{"an app password is a thing of the past", basic("jansen0", "secret"), 401},
		{"a made up token is none", "Bearer nonsense", 401},
		{"nothing is not enough", "", 401},
	} {
		t.Run(row.says, func(t *testing.T) {
			c := newClient(t, nil).anonymous()
			c.headers = map[string]string{"Authorization": row.authorization}
			if row.authorization == "" {
				c.headers = nil
			}
			if r := c.do("GET", "/user", nil); r.status != row.status {
				t.Errorf("%d %s", r.status, r.text)
			}
		})
	}
}

func TestGranularScopesOfAPITokens(t *testing.T) {
	c := newClient(t, nil).as("read:project:bitbucket")
	c.get("/workspaces/acme/projects")
	r := c.do("GET", "/repositories/acme", nil)
	if r.status != 403 || r.at("error.detail.required.0") != "read:repository:bitbucket" {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestHookEventsNeedTheirScopes(t *testing.T) {
	c := newClient(t, nil).as("webhook")
	hook := map[string]any{"url": "https://example.com", "events": []string{"pullrequest:created"}}
	r := c.do("POST", "/workspaces/acme/hooks", hook)
	if r.status != 403 || !strings.Contains(r.text, `"pullrequest"`) {
		t.Errorf("%d %s", r.status, r.text)
	}
	if r := newClient(t, nil).as("webhook", "pullrequest").do("POST", "/workspaces/acme/hooks", hook); r.status != 201 {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestConnectAppsSignTheRequest(t *testing.T) {
	c := newClient(t, nil).anonymous()
	ask := func(jwt string) reply {
		c.headers = map[string]string{"Authorization": "JWT " + jwt}
		return c.do("GET", "/addon/linkers?pagelen=2", nil)
	}
	good := ask(c.jwt("GET", "/2.0/addon/linkers", "pagelen=2"))
	if good.status != 200 || len(good.values()) != 2 || good.at("next") == nil || good.body["size"] != nil {
		t.Errorf("%d %s", good.status, good.text)
	}
	for says, jwt := range map[string]string{
		"another path": c.jwt("GET", "/2.0/addon", "pagelen=2"), "another query": c.jwt("GET", "/2.0/addon/linkers", ""),
		"a broken signature": c.jwt("GET", "/2.0/addon/linkers", "pagelen=2") + "x",
	} {
		if r := ask(jwt); r.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", says, r.status, r.text)
		}
	}
}

// token posts to the token endpoint.
func (c *client) tokens(key, secret string, form url.Values) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "https://bitbucket.org/site/oauth2/access_token", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.SetBasicAuth(key, secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.server.Transport().RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	text := readAll(c.t, resp)
	out := reply{status: resp.StatusCode, text: text}
	out.body = decode(c.t, text)
	return out
}

func TestOAuthThroughTheSandbox(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	c := newClient(t, &sandbox.Options{Now: func() time.Time { return now }, TokenLifetime: time.Hour})
	key, secret := c.server.NewConsumer("https://product.example/callback", "repository", "account")
	back, err := c.server.Consent("https://bitbucket.org/site/oauth2/authorize?response_type=code&state=s1&client_id=" + key)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("state") != "s1" || !strings.HasPrefix(back, "https://product.example/callback?") {
		t.Fatalf("sent back to %s", back)
	}
	got := c.tokens(key, secret, url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}})
	if got.status != 200 || fmt.Sprint(got.at("expires_in")) != "3600" || got.body["scope"] == nil {
		t.Fatalf("%d %s", got.status, got.text)
	}
	access, refresh := got.at("access_token").(string), got.at("refresh_token").(string)
	user := &client{t: t, server: c.server, token: access}
	user.get("/repositories/acme")
	if r := user.do("GET", "/workspaces/acme/projects", nil); r.status != 403 || r.at("error.detail.required.0") != "project" {
		t.Errorf("beyond the consumer's scopes: %d %s", r.status, r.text)
	}
	now = now.Add(time.Hour + time.Second)
	if r := user.do("GET", "/user", nil); r.status != 401 {
		t.Errorf("an expired token gets %d", r.status)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	next := c.tokens(key, secret, form)
	if next.status != 200 || next.at("refresh_token") == refresh {
		t.Errorf("refresh tokens rotate: %d %s", next.status, next.text)
	}
	if again := c.tokens(key, secret, form); again.status != 200 {
		t.Errorf("the old one has ten minutes of grace: %d %s", again.status, again.text)
	}
	now = now.Add(11 * time.Minute)
	if late := c.tokens(key, secret, form); late.status != 400 {
		t.Errorf("and no more: %d %s", late.status, late.text)
	}
	if n := c.server.TokenRequests(); n != 4 {
		t.Errorf("%d requests at the token endpoint, want 4", n)
	}
	if n := c.server.RevokeConsent(key); n == 0 {
		t.Error("revoking ends no token")
	}
}

// TestLimitsOfOAuthAreTheConsumers: however many tokens a consumer has, they
// share one limit, and the user's own token has another.
func TestLimitsOfOAuthAreTheConsumers(t *testing.T) {
	c := newClient(t, &sandbox.Options{Limit: 4})
	key := c.server.Credentials().ConsumerKey
	for range 4 {
		access, _, err := c.server.NewOAuthTokens(key)
		if err != nil {
			t.Fatal(err)
		}
		(&client{t: t, server: c.server, token: access}).get("/user")
	}
	access, _, err := c.server.NewOAuthTokens(key)
	if err != nil {
		t.Fatal(err)
	}
	if r := (&client{t: t, server: c.server, token: access}).do("GET", "/user", nil); r.status != 429 {
		t.Errorf("the fifth of four requests: %d", r.status)
	}
	c.get("/user")
	if _, _, err := c.server.NewOAuthTokens("{unknown}"); err == nil {
		t.Error("an unknown consumer has tokens")
	}
}

func TestConsentPageIsHTML(t *testing.T) {
	c := newClient(t, nil).anonymous()
	r := c.do("GET", "https://bitbucket.org/site/oauth2/authorize?response_type=code&client_id="+c.server.Credentials().ConsumerKey, nil)
	if r.status != 200 || !strings.Contains(r.header.Get("Content-Type"), "text/html") || !strings.Contains(r.text, "<form") {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestLimits(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	c := newClient(t, &sandbox.Options{Limit: 3, LimitHeaders: true, Now: func() time.Time { return now }})
	other := c.as("account")
	for range 3 {
		now = now.Add(time.Minute)
		if r := c.get("/user"); r.header.Get("X-RateLimit-Limit") == "" {
			t.Error("no header says the limit")
		}
	}
	refused := c.do("GET", "/user", nil)
	if refused.status != 429 || refused.at("error.message") != "Rate limit for this resource has been exceeded" || refused.header.Get("Retry-After") != "3480" {
		t.Errorf("%d %s, after %s", refused.status, refused.text, refused.header.Get("Retry-After"))
	}
	other.get("/user") // another token, another limit
	now = now.Add(58 * time.Minute)
	c.get("/user") // the first of the three is an hour old
	if r := c.do("GET", "/user", nil); r.status != 429 {
		t.Errorf("%d: the hour rolls, it does not begin anew", r.status)
	}
}

func TestPlainErrors(t *testing.T) {
	c := newClient(t, &sandbox.Options{PlainErrors: true, Limit: 1})
	for _, row := range []struct {
		path   string
		status int
	}{{"/nothing", 404}, {"/user", 200}, {"/user", 429}} {
		r := c.do("GET", row.path, nil)
		if r.status != row.status || r.status != 200 && (r.body != nil || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain")) {
			t.Errorf("%s: %d %s %s", row.path, r.status, r.header.Get("Content-Type"), r.text)
		}
	}
	if r := c.anonymous().do("GET", "/user", nil); r.status != 401 || r.body != nil {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestLog(t *testing.T) {
	c := newClient(t, nil)
	c.get("/repositories/acme?pagelen=7")
	c.do("DELETE", "/workspaces/acme/projects/NONE", nil)
	log := c.server.Log()
	if c.server.Requests() != 2 || len(log) != 2 {
		t.Fatalf("%d requests, %d in the log", c.server.Requests(), len(log))
	}
	if r := log[0]; r.Method != http.MethodGet || r.Path != "/2.0/repositories/acme" || r.Query != "pagelen=7" || r.Status != 200 || r.Principal == "" {
		t.Errorf("%+v", r)
	}
	if r := log[1]; r.Method != http.MethodDelete || r.Status != 404 {
		t.Errorf("%+v", r)
	}
	c.server.ResetLog()
	if c.server.Requests() != 0 || len(c.server.Log()) != 0 {
		t.Error("the log was not reset")
	}
}

func TestBodiesWithoutALength(t *testing.T) {
	c := newClient(t, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"/workspaces/acme/projects", io.NopCloser(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.server.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if readAll(t, resp); resp.StatusCode != http.StatusLengthRequired {
		t.Errorf("%d, want 411", resp.StatusCode)
	}
}

func TestServeBody(t *testing.T) {
	c := newClient(t, nil)
	exact := "{\"values\" :  [ ]}\n"
	c.server.ServeBody("GET", "/2.0/repositories/acme", 200, []byte(exact))
	if r := c.get("/repositories/acme?page=4"); r.text != exact {
		t.Errorf("%q", r.text)
	}
	c.server.ServeBody("GET", "/repositories/acme", 0, nil)
	if r := c.get("/repositories/acme"); len(r.values()) != 10 {
		t.Errorf("%s", r.text)
	}
}
