package bitbucket_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// What a workspace's endpoints have shown is shared by those who are opened with one
// name, and by no others: finding out costs two requests.
func TestConnectorsShareWhatTheyHaveLearntByName(t *testing.T) {
	t.Parallel()
	server := sandbox.New(&sandbox.Options{Projects: 3})
	provider := &bitbucket.Provider{}
	transport, err := provider.Transport(windlass.Credentials{APIKey: windlass.NewSecret(server.Credentials().AccessToken)}, server.Transport())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, lessons string
		requests      int
	}{
		{"the first finds out", "one", 3},
		{"the next one of the same name knows", "one", 1},
		{"another finds out", "two", 3},
		{"one without a name finds out", "", 3},
		{"and tells no other", "", 3},
	} {
		c, err := provider.Open(&http.Client{Transport: transport}, connector.Options{Workspace: "acme", Lessons: row.lessons})
		if err != nil {
			t.Fatal(err)
		}
		before := server.Requests()
		if _, err := c.Read(t.Context(), connector.ReadRequest{Object: "projects", Since: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
		if n := server.Requests() - before; n != row.requests {
			t.Errorf("%s: %d requests, want %d", row.name, n, row.requests)
		}
	}
}

// A provider that is elsewhere sends requests there, and its credentials nowhere else.
func TestAProviderIsWhereItsEndpointsSay(t *testing.T) {
	t.Parallel()
	provider := &bitbucket.Provider{Endpoints: connector.Endpoints{API: "https://forge.example.com/api/2.0/", Site: "https://pages.example.com"}}
	if info := provider.Info(); info.BaseURL != "https://api.bitbucket.org" || info.ProxyURL != "https://forge.example.com/api" {
		t.Errorf("the catalogue says %s, the proxy goes to %s", info.BaseURL, info.ProxyURL)
	}
	page, err := provider.OAuth(nil).AuthorizeURL(windlass.ProviderApp{ClientID: "key"}, connector.Consent{State: "s"})
	if err != nil || page[:len("https://pages.example.com/site/oauth2/authorize?")] != "https://pages.example.com/site/oauth2/authorize?" {
		t.Errorf("customers consent at %s, %v", page, err)
	}
	var asked []string
	transport, err := provider.Transport(windlass.Credentials{APIKey: windlass.NewSecret("a-token")}, transportFunc(func(req *http.Request) (*http.Response, error) {
		asked = append(asked, req.URL.String())
		return reply(http.StatusOK, `{"uuid":"{1}","slug":"acme","name":"Acme","user":{"uuid":"{2}"}}`), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Check(t.Context(), &http.Client{Transport: transport}, "acme"); err != nil {
		t.Fatal(err)
	}
	if len(asked) == 0 || asked[0] != "https://forge.example.com/api/2.0/workspaces/acme" {
		t.Errorf("it was asked at %v", asked)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.bitbucket.org/2.0/user", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := transport.RoundTrip(req); !errors.Is(err, windlass.Malformed) {
		if err == nil {
			resp.Body.Close()
		}
		t.Errorf("the credential went elsewhere: %v", err)
	}
}
