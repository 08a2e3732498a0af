package ui_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

const inProject = "/v1/projects/default"

// call asks the API with the key of the first start, and must succeed.
func (w *world) call(method, path string, in, out any) {
	w.t.Helper()
	sent, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL()+path, bytes.NewReader(sent))
	if err != nil {
		w.t.Fatal(err)
	}
	_, key := w.server.FirstKey()
	r.Header.Set("X-Api-Key", key.Reveal())
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, body)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

const amp = `specVersion: 1.0.0
integrations:
  - name: repos
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: hook
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: full_name
          optionalFields:
            - fieldName: description
          backfill:
            defaultPeriod:
              fullHistory: true
        - objectName: projects
          destination: hook
          schedule: "0 3 * * *"
    write:
      objects:
        - objectName: projects
`

// project signs in and returns the address of the project's first page.
func (w *world) project() string {
	w.t.Helper()
	w.signIn()
	w.page("/dashboard/")
	return w.At()
}

// product sets a product up: its consumer at the sandbox, a destination that takes
// everything and counts it, and a manifest.
func (w *world) product() (key string, received *atomic.Int64) {
	w.t.Helper()
	received = new(atomic.Int64)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		received.Add(1)
	}))
	w.t.Cleanup(hook.Close)
	key, secret := w.bucket.NewConsumer(w.server.CallbackURL(), "account", "repository", "project", "project:admin", "webhook")
	w.call(http.MethodPost, inProject+"/provider-apps", map[string]string{"provider": "bitbucket", "clientId": key, "clientSecret": secret}, nil)
	w.call(http.MethodPost, inProject+"/destinations", map[string]any{"name": "hook", "type": "webhook", "metadata": map[string]string{"url": hook.URL}}, nil)
	w.call(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": amp}, nil)
	return key, received
}

// connected connects a customer by tokens of theirs that exist already, with the
// scopes that are given, and returns the connection's id.
func (w *world) connected(key, group, name string, scopes ...string) string {
	w.t.Helper()
	access, refresh, err := w.bucket.NewOAuthTokens(key)
	if err != nil {
		w.t.Fatal(err)
	}
	var made struct{ ID string }
	w.call(http.MethodPost, inProject+"/connections:generate", map[string]any{
		"provider": "bitbucket", "groupRef": group, "groupName": name, "consumerRef": "ann", "consumerName": "Ann",
		"providerWorkspaceRef": w.bucket.Credentials().Workspace,
		"oauth2AuthorizationCode": map[string]any{
			"accessToken": map[string]string{"token": access}, "refreshToken": map[string]string{"token": refresh}, "scopes": scopes,
		},
	}, &made)
	return made.ID
}

// installed installs the integration for a customer that has connected.
func (w *world) installed(group string) string {
	w.t.Helper()
	object := func(name string) map[string]any {
		return map[string]any{"objectName": name, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}}
	}
	var made struct{ ID string }
	w.call(http.MethodPost, inProject+"/integrations/repos/installations?skipSampling=true", map[string]any{
		"groupRef": group, "config": map[string]any{"createdBy": "ann", "content": map[string]any{
			"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{"repositories": object("repositories"), "projects": object("projects")}},
		}},
	}, &made)
	return made.ID
}

// until waits for the page, which changes by itself, to say something.
func (w *world) until(text string) {
	w.t.Helper()
	const patience = 30 * time.Second
	said := ""
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(50 * time.Millisecond) {
		if said = w.Text("main"); strings.Contains(said, text) {
			return
		}
	}
	w.t.Fatalf("the page does not come to say %q:\n%s", text, said)
}

// fits checks pages in light and dark, on a wide screen and on a phone, with scripts
// and without.
func (w *world) fits(pages ...string) {
	w.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		w.Scheme(scheme)
		for _, page := range pages {
			w.Size(1280, 900)
			w.Visit(page)
			w.CheckAccessible(page + " in " + scheme)
		}
	}
	w.Size(360, 740)
	for _, page := range pages {
		w.Visit(page)
		w.CheckNoSidewaysScrolling(page)
	}
	w.Size(1280, 900)
}
