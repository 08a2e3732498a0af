package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"windlass"
)

const productOrigin = "https://app.example.com"

// begin starts a consent from a page of the product's, and returns the address
// that the popup is sent to.
func (w *world) begin(change map[string]any) answer {
	w.t.Helper()
	w.withProviderApp()
	body := map[string]any{
		"projectIdOrName": "acme", "provider": "bitbucket", "groupRef": "cust", "consumerRef": "person", "providerWorkspaceRef": "acme",
	}
	maps.Copy(body, change)
	return w.do(request{
		method: "POST", path: "/v1/oauth-connect", body: body, key: w.frontend, header: map[string]string{"Origin": productOrigin},
	}).is(200)
}

func (w *world) withProviderApp() {
	w.t.Helper()
	if len(w.get(w.in("/provider-apps")).list()) == 0 {
		w.send("POST", w.in("/provider-apps"), map[string]any{
			"provider": "bitbucket", "clientId": "client", "clientSecret": "client-secret-that-must-stay-hidden",
		}).is(200)
	}
}

var (
	pageValues = regexp.MustCompile(`var origin = (.*), message = (.*), done = (.*);`)
	pageNonces = regexp.MustCompile(`nonce="([^"]*)"`)
)

// told reads from the page whom it tells what.
func told(t *testing.T, page answer) (origin string, message map[string]any) {
	t.Helper()
	values := pageValues.FindStringSubmatch(page.body)
	if values == nil {
		t.Fatalf("the page tells nothing: %s", page.body)
	}
	if err := json.Unmarshal([]byte(values[1]), &origin); err != nil {
		t.Fatal(err, values[1])
	}
	if err := json.Unmarshal([]byte(values[2]), &message); err != nil {
		t.Fatal(err, values[2])
	}
	return origin, message
}

func TestConsentEndsOnAPageThatTellsItsOpener(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.begin(map[string]any{"groupName": "Customer"})
	if got := begun.header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("the address comes as %q", got)
	}
	page := w.comeBack(begun.body, "code=c").is(200)
	origin, message := told(t, page)
	if origin != productOrigin || message["eventType"] != "AUTHORIZATION_SUCCEEDED" {
		t.Errorf("it tells %q: %v", origin, message)
	}
	data, _ := message["data"].(map[string]any)
	connection, _ := data["connection"].(map[string]any)
	if connection["status"] != "working" || connection["group"].(map[string]any)["groupName"] != "Customer" {
		t.Errorf("the connection is %v", connection)
	}
	if w.contract.doc != nil {
		text, _ := json.Marshal(connection)
		for _, fault := range schemaFaults(w.contract.doc.Components.Schemas["Connection"].Value, string(text)) {
			t.Error(fault)
		}
	}
	for _, secret := range []string{theAccessToken, theRefreshToken, "client-secret"} {
		if strings.Contains(page.body, secret) {
			t.Errorf("the page holds %s", secret)
		}
	}
	if !strings.Contains(page.body, "Your workspace acme is connected.") {
		t.Errorf("the page says nothing to people: %s", page.body)
	}
}

func TestConsentPageIsShut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pages := []answer{w.comeBack(w.begin(nil).body, "code=c"), w.comeBack(w.begin(nil).body, "code=c")}
	var nonces []string
	for _, page := range pages {
		policy := page.header.Get("Content-Security-Policy")
		for _, nonce := range pageNonces.FindAllStringSubmatch(page.body, -1) {
			if !strings.Contains(policy, "script-src 'nonce-"+nonce[1]+"'") || !strings.Contains(policy, "style-src 'nonce-"+nonce[1]+"'") {
				t.Errorf("the policy %q does not know the nonce %s", policy, nonce[1])
			}
			nonces = append(nonces, nonce[1])
		}
		for _, part := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("the policy %q lacks %s", policy, part)
			}
		}
		for header, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Opener-Policy": "unsafe-none", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := page.header.Get(header); got != want {
				t.Errorf("%s is %q", header, got)
			}
		}
	}
	if len(nonces) != 4 || nonces[0] == nonces[2] {
		t.Errorf("nonces: %v", nonces)
	}
}

func TestConsentsThatFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		back   func(w *world) answer
		status int
		code   string
		told   string // the origin
		text   string
	}{
		{"the person says no", func(w *world) answer {
			return w.comeBack(w.begin(nil).body, "error=access_denied&error_description=no")
		}, 403, "forbidden", productOrigin, "Access was denied"},
		{"a state that was made up", func(w *world) answer {
			return w.browser().open("/callbacks/v1/oauth?state=forged&code=c")
		}, 404, "not-found", "", "not started here"},
		{"no state at all", func(w *world) answer {
			return w.browser().open("/callbacks/v1/oauth?code=c")
		}, 400, "invalid", "", "no state"},
		{"the same state twice", func(w *world) answer {
			b := w.browser()
			back := b.callback(w.begin(nil).body, "code=c")
			b.open(back).is(200)
			return b.open(back)
		}, 404, "not-found", productOrigin, "used already"},
		{"a state after a refusal", func(w *world) answer {
			b := w.browser()
			back := b.callback(w.begin(nil).body, "")
			b.open(back + "error=access_denied").is(403)
			return b.open(back + "code=c")
		}, 404, "not-found", productOrigin, "used already"},
		{"a consent that is over, from its beginning", func(w *world) answer {
			begun := w.begin(nil).body
			w.comeBack(begun, "code=c").is(200)
			return w.browser().open(begun)
		}, 404, "not-found", productOrigin, "used already"},
		{"a consent of another browser's", func(w *world) answer {
			return w.browser().open(w.browser().callback(w.begin(nil).body, "code=c"))
		}, 403, "forbidden", productOrigin, "another browser"},
		{"a browser that did not see the page", func(w *world) answer {
			b := w.browser()
			return w.browser().open(b.next(b.open(w.begin(nil).body)))
		}, 403, "forbidden", productOrigin, "another browser"},
		{"a state that is too old", func(w *world) answer {
			b := w.browser()
			back := b.callback(w.begin(nil).body, "code=c")
			w.clock.pass(time.Hour)
			return b.open(back)
		}, 410, "gone", productOrigin, "too long"},
		{"a wrong client secret", func(w *world) answer {
			w.provider.exchange = &windlass.Error{Kind: windlass.Unauthorized, Provider: &windlass.ProviderDetails{Status: 401}, Message: "Invalid OAuth client credentials"}
			return w.comeBack(w.begin(nil).body, "code=c")
		}, 422, "unauthorized", productOrigin, "Invalid OAuth client"},
		{"a provider that is down", func(w *world) answer {
			w.provider.exchange = &windlass.Error{Kind: windlass.Unavailable, Provider: &windlass.ProviderDetails{Status: 503}, Message: "down", RetryAfter: time.Minute}
			return w.comeBack(w.begin(nil).body, "code=c")
		}, 503, "unavailable", productOrigin, "down"},
		{"a script in the provider's words", func(w *world) answer {
			return w.comeBack(w.begin(nil).body, "error="+url.QueryEscape(`</script><script>alert(1)</script>`)+"&error_description="+url.QueryEscape(`"><img src=x onerror=alert(1)>`))
		}, 400, "invalid", productOrigin, "refused the request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			page := test.back(w).is(test.status)
			origin, message := told(t, page)
			data, _ := message["data"].(map[string]any)
			if origin != test.told || message["eventType"] != "AUTHORIZATION_FAILED" || data["code"] != test.code {
				t.Errorf("it tells %q: %v", origin, message)
			}
			// Published components show data.error to people, or the message.
			if text, _ := data["error"].(string); text != message["message"] || !strings.HasSuffix(text, ".") || !strings.Contains(text, " ") {
				t.Errorf("people read %q", text)
			}
			if done := pageValues.FindStringSubmatch(page.body)[3]; strings.TrimSpace(done) != "true" {
				t.Error("the window stays open")
			}
			if text, _ := message["message"].(string); !strings.Contains(strings.ToLower(text), strings.ToLower(test.text)) {
				t.Errorf("the message is %q", text)
			}
			if !strings.Contains(strings.ToLower(page.body), strings.ToLower(test.text)) {
				t.Errorf("the page does not say %q: %s", test.text, page.body)
			}
			if strings.Contains(page.body, "<script>") || strings.Contains(page.body, "<img") || strings.Count(page.body, "</script>") != 1 {
				t.Errorf("markup came through: %s", page.body)
			}
			if strings.Contains(w.logs.String(), "code=") || strings.Contains(w.logs.String(), "state=") {
				t.Error("the log holds the query")
			}
		})
	}
}

func TestNobodyIsToldWhereNoPageAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withProviderApp()
	for _, origin := range []string{"", "null"} {
		begun := w.do(request{method: "POST", path: "/v1/oauth-connect", header: map[string]string{"Origin": origin}, body: map[string]any{
			"projectIdOrName": "acme", "provider": "bitbucket", "groupRef": "cust", "consumerRef": "person", "providerWorkspaceRef": "acme",
		}}).is(200)
		if to, _ := told(t, w.comeBack(begun.body, "code=c").is(200)); to != "" {
			t.Errorf("an opener of origin %q is told at %q", origin, to)
		}
	}
	w.do(request{method: "POST", path: "/v1/oauth-connect", header: map[string]string{"Origin": "https://app.example.com/path"}, body: map[string]any{
		"projectIdOrName": "acme", "provider": "bitbucket", "groupRef": "cust", "consumerRef": "person", "providerWorkspaceRef": "acme",
	}}).problem(400, "invalid")
}

// Published components begin a consent from another origin and keep no cookie of
// that answer: the popup gets its own, from a page of ours.
func TestConsentIsTiedToTheBrowserThatOpensIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, asked := range []map[string]any{nil, {"enableCSRFProtection": true}} {
		begun := w.begin(asked)
		if len(begun.header.Values("Set-Cookie")) > 0 {
			t.Error("the answer to another origin sets a cookie")
		}
		b := w.browser()
		page := b.open(begun.body).is(200)
		cookies := (&http.Response{Header: page.header}).Cookies()
		if len(cookies) != 1 || !strings.HasPrefix(cookies[0].Name, "__Host-") || !cookies[0].HttpOnly || !cookies[0].Secure ||
			cookies[0].Path != "/" || cookies[0].Domain != "" || cookies[0].SameSite != http.SameSiteLaxMode {
			t.Fatalf("cookies: %v", cookies)
		}
		if strings.Contains(begun.body+page.body, strings.SplitN(cookies[0].Value, ".", 2)[0]) {
			t.Error("the browser's secret is in a page")
		}
		back := b.callback(begun.body, "code=c")
		if strings.Contains(back, strings.SplitN(cookies[0].Value, ".", 2)[0]) {
			t.Error("the browser's secret travels to the provider")
		}
		done := b.open(back).is(200)
		if spent := (&http.Response{Header: done.header}).Cookies(); len(spent) != 1 || spent[0].MaxAge >= 0 || len(b.cookies) != 0 {
			t.Errorf("the cookie stays: %v", spent)
		}
	}
}

// The page says who asks for what before anything is given, in text; it can be
// shown in no frame, and what it holds of others is no markup.
func TestConsentBeginsOnAPageThatNamesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := `</script><script>alert(1)</script><img src=x>`
	begun := w.begin(map[string]any{"groupName": "Customer " + evil, "groupRef": "cust-7"})
	page := w.browser().open(begun.body).is(200)
	for _, words := range []string{"cust-7", "Customer ", productOrigin, "acme", "Continue to Bitbucket"} {
		if !strings.Contains(page.body, words) {
			t.Errorf("the page does not say %q: %s", words, page.body)
		}
	}
	if strings.Contains(page.body, "<img") || strings.Count(page.body, "<script") != 1 {
		t.Errorf("markup came through: %s", page.body)
	}
	policy := page.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %s", policy, part)
		}
	}
	for header, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "unsafe-none",
		"Access-Control-Allow-Origin": "",
	} {
		if got := page.header.Get(header); got != want {
			t.Errorf("%s is %q", header, got)
		}
	}
}

func TestConsentsBeginFromAllowedOriginsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withProviderApp()
	for _, bad := range []string{"https://*", "https://app.example.com/", "null", "app.example.com"} {
		w.send("PATCH", "/v1/projects/acme", map[string]any{
			"updateMask": []string{"allowedOrigins"}, "project": map[string]any{"allowedOrigins": []string{bad}},
		}).problem(400, "invalid")
	}
	changed := w.send("PATCH", "/v1/projects/acme", map[string]any{
		"updateMask": []string{"allowedOrigins"}, "project": map[string]any{"allowedOrigins": []string{productOrigin}},
	}).is(200)
	if !strings.Contains(changed.body, `"allowedOrigins":["`+productOrigin+`"]`) {
		t.Errorf("the project is %s", changed.body)
	}
	w.begin(nil)
	body := map[string]any{"projectIdOrName": "acme", "provider": "bitbucket", "groupRef": "cust", "consumerRef": "person", "providerWorkspaceRef": "acme"}
	w.do(request{
		method: "POST", path: "/v1/oauth-connect", body: body, key: w.frontend, header: map[string]string{"Origin": "https://evil.example"},
	}).problem(403, "forbidden")
}

func TestConsentIsForAProjectThatTheCallerSees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newProject("other")
	body := map[string]any{"projectIdOrName": "other", "provider": "bitbucket", "groupRef": "g", "consumerRef": "c", "providerWorkspaceRef": "w"}
	w.send("POST", "/v1/oauth-connect", body).problem(404, "not-found")
	delete(body, "projectIdOrName")
	if got := issueNames(w.send("POST", "/v1/oauth-connect", body).problem(400, "invalid")); len(got) != 1 || got[0] != "projectIdOrName" {
		t.Errorf("issues: %v", got)
	}
}
