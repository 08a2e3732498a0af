package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// FuzzRequest holds that no request at all makes the server panic, answer with
// a status of its own failing, or leave a body that is not what it says.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/repositories/acme", "q=name+~+%22a%22&sort=-size&page=2", ""},
		{"GET", "/workspaces/acme/permissions/repositories", "q=permission+%3E+%22read%22", ""},
		{"PUT", "/workspaces/acme/projects/NEW", "", `{"name":"New","links":{"avatar":{"href":"data:image/png;base64,AA"}}}`},
		{"POST", "/repositories/acme/x", "fields=-links", `{"project":{"key":"PLAT"},"mainbranch":{"name":null}}`},
		{"POST", "/workspaces/acme/hooks", "", `{"url":"https://example.com","events":["repo:push"],"secret":null}`},
		{"POST", "/workspaces/acme/pipelines-config/variables", "", `{"key":"A","value":1}`},
		{"POST", "/snippets/acme", "", "--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx\r\n--b--"},
		{"DELETE", "/snippets/acme/%ff/%7B", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	s := sandbox.New(&sandbox.Options{Repositories: 30, Limit: -1})
	token := s.Credentials().AccessToken
	f.Fuzz(func(t *testing.T, method, path, rawQuery, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, api+"/", strings.NewReader(body))
		if err != nil {
			t.Skip("no such method")
		}
		u, err := url.Parse(api + "/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			t.Skip("no such path")
		}
		u.RawQuery = rawQuery
		r.URL = u
		r.Header.Set("Authorization", "Bearer "+token)
		if strings.HasPrefix(body, "--b") {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		}
		resp, err := s.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 500 {
			t.Errorf("%d %s", resp.StatusCode, b)
		}
		if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") && resp.StatusCode != http.StatusNoContent && method != http.MethodHead {
			if lenient(string(b)) == nil {
				t.Errorf("not JSON: %s", b)
			}
		}
	})
}
