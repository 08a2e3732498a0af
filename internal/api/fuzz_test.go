package api_test

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever is sent is answered: never with a defect of ours, always with an answer
// or a problem, and nothing is null.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, path, body string }{
		{"GET", "/v1/projects/acme", ""},
		{"PATCH", "/v1/projects/acme/connections/x:oauth-update", ""},
		{"GET", "/v1/projects/acme/providers/bitbucket/objects/addon%2Flinkers/metadata?groupRef=g", ""},
		{"POST", "/v1/projects/acme/api-keys", `{"label":"a","scopes":["full"]}`},
		{"PUT", "/v1/projects/acme/integrations:batch?destructive=true", `{"sourceYaml":"specVersion: 1.0.0\nintegrations: []\n"}`},
		{"POST", "/v1/projects/acme/integrations/repos/installations", `{"groupRef":"g","config":{"content":{"provider":"bitbucket","read":{"objects":{"a":null}}}}}`},
		{"PATCH", "/v1/projects/acme/integrations/repos/objects/repositories/config-content", `{"groupRef":"g","action":"read","changes":[{"op":"add","path":"/~1","value":null}]}`},
		{"PATCH", "/v1/projects/acme/integrations/repos/installations/x", `{"updateMask":["config.content.read.objects.a"],"installation":{}}`},
		{"POST", "/v1/projects/acme/connections:generate", `{"provider":"bitbucket","groupRef":"g","consumerRef":"c","apiKey":"k","providerWorkspaceRef":"w"}`},
		{"POST", "/v1/projects/acme/destinations", `{"name":"d","type":"webhook","metadata":{"url":"https://h.example.com","headers":{"A":"b"}}}`},
		{"POST", "/v1/oauth-connect", `{"projectId":"acme","provider":"bitbucket","groupRef":"g","consumerRef":"c","providerMetadata":{"workspace":{"value":"w","source":"input"}}}`},
		{"GET", "/callbacks/v1/oauth?state=x&code=y", ""},
		{"PUT", "/v1/uploads/x?token=y", "PK"},
		{"OPTIONS", "/v1/x", ""},
	} {
		f.Add(seed.method, seed.path, seed.body)
	}
	shared := newWorld(f)
	shared.deployed()
	shared.contract.onlyAnswers = true
	f.Fuzz(func(t *testing.T, method, path, body string) {
		at, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n#") || at.Host != "" || !isToken(method) {
			t.Skip("net/http lets nothing like that through")
		}
		w := shared.as(t)
		got := w.do(request{method: method, path: path, body: body})
		if got.status >= 500 {
			t.Errorf("%s %s %s: got %d: %s\n%s", method, path, body, got.status, got.body, w.logs.String())
		}
		if got.status >= 400 && got.header.Get("Content-Type") != "application/problem+json" && !strings.Contains(got.body, "<!doctype html>") {
			t.Errorf("%s %s: %d is no problem: %s", method, path, got.status, got.body)
		}
	})
}

func isToken(method string) bool {
	return method != "" && !strings.ContainsFunc(method, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
