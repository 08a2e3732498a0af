package api_test

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/connect"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

const theManifest = `specVersion: 1.0.0
integrations:
  - name: repos
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: hook
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: name
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              fullHistory: true
        - objectName: workspaces
          destination: hook
          schedule: "*/10 * * * *"
          optionalFieldsAuto: all
`

// deployed makes a destination and deploys the manifest.
func (w *world) deployed() {
	w.t.Helper()
	w.send("POST", w.in("/destinations"), map[string]any{
		"name": "hook", "type": "webhook", "metadata": map[string]any{"url": "https://hooks.example.com/in"},
	}).is(201)
	w.send("PUT", w.in("/integrations:batch"), map[string]any{"sourceYaml": theManifest}).is(200)
}

// connected makes a connection for a customer and returns its id.
func (w *world) connected(groupRef, consumerRef string) string {
	w.t.Helper()
	outcome, err := w.connect.Generate(w.t.Context(), connect.Import{
		Ask:         connect.Ask{Project: w.project.ID, Provider: "bitbucket", GroupRef: groupRef, ConsumerRef: consumerRef, Workspace: groupRef},
		Credentials: windlass.Credentials{Username: "a@example.com", Password: windlass.NewSecret("api-token-that-must-stay-hidden")},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return outcome.Connection.ID
}

// installed installs what deployed has deployed, and returns the installation's id.
func (w *world) installed(groupRef, connection string) string {
	w.t.Helper()
	return w.send("POST", w.in("/integrations/repos/installations"), map[string]any{
		"groupRef": groupRef, "connectionId": connection,
		"config": map[string]any{"createdBy": "consumer:person", "content": map[string]any{
			"provider": "bitbucket",
			"read": map[string]any{"objects": map[string]any{"repositories": map[string]any{
				"objectName": "repositories", "selectedFields": map[string]any{}, "selectedFieldMappings": map[string]any{},
			}}},
		}},
	}).is(201).text("id")
}

// revision is the id of the latest revision of what deployed has deployed.
func (w *world) revision() string {
	w.t.Helper()
	latest, _ := w.get(w.in("/integrations/repos")).is(200).object()["latestRevision"].(map[string]any)
	id, _ := latest["id"].(string)
	return id
}

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sum(data string) string {
	digest := md5.Sum([]byte(data))
	return base64.StdEncoding.EncodeToString(digest[:])
}

// One team sets everything up, connects a customer, changes its mind and cleans
// up: every operation that is built, once at least, each exchange held against the
// published contract.
func TestEverythingOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		everythingOnce(t, newWorldOn(t, open(), func(*api.Config) {}))
	})
}

func everythingOnce(t *testing.T, w *world) {
	t.Helper()

	// Projects.
	made := w.do(request{method: "POST", path: "/v1/projects", key: operatorKey, body: map[string]any{"name": "fresh", "appName": "Fresh", "orgId": "o"}}).is(201)
	if made.text("name") != "fresh" {
		t.Errorf("made %s", made.body)
	}
	w.get("/v1/projects").is(200)
	w.get(w.in("?includeEntitlements=true")).is(200)
	if got := w.send("PATCH", w.in(""), map[string]any{"updateMask": []string{"appName"}, "project": map[string]any{"appName": "Acme App"}}).is(200).text("appName"); got != "Acme App" {
		t.Errorf("appName is %q", got)
	}

	w.whoOnce(t, made.text("id"))

	// Provider apps.
	app := w.send("POST", w.in("/provider-apps"), map[string]any{
		"provider": "bitbucket", "clientId": "client", "clientSecret": "secret-that-must-stay-hidden", "externalRef": "x",
		"scopes": []string{"account"}, "metadata": map[string]any{"providerParams": map[string]any{"hourlyLimit": "500"}},
	}).is(200)
	w.get(w.in("/provider-apps")).is(200)
	w.send("PATCH", w.in("/provider-apps/"+app.text("id")), map[string]any{
		"updateMask": []string{"clientId"}, "providerApp": map[string]any{"clientId": "client2"},
	}).is(200)

	// Destinations.
	w.deployed()
	w.get(w.in("/destinations")).is(200)
	plain := w.get(w.in("/destinations/hook")).is(200)
	if strings.Contains(plain.body, "whsec_") {
		t.Error("the secret was not asked for")
	}
	first := w.get(w.in("/destinations/hook?includeSecrets=true")).is(200)
	second := w.get(w.in("/destinations/" + plain.text("id") + "?includeSecrets=true&rotate=true")).is(200)
	if !strings.Contains(first.body, "whsec_") || !strings.Contains(second.body, "whsec_") || first.body == second.body {
		t.Errorf("rotation: %s, then %s", first.body, second.body)
	}
	w.send("PATCH", w.in("/destinations/hook"), map[string]any{
		"updateMask": []string{"metadata.url"}, "destination": map[string]any{"metadata": map[string]any{"url": "https://hooks.example.com/other"}},
	}).is(200)

	// Integrations, by YAML and by zip.
	w.send("POST", w.in("/integrations"), map[string]any{
		"name": "writer", "provider": "bitbucket",
		"latestRevision": map[string]any{"specVersion": "1.0.0", "content": map[string]any{
			"name": "writer", "provider": "bitbucket", "write": map[string]any{"objects": []any{map[string]any{"objectName": "projects"}}},
		}},
	}).is(201)
	w.get(w.in("/integrations")).is(200)
	w.send("POST", w.in("/integrations/repos/revisions"), map[string]any{"sourceYaml": theManifest}).is(201)
	w.deployZip(t)

	w.customerOnce(t)
	w.keysOnce(t)
	w.notificationsOnce(t)

	w.send("DELETE", w.in("/integrations/writer"), nil).is(204)
	w.send("DELETE", w.in("/integrations/repos"), nil).is(204)
	w.send("DELETE", w.in("/destinations/hook"), nil).is(204)
	w.do(request{method: "GET", path: "/v1/providers", key: noKey}).is(200)
	w.do(request{method: "GET", path: "/v1/providers/bitbucket", key: noKey}).is(200)

	w.leavesOnce(t)
	w.allSeen(t)
	for _, secret := range []string{"that-must-stay-hidden", w.key, w.frontend, "whsec_"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// whoOnce asks who calls, and keeps customers; fresh is a project that holds nothing.
func (w *world) whoOnce(t *testing.T, fresh string) {
	t.Helper()
	roles := func(key string, want ...string) {
		t.Helper()
		got := w.do(request{method: "GET", path: "/v1/my-info", key: key}).is(200).object()
		all, _ := got["projectRoles"].(map[string]any)
		var roles []string
		for _, id := range slices.Sorted(maps.Keys(all)) {
			role, _ := all[id].(map[string]any)["role"].(string)
			roles = append(roles, id+" "+role)
		}
		if !slices.Equal(roles, slices.Sorted(slices.Values(want))) {
			t.Errorf("roles %v, want %v", roles, want)
		}
	}
	roles(w.key, w.project.ID+" admin")
	roles(w.frontend, w.project.ID+" member")
	roles(operatorKey, w.project.ID+" admin", fresh+" admin")
	if got := w.get("/v1/orgs/o/builders").is(200).body; got != "[]" {
		t.Errorf("builders: %s", got)
	}

	kept := w.do(request{method: "POST", path: w.in("/groups"), key: w.frontend, body: map[string]any{"groupRef": "early", "groupName": "Early"}}).is(201)
	if again := w.send("POST", w.in("/groups"), map[string]any{"groupRef": "early"}).is(201); again.body != kept.body || kept.text("groupName") != "Early" {
		t.Errorf("kept %s, then %s", kept.body, again.body)
	}
	if got := w.send("POST", w.in("/consumers"), map[string]any{"consumerRef": "p", "consumerName": "Person"}).is(201); got.text("consumerName") != "Person" {
		t.Errorf("kept %s", got.body)
	}
	w.send("POST", w.in("/groups"), map[string]any{"groupRef": strings.Repeat("a", 257)}).problem(400, "invalid")

	// Of the project goes nothing while it holds something; not by its own key either.
	w.send("DELETE", w.in(""), nil).problem(403, "forbidden")
	refused := w.do(request{method: "DELETE", path: w.in(""), key: operatorKey}).problem(409, "conflict")
	if detail, _ := refused["detail"].(string); !strings.Contains(detail, "it holds API keys") {
		t.Errorf("refused: %v", refused)
	}
	w.do(request{method: "DELETE", path: "/v1/projects/" + fresh, key: operatorKey}).is(204)
	w.do(request{method: "GET", path: "/v1/projects/" + fresh, key: operatorKey}).problem(404, "not-found")
}

func (w *world) deployZip(t *testing.T) {
	t.Helper()
	data := zipped(t, map[string]string{"amp.yaml": theManifest})
	ticket := w.get("/v1/generate-upload-url?md5=" + url.QueryEscape(sum(data))).is(200)
	to, err := url.Parse(ticket.text("url"))
	if err != nil {
		t.Fatal(err)
	}
	w.do(request{
		method: "PUT", path: to.RequestURI(), body: data, key: noKey,
		header: map[string]string{"Content-Type": "application/zip", "Content-MD5": sum(data)},
	}).is(200)
	w.send("PUT", w.in("/integrations:batch?destructive=false"), map[string]any{
		"sourceZipUrl": "gs://" + ticket.text("bucket") + "/" + ticket.text("path"),
	}).is(200)
}

func (w *world) customerOnce(t *testing.T) {
	t.Helper()
	w.send("PATCH", "/v1/projects/acme", map[string]any{
		"updateMask": []string{"allowedOrigins"}, "project": map[string]any{"allowedOrigins": []string{productOrigin}},
	}).is(200)
	consent := w.send("POST", "/v1/oauth-connect", map[string]any{
		"projectId": w.project.ID, "provider": "bitbucket", "groupRef": "cust", "groupName": "Customer", "consumerRef": "person", "consumerName": "Person",
		"providerWorkspaceRef": "acme", "providerMetadata": map[string]any{"workspace": map[string]any{"value": "acme", "source": "input"}},
	}).is(200)
	w.comeBack(consent.body, "code=c").is(200)
	one := w.get(w.in("/connections?groupRef=cust&consumerRef=person&provider=bitbucket")).is(200).list()
	if len(one) != 1 || one[0]["providerApp"] == nil {
		t.Fatalf("connections: %v", one)
	}
	id, _ := one[0]["id"].(string)
	w.send("PATCH", w.in("/connections/"+id+":oauth-update"), nil).is(200)
	creds := w.get(w.in("/connections/" + id + "?includeCreds=true")).is(200).body
	if !strings.Contains(creds, theAccessToken) || strings.Contains(creds, theRefreshToken) {
		t.Errorf("includeCreds: %s", creds)
	}
	creds = w.get(w.in("/connections/" + id + "?includeRefreshToken=true&refresh=force")).is(200).body
	if !strings.Contains(creds, theAccessToken) || !strings.Contains(creds, theRefreshToken) || w.provider.refused != 1 {
		t.Errorf("includeRefreshToken: %s", creds)
	}

	w.get(w.in("/providers/bitbucket/objects/addon%2Flinkers/metadata?groupRef=cust")).is(200)
	imported := w.send("POST", w.in("/connections:generate"), map[string]any{
		"provider": "bitbucket", "groupRef": "cust", "consumerRef": "robot", "providerWorkspaceRef": "acme",
		"basicAuth": map[string]any{"username": "a@example.com", "password": "api-token-that-must-stay-hidden"},
	}).is(201)
	w.send("PATCH", w.in("/connections/"+imported.text("id")), map[string]any{
		"updateMask": []string{"basicAuth"}, "connection": map[string]any{"basicAuth": map[string]any{"username": "b@example.com", "password": "another-that-must-stay-hidden"}},
	}).is(200)

	installation := w.installed("cust", id)
	path := "/integrations/repos/installations/" + installation
	w.get(w.in("/integrations/repos/installations?groupRef=cust")).is(200)
	w.get(w.in("/installations")).is(200)
	w.get(w.in(path)).is(200)
	w.send("PATCH", w.in(path+"?skipSampling=true"), map[string]any{
		"updateMask": []string{"connectionId"}, "installation": map[string]any{"connectionId": imported.text("id")},
	}).is(200)
	w.send("PATCH", w.in("/integrations/repos/objects/repositories/config-content"), map[string]any{
		"groupRef": "cust", "action": "read", "changes": []any{map[string]any{"op": "add", "path": "/selectedFields/description", "value": true}},
	}).is(200)
	w.get(w.in("/integrations/repos/objects/repositories/metadata?groupRef=cust&excludeReadOnly=true")).is(200)
	hydrated := w.get(w.in("/integrations/repos/revisions/" + w.revision() + ":hydrate?connectionId=" + id)).is(200)
	if !strings.Contains(hydrated.body, "try later") || !strings.Contains(hydrated.body, "full_name") {
		t.Errorf("an object that fails should leave the others usable: %s", hydrated.body)
	}
	w.readsOnce(t, installation)
	w.send("DELETE", w.in("/connections/"+imported.text("id")), nil).problem(409, "conflict")
	w.send("DELETE", w.in(path), nil).is(204)
	w.send("DELETE", w.in("/connections/"+imported.text("id")), nil).is(204)
	w.send("DELETE", w.in("/connections/"+id), nil).is(204)
	app, _ := w.get(w.in("/provider-apps")).list()[0]["id"].(string)
	w.send("DELETE", w.in("/provider-apps/"+app), nil).is(204)
}

func (w *world) keysOnce(t *testing.T) {
	t.Helper()
	made := w.send("POST", w.in("/api-keys"), map[string]any{"label": "ci", "scopes": []string{"frontend"}}).is(201)
	whole := made.text("key")
	for _, key := range w.get(w.in("/api-keys?active=true")).is(200).list() {
		if text, _ := key["key"].(string); strings.Count(text, "_") != 1 {
			t.Errorf("a list shows %q", text)
		}
	}
	public := w.get(w.in("/api-keys/" + whole)).is(200).text("key")
	if public == whole || !strings.HasPrefix(whole, public) {
		t.Errorf("%q is not the public part of the key", public)
	}
	w.send("PATCH", w.in("/api-keys/"+public), map[string]any{"updateMask": []string{"label"}, "apiKey": map[string]any{"label": "CI"}}).is(200)
	w.send("DELETE", w.in("/api-keys/"+public), nil).is(204)

	kid := w.signer().kid
	w.get(w.in("/jwt-keys?active=true")).is(200)
	w.get(w.in("/jwt-keys/" + kid)).is(200)
	w.send("PATCH", w.in("/jwt-keys/"+kid), map[string]any{"updateMask": []string{"label"}, "jwtKey": map[string]any{"label": "l"}}).is(200)
	w.send("DELETE", w.in("/jwt-keys/"+kid), nil).is(204)
}

// leavesOnce goes where we leave the published contract.
func (w *world) leavesOnce(t *testing.T) {
	t.Helper()
	w.send("POST", w.in("/api-keys"), `{"label":"a","scopes":null}`).is(201)
	w.send("GET", w.in("/jwt-keys/unknown"), nil).is(404)
	w.do(request{method: "DELETE", path: w.in("/api-keys/unknown"), key: w.frontend}).is(403)
	w.do(request{method: "POST", path: "/v1/projects", key: operatorKey, body: map[string]any{"name": "bare", "appName": "Bare"}}).is(201)
	app := map[string]any{"appKey": "app", "clientKey": "client", "sharedSecret": "shared-that-must-stay-hidden"}
	made := w.send("POST", w.in("/connections:generate"), map[string]any{
		"provider": "bitbucket", "groupRef": "linked", "consumerRef": "robot", "providerWorkspaceRef": "acme", "customAuth": app,
	}).is(201)
	w.send("PATCH", w.in("/connections/"+made.text("id")), map[string]any{
		"updateMask": []string{"customAuth"}, "connection": map[string]any{"customAuth": app},
	}).is(200)
}

// allSeen fails for operations that are built and never succeeded here.
func (w *world) allSeen(t *testing.T) {
	t.Helper()
	if w.contract.doc == nil {
		t.Log("the published contract is not beside the repository: nothing was held against it")
		return
	}
	for id := range publishedOps {
		if later[id] == "" && leftOut[id] == "" && !w.contract.seen[id] {
			t.Errorf("%s was never carried out", id)
		}
	}
	for i, d := range deviations {
		if !w.contract.used[i] {
			t.Errorf("%s: %q: we do not leave the contract here any more", d.operation, d.says)
		}
	}
}
