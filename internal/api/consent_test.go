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
	"windlass/connector"
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
			"provider": "bitbucket", "clientId": "client", "clientSecret": "client-secret-that-nobody-may-see",
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
			return w.comeBack("https://x.example.com?state=forged", "code=c")
		}, 404, "not-found", "", "not started here"},
		{"no state at all", func(w *world) answer {
			return w.comeBack("https://x.example.com", "code=c")
		}, 400, "invalid", "", "no state"},
		{"the same state twice", func(w *world) answer {
			begun := w.begin(nil).body
			w.comeBack(begun, "code=c").is(200)
			return w.comeBack(begun, "code=c")
		}, 404, "not-found", "", "used already"},
		{"a state after a refusal", func(w *world) answer {
			begun := w.begin(nil).body
			w.comeBack(begun, "error=access_denied").is(403)
			return w.comeBack(begun, "code=c")
		}, 404, "not-found", "", "used already"},
		{"a state that is too old", func(w *world) answer {
			begun := w.begin(nil).body
			w.clock.pass(time.Hour)
			return w.comeBack(begun, "code=c")
		}, 410, "gone", "", "too long"},
		{"a wrong client secret", func(w *world) answer {
			w.provider.exchange = &connector.Error{Kind: windlass.Unauthorized, Status: 401, Message: "Invalid OAuth client credentials"}
			return w.comeBack(w.begin(nil).body, "code=c")
		}, 422, "unauthorized", productOrigin, "Invalid OAuth client"},
		{"a provider that is down", func(w *world) answer {
			w.provider.exchange = &connector.Error{Kind: windlass.Unavailable, Status: 503, Message: "down", RetryAfter: time.Minute}
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
			if origin != test.told || message["eventType"] != "AUTHORIZATION_FAILED" || data["error"] != test.code {
				t.Errorf("it tells %q: %v", origin, message)
			}
			if text, _ := message["message"].(string); !strings.Contains(strings.ToLower(text), strings.ToLower(test.text)) {
				t.Errorf("the message is %q", text)
			}
			if !strings.Contains(page.body, test.text) {
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

func TestConsentMayBeTiedToTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tied := map[string]any{"enableCSRFProtection": true}
	begun := w.begin(tied)
	cookies := (&http.Response{Header: begun.header}).Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].Path != "/callbacks/v1/oauth" {
		t.Fatalf("cookies: %v", cookies)
	}
	w.comeBack(begun.body, "code=c").is(403) // another browser
	begun = w.begin(tied)
	cookie := (&http.Response{Header: begun.header}).Cookies()[0]
	at, err := url.Parse(begun.body)
	if err != nil {
		t.Fatal(err)
	}
	page := w.do(request{
		method: "GET", key: noKey, path: "/callbacks/v1/oauth?code=c&state=" + at.Query().Get("state"),
		header: map[string]string{"Cookie": cookie.Name + "=" + cookie.Value},
	}).is(200)
	if spent := (&http.Response{Header: page.header}).Cookies(); len(spent) != 1 || spent[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", spent)
	}
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
