package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/auth"
)

const authorizeURL = "https://bitbucket.example/site/oauth2/authorize"

type tokenAnswer struct {
	status      int
	Access      string  `json:"access_token"`
	Refresh     string  `json:"refresh_token"`
	Type        string  `json:"token_type"`
	Expires     int     `json:"expires_in"`
	Scopes      *string `json:"scopes"`
	Scope       *string `json:"scope"`
	State       string  `json:"state"`
	Error       string  `json:"error"`
	Description string  `json:"error_description"`
}

func (w *world) ask(prepare func(*http.Request), form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/site/oauth2/access_token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	prepare(r)
	rec := httptest.NewRecorder()
	w.ServeSite(rec, r)
	return rec
}

func (w *world) token(t *testing.T, prepare func(*http.Request), form url.Values) tokenAnswer {
	t.Helper()
	rec := w.ask(prepare, form)
	got := tokenAnswer{status: rec.Code}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", rec.Body, err)
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		t.Error("the answer may be cached")
	}
	return got
}

func winch(r *http.Request)  { r.SetBasicAuth("winch", "s3cret/+") }
func public(r *http.Request) { r.SetBasicAuth("public", "p") }
func noClient(*http.Request) {}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func (w *world) code(t *testing.T, query string) string {
	t.Helper()
	callback, err := w.Consent(authorizeURL+"?response_type=code&client_id=winch"+query, alice)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(callback)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("%s: %v", callback, err)
	}
	return u.Query().Get("code")
}

func TestAuthorizationCode(t *testing.T) {
	w := newWorld(auth.Options{})
	code := w.code(t, "")
	got := w.token(t, winch, form("grant_type", "authorization_code", "code", code))
	if got.status != 200 || got.Type != "bearer" || got.Expires != 3600 || got.Refresh == "" || len(got.Access) <= 2500 ||
		got.Scopes == nil || *got.Scopes != "account repository:write" || got.Scope != nil || got.State != "authorization_code" {
		t.Errorf("%+v", got)
	}
	p, err := w.Authenticate(request("Bearer " + got.Access))
	if err != nil || p.UserUUID != alice || p.Kind != auth.OAuth || len(p.Scopes) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	t.Run("a code is good once", func(t *testing.T) {
		if again := w.token(t, winch, form("grant_type", "authorization_code", "code", code)); again.status != 400 || again.Error != "invalid_grant" {
			t.Errorf("%+v", again)
		}
	})
	t.Run("a code is no other consumer's", func(t *testing.T) {
		code := w.code(t, "")
		if got := w.token(t, public, form("grant_type", "authorization_code", "code", code)); got.Error != "invalid_grant" {
			t.Errorf("%+v", got)
		}
		if got := w.token(t, winch, form("grant_type", "authorization_code", "code", code)); got.status != 200 {
			t.Errorf("the attempt of another burned it: %+v", got)
		}
	})
	t.Run("a code is short-lived", func(t *testing.T) {
		code := w.code(t, "")
		w.wait(5 * time.Minute)
		if got := w.token(t, winch, form("grant_type", "authorization_code", "code", code)); got.Error != "invalid_grant" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a different redirect_uri is refused", func(t *testing.T) {
		code := w.code(t, "&redirect_uri=https://product.example/callback/one")
		if got := w.token(t, winch, form("grant_type", "authorization_code", "code", code, "redirect_uri", "https://product.example/callback")); got.Error != "invalid_grant" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("the same redirect_uri is accepted", func(t *testing.T) {
		code := w.code(t, "&redirect_uri=https://product.example/callback/one")
		if got := w.token(t, winch, form("grant_type", "authorization_code", "code", code, "redirect_uri", "https://product.example/callback/one")); got.status != 200 {
			t.Errorf("%+v", got)
		}
	})
}

func TestTokenRefusals(t *testing.T) {
	tests := []struct {
		reads  string
		client func(*http.Request)
		form   url.Values
		status int
		error  string
	}{
		{"no client", noClient, form("grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"an unknown client", func(r *http.Request) { r.SetBasicAuth("x", "y") }, form("grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"a wrong secret", func(r *http.Request) { r.SetBasicAuth("winch", "y") }, form("grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"no grant", winch, form(), 400, "invalid_request"},
		{"the password grant", winch, form("grant_type", "password", "username", "alice", "password", "hoist"), 400, "unsupported_grant_type"},
		{"the implicit grant", winch, form("grant_type", "token"), 400, "unsupported_grant_type"},
		{"no code", winch, form("grant_type", "authorization_code"), 400, "invalid_grant"},
		{"no refresh token", winch, form("grant_type", "refresh_token"), 400, "invalid_grant"},
		{"client_credentials of a consumer without an app user", public, form("grant_type", "client_credentials"), 400, "unauthorized_client"},
		{"an app without its JWT", winch, form("grant_type", "urn:bitbucket:oauth2:jwt"), 400, "unauthorized_client"},
		{"parameters in the address", func(r *http.Request) { winch(r); r.URL.RawQuery = "grant_type=client_credentials" }, form(), 400, "invalid_request"},
		{"a body that is no form", func(r *http.Request) { winch(r); r.Header.Set("Content-Type", "application/json") }, form("grant_type", "client_credentials"), 400, "invalid_request"},
		{"a body that is too long", winch, form("grant_type", strings.Repeat("x", 1<<17)), 400, "invalid_request"},
		{"another method", func(r *http.Request) { winch(r); r.Method = http.MethodGet }, form("grant_type", "client_credentials"), 405, "invalid_request"},
	}
	w := newWorld(auth.Options{})
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			if got := w.token(t, tt.client, tt.form); got.status != tt.status || got.Error != tt.error || got.Description == "" || got.Access != "" {
				t.Errorf("%+v", got)
			}
		})
	}
	if w.TokenRequests() != len(tests) {
		t.Errorf("counted %d requests of %d", w.TokenRequests(), len(tests))
	}
}

func TestClientAuthentication(t *testing.T) {
	tests := []struct {
		reads  string
		client func(*http.Request)
		form   url.Values
	}{
		{"by HTTP Basic", winch, form("grant_type", "client_credentials")},
		{"by HTTP Basic, form-encoded as RFC 6749 has it", func(r *http.Request) { r.SetBasicAuth("winch", "s3cret%2F%2B") }, form("grant_type", "client_credentials")},
		{"in the form", noClient, form("grant_type", "client_credentials", "client_id", "winch", "client_secret", "s3cret/+")},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			w := newWorld(auth.Options{})
			got := w.token(t, tt.client, tt.form)
			if got.status != 200 || got.Refresh != "" || got.State != "client_credentials" {
				t.Fatalf("%+v", got)
			}
			p, err := w.Authenticate(request("Bearer " + got.Access))
			if err != nil || p.Kind != auth.AppUser || p.UserUUID != appUser || p.LimitKey != "consumer:winch" {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

func TestRefresh(t *testing.T) {
	type step struct {
		wait time.Duration
		use  int // which token: 0 is the first issued, n the one of step n
		ok   bool
	}
	const day = 24 * time.Hour
	tests := []struct {
		reads   string
		options auth.Options
		steps   []step
	}{
		{"each use gives a new one that works", auth.Options{}, []step{{0, 0, true}, {day, 1, true}, {day, 2, true}}},
		{"the old one works for ten minutes more", auth.Options{}, []step{{0, 0, true}, {10*time.Minute - 1, 0, true}, {1, 0, false}}},
		{"a use within the grace does not prolong it", auth.Options{}, []step{{0, 0, true}, {6 * time.Minute, 0, true}, {6 * time.Minute, 0, false}}},
		{"both given within the grace work", auth.Options{}, []step{{0, 0, true}, {time.Minute, 0, true}, {day, 1, true}, {0, 2, true}}},
		{"an unused one dies after three months", auth.Options{}, []step{{90 * day, 0, false}}},
		{"but not before", auth.Options{}, []step{{90*day - 1, 0, true}}},
		{"a fixed one stays the same", auth.Options{FixedRefresh: true}, []step{{0, 0, true}, {80 * day, 0, true}, {80 * day, 1, true}}},
		{"a fixed one dies of disuse too", auth.Options{FixedRefresh: true}, []step{{0, 0, true}, {90 * day, 0, false}}},
		{"another grace", auth.Options{RefreshGrace: time.Second}, []step{{0, 0, true}, {time.Second, 0, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			w := newWorld(tt.options)
			first, err := w.Issue("winch", alice)
			if err != nil {
				t.Fatal(err)
			}
			tokens := []string{first.RefreshToken}
			for i, s := range tt.steps {
				w.wait(s.wait)
				got := w.token(t, winch, form("grant_type", "refresh_token", "refresh_token", tokens[s.use]))
				if (got.status == 200) != s.ok {
					t.Fatalf("step %d: %+v", i+1, got)
				}
				if !s.ok {
					if got.Error != "invalid_grant" {
						t.Errorf("step %d: %+v", i+1, got)
					}
					continue
				}
				if (got.Refresh == tokens[s.use]) != tt.options.FixedRefresh {
					t.Errorf("step %d: rotation is wrong", i+1)
				}
				if _, err := w.Authenticate(request("Bearer " + got.Access)); err != nil {
					t.Errorf("step %d: %v", i+1, err)
				}
				tokens = append(tokens, got.Refresh)
			}
		})
	}
	t.Run("a refresh token is no other consumer's", func(t *testing.T) {
		w := newWorld(auth.Options{})
		issued, _ := w.Issue("winch", alice)
		if got := w.token(t, public, form("grant_type", "refresh_token", "refresh_token", issued.RefreshToken)); got.Error != "invalid_grant" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("the error of 2017", func(t *testing.T) {
		w := newWorld(auth.Options{OldRefreshError: true})
		if got := w.token(t, winch, form("grant_type", "refresh_token", "refresh_token", "x")); got.Error != "invalid_request" || got.Description != "Invalid refresh_token" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("two at once both get tokens", func(t *testing.T) {
		w := newWorld(auth.Options{})
		issued, _ := w.Issue("winch", alice)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if got := w.token(t, winch, form("grant_type", "refresh_token", "refresh_token", issued.RefreshToken)); got.status != 200 {
					t.Errorf("%+v", got)
				}
			})
		}
		wg.Wait()
	})
}

func TestTokenVariations(t *testing.T) {
	w := newWorld(auth.Options{Scope: "scope", TokenLifetime: 2 * time.Hour})
	got := w.token(t, winch, form("grant_type", "client_credentials"))
	if got.Scope == nil || *got.Scope != "account repository:write" || got.Scopes != nil || got.Expires != 7200 {
		t.Errorf("%+v", got)
	}
}

func TestAppExchangesItsJWT(t *testing.T) {
	w := newWorld(auth.Options{})
	now := w.now().Unix()
	app := func(hash string) func(*http.Request) {
		token := compact(object{"alg": "HS256"}, object{"iss": "winch.app", "sub": "installed-1", "iat": now, "exp": now + 180, "qsh": hash}, "shared")
		return func(r *http.Request) { r.Header.Set("Authorization", "JWT "+token) }
	}
	jwtGrant := form("grant_type", "urn:bitbucket:oauth2:jwt")
	got := w.token(t, app(qsh("POST&/site/oauth2/access_token&")), jwtGrant)
	if got.status != 200 || got.Refresh != "" {
		t.Fatalf("%+v", got)
	}
	p, err := w.Authenticate(request("Bearer " + got.Access))
	if err != nil || p.Kind != auth.OAuth || p.AppKey != "winch.app" || p.UserUUID != bot || p.LimitKey != "app:winch.app:installed-1" {
		t.Errorf("%+v, %v", p, err)
	}
	if got := w.token(t, app("wrong"), jwtGrant); got.Error != "unauthorized_client" {
		t.Errorf("%+v", got)
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(auth.Options{})
	mine, _ := w.Issue("winch", alice)
	other, _ := w.Issue("public", alice)
	if n := w.Revoke(alice, "winch"); n != 2 {
		t.Errorf("revoked %d tokens", n)
	}
	if _, err := w.Authenticate(request("Bearer " + mine.AccessToken)); err == nil {
		t.Error("the access token lives on")
	}
	if got := w.token(t, winch, form("grant_type", "refresh_token", "refresh_token", mine.RefreshToken)); got.Error != "invalid_grant" {
		t.Errorf("%+v", got)
	}
	if _, err := w.Authenticate(request("Bearer " + other.AccessToken)); err != nil {
		t.Errorf("another consumer's token died too: %v", err)
	}
}

func TestIssueKnowsNobodyElse(t *testing.T) {
	w := newWorld(auth.Options{})
	if _, err := w.Issue("nope", alice); err == nil {
		t.Error("tokens for an unknown consumer")
	}
	if _, err := w.Issue("winch", "{nope}"); err == nil {
		t.Error("tokens for an unknown user")
	}
}

// A consumer that is disabled, or lost its callback, is refused whatever it asks;
// what it was granted works again afterwards.
func TestConsumersThatAreRefused(t *testing.T) {
	w := newWorld(auth.Options{})
	granted, err := w.Issue("winch", alice)
	if err != nil {
		t.Fatal(err)
	}
	refresh := form("grant_type", "refresh_token", "refresh_token", granted.RefreshToken)
	for _, test := range []struct {
		reads string
		made  func(*auth.Consumer)
		says  string
	}{
		{"disabled", func(c *auth.Consumer) { c.Disabled = true }, `{"error":{"message":"This consumer has been disabled"},"type":"error"}`},
		{"without a callback", func(c *auth.Consumer) { c.CallbackURL = "" }, `{"error":"invalid_request","error_description":"No callback uri defined for the OAuth client"}`},
	} {
		t.Run(test.reads, func(t *testing.T) {
			var was auth.Consumer
			if !w.ChangeConsumer("winch", func(c *auth.Consumer) { was = *c; test.made(c) }) {
				t.Fatal("there is no such consumer")
			}
			if got := w.ask(winch, refresh); got.Code != 400 || got.Body.String() != test.says {
				t.Errorf("%d %s", got.Code, got.Body)
			}
			if _, err := w.Consent(authorizeURL+"?response_type=code&client_id=winch", alice); err == nil {
				t.Error("a person can still consent")
			}
			w.ChangeConsumer("winch", func(c *auth.Consumer) { *c = was })
			if got := w.token(t, winch, refresh); got.status != 200 {
				t.Errorf("afterwards %+v", got)
			}
		})
	}
}

// RFC 7636: a code that was asked for with a challenge is exchanged with its
// verifier only. The pair is the RFC's own (appendix B).
func TestProofKeyOfACode(t *testing.T) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, test := range []struct {
		reads, query, verifier string
		ignored                bool
		status                 int
	}{
		{"with its verifier", "&code_challenge=" + challenge + "&code_challenge_method=S256", verifier, false, 200},
		{"with another one", "&code_challenge=" + challenge + "&code_challenge_method=S256", verifier + "x", false, 400},
		{"without one", "&code_challenge=" + challenge + "&code_challenge_method=S256", "", false, 400},
		{"plain, which is what no method means", "&code_challenge=" + verifier, verifier, false, 200},
		{"a verifier that nothing was asked with", "", verifier, false, 400},
		{"in a place that is not read", "&code_challenge=" + challenge + "&code_challenge_method=S256", "", true, 200},
	} {
		t.Run(test.reads, func(t *testing.T) {
			w := newWorld(auth.Options{NoProofKeys: test.ignored})
			asked := form("grant_type", "authorization_code", "code", w.code(t, test.query))
			if test.verifier != "" {
				asked.Set("code_verifier", test.verifier)
			}
			if got := w.token(t, winch, asked); got.status != test.status || got.status == 400 && got.Error != "invalid_grant" {
				t.Errorf("%+v", got)
			}
		})
	}
	w := newWorld(auth.Options{})
	back, err := w.Consent(authorizeURL+"?response_type=code&client_id=winch&code_challenge=x&code_challenge_method=S512", alice)
	if err != nil || !strings.Contains(back, "error=invalid_request") {
		t.Errorf("an unknown method: %s, %v", back, err)
	}
}
