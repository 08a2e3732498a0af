package server_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// Two customers connect with one token: both checks and all that follows are charged
// to the token, from the first request on, and after a restart as well.
func TestWhatACheckSpentIsChargedToTheToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 1})
		known := bitbucket.Credentials()
		var sent atomic.Int64 // with the token that is used twice
		at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Authorization") == "Bearer "+known.AccessToken {
				sent.Add(1)
			}
			bitbucket.ServeHTTP(w, req)
		}))
		t.Cleanup(at.Close)
		config.Endpoints = endpoints(at.URL)
		r := start(t, config)
		connect := func(group string, credentials map[string]any) {
			credentials["provider"], credentials["groupRef"], credentials["consumerRef"] = "bitbucket", group, "ann"
			credentials["providerWorkspaceRef"] = known.Workspace
			r.must(http.MethodPost, inProject+"/connections:generate", credentials, nil)
		}
		type budget struct {
			Key  string
			Used struct{ Interactive int }
		}
		budgets := func() (all []budget) {
			r.must(http.MethodGet, inProject+"/budgets", nil, &all)
			return all
		}
		connect("group-1", map[string]any{"apiKey": known.AccessToken})
		checked := budgets()
		if len(checked) != 1 || !strings.HasPrefix(checked[0].Key, "credential:") || strings.Contains(checked[0].Key, known.AccessToken) {
			t.Fatalf("after one check: %+v", checked)
		}
		// What is used counts slices that were taken and are not spent yet.
		charged := func(when string, keys int) {
			t.Helper()
			all := budgets()
			i := slices.IndexFunc(all, func(b budget) bool { return b.Key == checked[0].Key })
			if len(all) != keys || i < 0 || int64(all[i].Used.Interactive) < sent.Load() {
				t.Fatalf("%s: %+v, while %d requests were sent with the token %s", when, all, sent.Load(), checked[0].Key)
			}
		}
		charged("after one check", 1)
		connect("group-2", map[string]any{"basicAuth": map[string]string{"username": known.Email, "password": known.APIToken}})
		for _, group := range []string{"group-3", "group-4", "group-5"} {
			connect(group, map[string]any{"apiKey": known.AccessToken})
		}
		charged("after four checks of one token and one of another", 2)
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		key := r.key
		r = start(t, config)
		r.key = key
		connect("group-6", map[string]any{"apiKey": known.AccessToken})
		charged("after a restart", 1)
	})
}
