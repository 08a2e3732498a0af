package auth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/auth"
)

const (
	alice   = "{11111111-1111-4111-8111-111111111111}"
	appUser = "{22222222-2222-4222-8222-222222222222}"
	bot     = "{33333333-3333-4333-8333-333333333333}"
)

// world is an Authority with one of everything, and its clock.
type world struct {
	*auth.Authority
	mu   sync.Mutex
	time time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func newWorld(options auth.Options) *world {
	w := &world{time: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	options.Now = w.now
	w.Authority = auth.New(options)
	w.AddUser(auth.User{UUID: alice, Username: "alice", DisplayName: "Alice Rope", Email: "Alice@example.com", Password: "hoist"})
	w.AddUser(auth.User{UUID: appUser, Username: "winch-app"})
	w.AddConsumer(auth.Consumer{
		Key: "winch", Secret: "s3cret/+", Name: "Winch & Sons", CallbackURL: "https://product.example/callback",
		Scopes: []string{"account", "repository:write"}, AppUser: appUser,
	})
	w.AddConsumer(auth.Consumer{Key: "public", Secret: "p", CallbackURL: "https://public.example/cb?tenant=1", Scopes: []string{"repository"}})
	w.AddAPIToken(auth.APIToken{Token: "api-token", UserUUID: alice, Scopes: []string{"read:repository:bitbucket"}, Expires: w.time.Add(24 * time.Hour)})
	w.AddAccessToken(auth.AccessToken{
		Token: "workspace-token", UserUUID: bot, Owner: auth.Owner{Kind: auth.OwnedByWorkspace, UUID: "{ws}"},
		Scopes: []string{"project"}, Expires: w.time.Add(24 * time.Hour),
	})
	w.AddApp(auth.App{Key: "winch.app", ClientKey: "installed-1", SharedSecret: "shared", UserUUID: bot, Scopes: []string{"account"}})
	return w
}

func request(header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/2.0/user", nil)
	if len(header) > 0 {
		r.Header.Set("Authorization", header[0])
	}
	return r
}

func basic(name, password string) *http.Request {
	r := request()
	r.SetBasicAuth(name, password)
	return r
}

func TestAuthenticate(t *testing.T) {
	w := newWorld(auth.Options{})
	issued, err := w.Issue("winch", alice)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reads   string
		request *http.Request
		want    auth.Principal
	}{
		{"no header is an anonymous address", request(), auth.Principal{Kind: auth.Anonymous, LimitKey: "address:192.0.2.1"}},
		{
			"an OAuth token counts against its consumer", request("Bearer " + issued.AccessToken),
			auth.Principal{Kind: auth.OAuth, UserUUID: alice, Consumer: "winch", LimitKey: "consumer:winch"},
		},
		{
			"the scheme is read in either case", request("bearer " + issued.AccessToken),
			auth.Principal{Kind: auth.OAuth, UserUUID: alice, Consumer: "winch", LimitKey: "consumer:winch"},
		},
		{
			"an API token counts against its user", basic("alice@example.com", "api-token"),
			auth.Principal{Kind: auth.UserToken, UserUUID: alice, LimitKey: "user:" + alice},
		},
		{
			"an access token counts by itself", request("Bearer workspace-token"),
			auth.Principal{Kind: auth.ResourceToken, UserUUID: bot, Owner: auth.Owner{Kind: auth.OwnedByWorkspace, UUID: "{ws}"}, LimitKey: "token:"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			got, err := w.Authenticate(tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != tt.want.Kind || got.UserUUID != tt.want.UserUUID || got.Consumer != tt.want.Consumer ||
				got.Owner != tt.want.Owner || !strings.HasPrefix(got.LimitKey, tt.want.LimitKey) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAuthenticateRefuses(t *testing.T) {
	w := newWorld(auth.Options{})
	issued, err := w.Issue("winch", alice)
	if err != nil {
		t.Fatal(err)
	}
	w.wait(time.Hour)
	tests := []struct {
		reads   string
		request *http.Request
		says    string
	}{
		{"an unknown token", request("Bearer nonsense"), "invalid, expired, or not supported"},
		{"an empty token", request("Bearer"), "invalid, expired, or not supported"},
		{"an access token after its lifetime", request("Bearer " + issued.AccessToken), "Use your refresh token"},
		{"an API token as a bearer", request("Bearer api-token"), "invalid, expired, or not supported"},
		{"an API token with another email", basic("bob@example.com", "api-token"), "Email or API token is invalid"},
		{"a wrong API token", basic("alice@example.com", "guess"), "Email or API token is invalid"},
		{"a username, as with app passwords", basic("alice", "api-token"), "App passwords are no longer supported"},
		{"an app password", basic("alice@example.com", "ATBBabcdef"), "App passwords are no longer supported"},
		{"Basic that is not base64", request("Basic ???"), "cannot be read"},
		{"a scheme of another world", request("Digest x"), "not supported"},
		{"JWT in small letters", request("jwt a.b.c"), "not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			_, err := w.Authenticate(tt.request)
			f := failure(t, err)
			if f.Status != 401 || !strings.Contains(message(t, f), tt.says) || f.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("got %d %s", f.Status, f.Body)
			}
		})
	}
	t.Run("tokens past their expiry", func(t *testing.T) {
		w.wait(24 * time.Hour)
		for _, r := range []*http.Request{basic("alice@example.com", "api-token"), request("Bearer workspace-token")} {
			if _, err := w.Authenticate(r); err == nil {
				t.Errorf("%s was accepted", r.Header.Get("Authorization"))
			}
		}
	})
}

func failure(t *testing.T, err error) *auth.Failure {
	t.Helper()
	var f *auth.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is not a Failure", err)
	}
	return f
}

func message(t *testing.T, f *auth.Failure) string {
	t.Helper()
	var body struct {
		Type  string `json:"type"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(f.Body, &body); err != nil || body.Type != "error" {
		t.Fatalf("%s: %v", f.Body, err)
	}
	return body.Error.Message
}

func TestPlainText(t *testing.T) {
	w := newWorld(auth.Options{PlainText: true})
	_, err := w.Authenticate(request("Bearer nonsense"))
	got := httptest.NewRecorder()
	failure(t, err).Write(got)
	if got.Code != 401 || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" || strings.HasPrefix(got.Body.String(), "{") ||
		got.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
}

func TestMissing(t *testing.T) {
	list := strings.Fields
	tests := []struct{ reads, granted, required, missing string }{
		{"nothing required", "", "", ""},
		{"exactly what is granted", "repository", "repository", ""},
		{"nothing granted", "", "repository project", "repository project"},
		{"writing implies reading", "repository:write", "repository", ""},
		{"project implies repository", "project", "repository", ""},
		{"merging implies writing, and that reading", "pullrequest:write", "pullrequest repository:write repository", ""},
		{"administration of a repository implies nothing", "repository:admin", "repository repository:write", "repository repository:write"},
		{"administration of a project implies nothing", "project:admin", "project repository:write", "project repository:write"},
		{"deletion implies nothing", "repository:delete", "repository:admin", "repository:admin"},
		{"variables imply reading pipelines", "pipeline:variable", "pipeline", ""},
		{"writing pipelines does not imply variables", "pipeline:write", "pipeline:variable", "pipeline:variable"},
		{"an account does not imply its email", "account", "email", "email"},
		{"granular scopes of the endpoint do not concern OAuth", "project", "project read:project:bitbucket", ""},
		{"classic scopes of the endpoint do not concern API tokens", "read:project:bitbucket", "project read:project:bitbucket", ""},
		{"granular scopes imply nothing", "write:repository:bitbucket", "read:repository:bitbucket", "read:repository:bitbucket"},
		{"classic requirements are translated", "write:repository:bitbucket", "repository:write", ""},
		{"and named in the token's own words when missing", "write:repository:bitbucket", "repository", "read:repository:bitbucket"},
		{"variables are administration there", "read:pipeline:bitbucket", "pipeline pipeline:variable", "admin:pipeline:bitbucket"},
		{"account is met by any of its parts", "read:workspace:bitbucket", "account", ""},
		{"an API token with classic scopes is like OAuth", "snippet:write", "snippet", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			p := auth.Principal{Scopes: list(tt.granted)}
			if got := p.Missing(list(tt.required)...); !slices.Equal(got, list(tt.missing)) {
				t.Errorf("granted %s, required %s: missing %v, want %s", tt.granted, tt.required, got, tt.missing)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	tests := []struct{ reads, granted, required, detail string }{
		{"required and granted are named", "runner:write account", "project", `{"required":["project"],"granted":["runner:write","account"]}`},
		{"in the token's own words", "read:user:bitbucket", "project:admin", `{"required":["admin:project:bitbucket"],"granted":["read:user:bitbucket"]}`},
		{"nothing granted is an empty list", "", "project read:project:bitbucket", `{"required":["project"],"granted":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			f := auth.Forbidden(auth.Principal{Scopes: strings.Fields(tt.granted)}, strings.Fields(tt.required)...)
			want := `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":` + tt.detail + `}}`
			if f.Status != 403 || string(f.Body) != want {
				t.Errorf("%d %s\nwant %s", f.Status, f.Body, want)
			}
		})
	}
}

func TestOtherFailures(t *testing.T) {
	w := newWorld(auth.Options{})
	if f := w.AppTokenRequired(); f.Status != 401 || !strings.Contains(message(t, f), "must use app JWT") {
		t.Errorf("%d %s", f.Status, f.Body)
	}
	if f := w.LoginRequired(); f.Status != 401 || message(t, f) == "" {
		t.Errorf("%d %s", f.Status, f.Body)
	}
}

func TestSeed(t *testing.T) {
	token := func(seed uint64) string {
		issued, err := newWorld(auth.Options{Seed: seed}).Issue("winch", alice)
		if err != nil {
			t.Fatal(err)
		}
		return issued.AccessToken
	}
	if first, second := token(1), token(1); first != second {
		t.Error("the same seed gave different tokens")
	}
	if token(1) == token(2) {
		t.Error("different seeds gave the same token")
	}
	if n := len(token(1)); n <= 2500 {
		t.Errorf("an access token has only %d characters", n)
	}
}
