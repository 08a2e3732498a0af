package auth_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/auth"
)

// browser keeps cookies, submits forms as they are, and does not follow the
// redirect out of the site.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string

	status   int
	page     string
	location string
}

func newBrowser(t *testing.T, w *world) *browser {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(w.ServeSite))
	t.Cleanup(s.Close)
	jar, _ := cookiejar.New(nil)
	client := s.Client()
	client.Jar = jar
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &browser{t: t, client: client, base: s.URL}
}

func (b *browser) arrived(resp *http.Response, err error) *browser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.status, b.page, b.location = resp.StatusCode, string(page), resp.Header.Get("Location")
	return b
}

func (b *browser) open(target string) *browser {
	b.t.Helper()
	return b.arrived(b.client.Get(b.base + target))
}

// press submits the form of the page with one of its buttons.
func (b *browser) press(label string, fields ...string) {
	b.t.Helper()
	button := regexp.MustCompile(`<button[^>]* name="([^"]*)" value="([^"]*)">` + label + `</button>`).FindStringSubmatch(b.page)
	action := regexp.MustCompile(`<form method="post" action="([^"]*)">`).FindStringSubmatch(b.page)
	if button == nil || action == nil {
		b.t.Fatalf("no button %q on this page:\n%s", label, b.page)
	}
	values := form(fields...)
	values.Set(button[1], button[2])
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(b.page, -1) {
		if !values.Has(hidden[1]) {
			values.Set(hidden[1], html.UnescapeString(hidden[2]))
		}
	}
	b.arrived(b.client.PostForm(b.base+html.UnescapeString(action[1]), values))
}

func (b *browser) shows(parts ...string) {
	b.t.Helper()
	for _, part := range parts {
		if !strings.Contains(b.page, part) {
			b.t.Errorf("the page (%d) does not show %q:\n%s", b.status, part, b.page)
		}
	}
}

func (b *browser) sentTo() url.Values {
	b.t.Helper()
	u, err := url.Parse(b.location)
	if err != nil || b.status != http.StatusSeeOther || u.Host == "" {
		b.t.Fatalf("not sent back: %d %q\n%s", b.status, b.location, b.page)
	}
	return u.Query()
}

const ask = "/site/oauth2/authorize?client_id=winch&response_type=code&state=a%26b%22%3C"

func TestConsentPages(t *testing.T) {
	w := newWorld(auth.Options{})
	b := newBrowser(t, w)

	b.open(ask).shows("<h1>Log in</h1>", "Winch &amp; Sons", `<label for="email">`, `lang="en"`)
	if b.press("Log in", "email", "alice@example.com", "password", "wrong"); b.status != 401 {
		t.Errorf("a wrong password gave %d", b.status)
	}
	b.shows(`role="alert"`, `value="alice@example.com"`)

	b.press("Log in", "email", "alice@example.com", "password", "hoist")
	b.shows("Confirm access", "Winch &amp; Sons", "Alice Rope", "repository:write", "product.example")
	b.press("Grant access")
	got := b.sentTo()
	if !strings.HasPrefix(b.location, "https://product.example/callback?") || got.Get("state") != `a&b"<` || got.Has("error") {
		t.Errorf("sent to %s", b.location)
	}
	if answer := w.token(t, winch, form("grant_type", "authorization_code", "code", got.Get("code"))); answer.status != 200 {
		t.Errorf("%+v", answer)
	}

	t.Run("who is logged in is asked at once, and may refuse", func(t *testing.T) {
		b.open(ask).shows("Confirm access")
		b.press("Deny")
		if got := b.sentTo(); got.Get("error") != "access_denied" || got.Has("code") || got.Get("state") != `a&b"<` {
			t.Errorf("sent to %s", b.location)
		}
	})
	t.Run("another account can be used", func(*testing.T) {
		b.open(ask).press("Use another account")
		b.shows("<h1>Log in</h1>")
		b.press("Log in", "email", "alice", "password", "hoist")
		b.shows("Confirm access")
	})
	t.Run("a form without the token of the page is refused", func(t *testing.T) {
		if b.open(ask).press("Grant access", "csrf", "guess"); b.status != 403 || b.location != "" {
			t.Errorf("%d %s", b.status, b.location)
		}
	})
	t.Run("a form from another browser is refused", func(t *testing.T) {
		other := newBrowser(t, w).open(ask)
		other.page = b.open(ask).page
		if other.press("Grant access"); other.status != 403 || other.location != "" {
			t.Errorf("%d %s", other.status, other.location)
		}
	})
	t.Run("an account without a password cannot log in", func(t *testing.T) {
		other := newBrowser(t, w).open(ask)
		if other.press("Log in", "email", "winch-app", "password", ""); other.status != 401 {
			t.Errorf("%d", other.status)
		}
	})
	t.Run("a session ends", func(t *testing.T) {
		b.open(ask)
		w.wait(time.Hour)
		if b.press("Grant access"); b.status != 403 {
			t.Errorf("%d", b.status)
		}
		b.open(ask).shows("<h1>Log in</h1>")
	})
}

func TestAuthorizeProblems(t *testing.T) {
	w := newWorld(auth.Options{})
	w.AddConsumer(auth.Consumer{Key: "homeless", Secret: "x"})
	const start = "/site/oauth2/authorize?response_type=code&client_id="
	tests := []struct{ reads, target, says string }{
		{"an unknown consumer", start + "nope", "client_id"},
		{"a consumer without a callback URL", start + "homeless", "no callback URL"},
		{"another host", start + "winch&redirect_uri=https://evil.example/callback", "redirect_uri"},
		{"a host that only begins the same", start + "winch&redirect_uri=https://product.example.evil.example/callback", "redirect_uri"},
		{"another scheme", start + "winch&redirect_uri=http://product.example/callback", "redirect_uri"},
		{"a path beside the callback", start + "winch&redirect_uri=https://product.example/callbacks", "redirect_uri"},
		{"a path that climbs out", start + "winch&redirect_uri=https://product.example/callback/../x", "redirect_uri"},
		{"a path that climbs out in disguise", start + "winch&redirect_uri=https://product.example/callback/%252e%252e/x", "redirect_uri"},
		{"a user in the address", start + "winch&redirect_uri=https://product.example%40evil.example/callback", "redirect_uri"},
		{"a fragment", start + "winch&redirect_uri=https://product.example/callback%23x", "redirect_uri"},
		{"a callback whose query is missing", start + "public&redirect_uri=https://public.example/cb", "redirect_uri"},
		{"another page", "/site/oauth2/other", "no page"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			b := newBrowser(t, w).open(tt.target)
			b.shows("Something is wrong", tt.says)
			if b.status < 400 || b.location != "" {
				t.Errorf("%d %s", b.status, b.location)
			}
		})
	}
}

func TestAuthorizeAnswers(t *testing.T) {
	const start = authorizeURL + "?state=s&client_id="
	tests := []struct{ reads, authorize, callback string }{
		{"the callback URL when none is asked for", start + "winch&response_type=code", "https://product.example/callback?code=*&state=s"},
		{"the callback URL itself", start + "winch&response_type=code&redirect_uri=https://product.example/callback", "https://product.example/callback?code=*&state=s"},
		{"a path beneath it", start + "winch&response_type=code&redirect_uri=https://product.example/callback/eu", "https://product.example/callback/eu?code=*&state=s"},
		{"a query added to it", start + "winch&response_type=code&redirect_uri=https://product.example/callback?x=1", "https://product.example/callback?x=1&code=*&state=s"},
		{"a query it has is kept", start + "public&response_type=code", "https://public.example/cb?tenant=1&code=*&state=s"},
		{"a query added to that", start + "public&response_type=code&redirect_uri=https://public.example/cb?tenant=1%26x=2", "https://public.example/cb?tenant=1&x=2&code=*&state=s"},
		{"the implicit grant is refused", start + "winch&response_type=token", "https://product.example/callback?error=unsupported_response_type&error_description=*&state=s"},
		{"no response type", start + "winch", "https://product.example/callback?error=invalid_request&error_description=*&state=s"},
	}
	w := newWorld(auth.Options{})
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			got, err := w.Consent(tt.authorize, alice)
			if err != nil {
				t.Fatal(err)
			}
			pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(tt.callback), `\*`, "[^&]+") + "$"
			if !regexp.MustCompile(pattern).MatchString(got) {
				t.Errorf("got %s, want %s", got, tt.callback)
			}
		})
	}
	for _, bad := range []string{authorizeURL + "?client_id=nope", "://"} {
		if callback, err := w.Consent(bad, alice); err == nil {
			t.Errorf("%s: %s", bad, callback)
		}
	}
	if _, err := w.Consent(start+"winch&response_type=code", "{unknown}"); err == nil {
		t.Error("an unknown user consented")
	}
}

func TestAuthorizeMethods(t *testing.T) {
	w := newWorld(auth.Options{})
	rec := httptest.NewRecorder()
	w.ServeSite(rec, httptest.NewRequest(http.MethodDelete, ask, nil))
	if rec.Code != 405 || rec.Header().Get("Allow") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}
