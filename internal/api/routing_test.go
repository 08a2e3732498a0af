package api_test

import (
	"strings"
	"testing"
)

func TestPathsThatLeadNowhere(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ name, method, path string }{
		{"an unknown path", "GET", "/v1/nonsense"},
		{"the root", "GET", "/"},
		{"a verb that is misspelt is no id", "PATCH", "/v1/projects/acme/connections/abc:oauth-updat"},
		{"an id with a colon is no id", "GET", "/v1/projects/acme/connections/a:b"},
		{"two verbs", "PATCH", "/v1/projects/acme/connections/a:b:oauth-update"},
		{"a verb without an id", "PATCH", "/v1/projects/acme/connections/:oauth-update"},
		{"a slash at the end", "GET", "/v1/projects/"},
		{"two slashes", "GET", "/v1//projects"},
		{"a step up", "GET", "/v1/projects/../projects"},
		{"an encoded step up", "GET", "/v1/projects/%2e%2e"},
		{"a dot", "GET", "/v1/projects/./integrations"},
		{"an encoded NUL", "GET", "/v1/projects/a%00b"},
		{"bytes that are not text", "GET", "/v1/projects/%ff%fe"},
		{"an id with a slash too many", "GET", "/v1/projects/acme/connections/a/b/c"},
		{"another version", "GET", "/v2/projects"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			w.do(request{method: test.method, path: test.path}).problem(404, "not-found")
		})
	}
}

func TestMethodThatAPathDoesNotTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do(request{method: "PUT", path: "/v1/projects/acme"})
	p := got.problem(405, "method-not-allowed")
	if allow := got.header.Get("Allow"); allow != "DELETE, GET, PATCH" {
		t.Errorf("Allow is %q", allow)
	}
	if !strings.Contains(p["remedy"].(string), "DELETE, GET, PATCH") {
		t.Errorf("the remedy is %q", p["remedy"])
	}
	w.do(request{method: "TRACE", path: "/v1/providers"}).problem(405, "method-not-allowed")
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "HEAD", path: "/v1/providers", key: noKey}).is(200)
}

// Names of objects hold slashes, which arrive escaped and part no segments.
func TestObjectNamesWithSlashes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected("cust", "person")
	got := w.get(w.in("/providers/bitbucket/objects/addon%2Flinkers/metadata?groupRef=cust")).is(200)
	if name := got.text("name"); name != "addon/linkers" {
		t.Errorf("name is %q", name)
	}
	// Unescaped twice it would be addon/linkers, too.
	w.get(w.in("/providers/bitbucket/objects/addon%252Flinkers/metadata?groupRef=cust")).is(404)
	w.get(w.in("/providers/bitbucket/objects/addon/linkers/metadata?groupRef=cust")).problem(404, "not-found")
	w.get(w.in("/providers/bitbucket/objects/..%2F..%2Fkeys/metadata?groupRef=cust")).is(404)
}

func TestQueryIsChecked(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ name, path, issue string }{
		{"a flag that is neither true nor false", "?includeEntitlements=yes", "includeEntitlements"},
		{"a parameter that appears twice", "?includeEntitlements=true&includeEntitlements=false", "includeEntitlements"},
		{"a required one that is missing", "/providers/bitbucket/objects/x/metadata", "groupRef"},
		{"a required one that is empty", "/providers/bitbucket/objects/x/metadata?groupRef=", "groupRef"},
		{"a word that is not among those allowed", "/connections/x?refresh=maybe", "refresh"},
		{"a NUL", "/connections?groupRef=a%00b", "groupRef"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			p := w.get(w.in(test.path)).problem(400, "invalid")
			if names := issueNames(p); len(names) != 1 || names[0] != test.issue {
				t.Errorf("issues: %v", names)
			}
		})
	}
	w.get(w.in("?a=%zz")).problem(400, "malformed-request")
	w.get(w.in("?_=123&utm=1")).is(200) // parameters that browsers add are ignored
}

func TestBrowsersMayCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(path, origin string) answer {
		return w.do(request{method: "OPTIONS", path: path, key: noKey, header: map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-api-key,content-type",
		}})
	}
	got := ask("/v1/projects/acme", "https://app.example.com").is(204)
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin":      "*",
		"Access-Control-Allow-Methods":     "GET, POST, PUT, PATCH, DELETE",
		"Access-Control-Allow-Headers":     "X-Api-Key, Authorization, Content-Type, X-Amp-Client, X-Amp-Client-Version",
		"Access-Control-Allow-Credentials": "",
	} {
		if got := got.header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if w.do(request{method: "OPTIONS", path: "/v1/projects"}).problem(405, "method-not-allowed") == nil {
		t.Error("OPTIONS without a question is a method like any other")
	}
	// A failure has to be readable, too.
	refused := w.do(request{method: "GET", path: "/v1/projects", key: noKey, header: map[string]string{"Origin": "https://app.example.com"}})
	refused.problem(401, "unauthorized")
	if refused.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a page cannot read why it was refused")
	}
	// The callback page is for people, not for scripts of other origins.
	if got := w.do(request{method: "GET", path: "/callbacks/v1/oauth", key: noKey}); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the callback page is open to scripts of other origins")
	}
}

// Published clients send the request that begins a consent with credentials, for
// which a browser does not take an asterisk.
func TestConsentMayBeBegunWithCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{"OPTIONS", "POST"} {
		got := w.do(request{method: method, path: "/v1/oauth-connect", key: noKey, header: map[string]string{
			"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST",
		}})
		if got.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
			got.header.Get("Access-Control-Allow-Credentials") != "true" || got.header.Get("Vary") != "Origin" {
			t.Errorf("%s: headers %v", method, got.header)
		}
	}
}
