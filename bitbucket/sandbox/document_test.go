package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// TestDocument compares the sandbox with Atlassian's own description of its
// API: every operation of the groups we serve is called, and its status and
// body must be what the document says.
func TestDocument(t *testing.T) {
	doc := loadDocument(t)
	served := map[string]bool{}
	for _, r := range sandbox.New(nil).Routes() {
		served[r.Method+" "+anonymousPath(r.Path)] = true
	}
	for path, operations := range doc.Paths {
		for method, raw := range operations {
			if method == "parameters" || !inOurGroups(path) {
				continue
			}
			name := strings.ToUpper(method) + " " + path
			key := strings.ToUpper(method) + " " + anonymousPath(path)
			if reason := notServed(path); reason != "" {
				if served[key] {
					t.Errorf("%s is served, yet exempt because %s", name, reason)
				}
				continue
			}
			if !served[key] {
				t.Errorf("%s is in the document and not in the sandbox", name)
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) { callDocumented(t, doc.Definitions, strings.ToUpper(method), path, op) })
		}
	}
}

// TestDocumentHasEveryRoute is the other direction: nothing is made up.
func TestDocumentHasEveryRoute(t *testing.T) {
	doc := loadDocument(t)
	known := map[string]bool{}
	for path, operations := range doc.Paths {
		for method := range operations {
			known[strings.ToUpper(method)+" "+anonymousPath(path)] = true
		}
	}
	for _, r := range sandbox.New(nil).Routes() {
		if strings.HasPrefix(r.Path, "/addon/linkers") {
			continue // left the document early in 2026; the document of December 2025 still had them
		}
		if !known[r.Method+" "+anonymousPath(r.Path)] {
			t.Errorf("%s %s is not in the document", r.Method, r.Path)
		}
	}
}

// TestDocumentScopes: a token without a route's scopes is told those that the
// document names, in the vocabulary it has itself.
func TestDocumentScopes(t *testing.T) {
	doc := loadDocument(t)
	for _, r := range sandbox.New(nil).Routes() {
		if len(r.Scopes) == 0 {
			continue
		}
		for path, operations := range doc.Paths {
			if anonymousPath(path) != anonymousPath(r.Path) {
				continue
			}
			var op operation
			if err := json.Unmarshal(operations[strings.ToLower(r.Method)], &op); err != nil {
				t.Fatal(err)
			}
			want := op.Security[0]["oauth2"]
			for _, s := range op.Granular {
				want = append(want, s.Scopes...)
			}
			if strings.Join(want, " ") != strings.Join(r.Scopes, " ") {
				t.Errorf("%s %s needs %v; the document says %v", r.Method, r.Path, r.Scopes, want)
			}
		}
	}
}

type document struct {
	Paths       map[string]map[string]json.RawMessage `json:"paths"`
	Definitions definitions                           `json:"definitions"`
}

type operation struct {
	Security []map[string][]string `json:"security"`
	Granular []struct {
		Scopes []string `json:"scopes"`
	} `json:"x-atlassian-oauth2-scopes"`
	Responses map[string]struct {
		Schema map[string]any `json:"schema"`
	} `json:"responses"`
}

// loadDocument finds the shared material, which is no part of the product.
func loadDocument(t *testing.T) document {
	t.Helper()
	b := readShared(t, "swagger.2026-08.json")
	var doc document
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	// Once more for the schemas, with numbers as they are written.
	d = json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var precise struct{ Definitions definitions }
	if err := d.Decode(&precise); err != nil {
		t.Fatal(err)
	}
	doc.Definitions = precise.Definitions
	return doc
}

// anonymousPath drops the names of parameters, which differ.
func anonymousPath(path string) string {
	return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "{}")
}

// inOurGroups tells the groups the sandbox serves from the rest of the API.
func inOurGroups(path string) bool {
	return regexp.MustCompile(`^/(user|users|workspaces|snippets|hook_events|addon)(/|$)|^/repositories(/\{workspace\}(/\{repo_slug\}(/hooks.*)?)?)?$`).MatchString(path)
}

// notServed gives the reason why an operation of our groups is left out.
func notServed(path string) string {
	for _, e := range []struct{ pattern, reason string }{
		{`^/users/`, "people other than the credential's own are no object of ours"},
		{`^/user/emails/\{email\}$`, "the list says all there is to say of an address"},
		{`^/workspaces/\{workspace\}/members/`, "the list says all there is to say of a member"},
		{`^/workspaces/\{workspace\}/permissions/repositories/`, "the list has the permissions of all repositories"},
		{`^/snippets$`, "snippets are read and written in a workspace"},
		{`^/snippets/\{workspace\}/\{encoded_id\}/(comments|commits|watch|watchers|files)`, "comments, history and watchers of snippets are no object of ours"},
		{`^/snippets/\{workspace\}/\{encoded_id\}/\{(node_id|revision)\}(/diff|/patch)?$`, "older revisions of snippets are no object of ours"},
		{`^/workspaces/\{workspace\}/projects/\{project_key\}/`, "settings of projects are no object of ours"},
		{`^/workspaces/\{workspace\}/pipelines-config/(identity|runners)`, "runners and identities are no object of ours"},
		{`^/workspaces/\{workspace\}/(search|pullrequests|settings)`, "search, pull requests and signing keys are no object of ours"},
		{`^/addon(/\{addon_key\}/client-key)?$`, "what an app does to its own installation is no object of ours"},
	} {
		if regexp.MustCompile(e.pattern).MatchString(path) {
			return e.reason
		}
	}
	return ""
}

// pardoned are the differences we keep on purpose.
func pardoned(problem string) bool {
	for _, e := range []struct{ pattern, reason string }{
		{`: null$`, "recorded bodies hold null where the document says a text, a boolean or an object"},
		{`links\.clone\[\]\.href: "git@`, "recorded addresses for cloning over SSH are no URIs"},
		{`\.links: \w+ is not in the document$`, "recorded bodies have more links than the document lists"},
		{`^200\.(repository|workspace): links is not in the document$`, "the document's own example of hook events has links"},
		{`\.id: string is not of type integer$`, "the id of a snippet is a short text in the document's own examples"},
		{`^200\.pagelen: 0 is less`, "pagelen 0 was seen"},
		{`\.error\.detail: map`, "detail was recorded as an object"},
		{`\.error: fields is not in the document$`, "fields was recorded"},
	} {
		if regexp.MustCompile(e.pattern).MatchString(problem) {
			return true
		}
	}
	return false
}

// undocumented are answers whose status the document does not list.
func undocumented(name string, status int) string {
	for _, e := range []struct {
		name   string
		status int
		reason string
	}{
		{"GET /repositories", http.StatusGone, "removed in April 2026 (CHANGE-2770)"},
		{"GET /workspaces", http.StatusGone, "removed in April 2026 (CHANGE-2770)"},
		{"GET /user/permissions/workspaces", http.StatusGone, "removed in April 2026 (CHANGE-2770)"},
		{"GET /user/permissions/repositories", http.StatusGone, "removed in April 2026 (CHANGE-2770)"},
	} {
		if e.name == name && e.status == status {
			return e.reason
		}
	}
	return ""
}

// callDocumented makes one call that should succeed and holds the answer
// against the document, and then one without a credential.
func callDocumented(t *testing.T, defs definitions, method, path string, op operation) {
	t.Helper()
	c := newClient(t, &sandbox.Options{Repositories: 30})
	if strings.HasPrefix(path, "/addon") {
		c.token = ""
		c.headers = map[string]string{"Authorization": "JWT " + c.jwt(method, "/2.0"+path, "")}
	}
	address, body := c.example(method, path)
	r := c.do(method, address, body)
	response, ok := op.Responses[strconv.Itoa(r.status)]
	_, free := op.Responses["default"]
	if !ok && !free && undocumented(method+" "+path, r.status) == "" {
		t.Errorf("status %d is not in the document: %s", r.status, r.text)
	}
	if !free && r.status >= 400 && undocumented(method+" "+path, r.status) == "" {
		t.Errorf("%s %s: %d %s", method, address, r.status, r.text)
	}
	if response.Schema != nil {
		for _, p := range defs.check(response.Schema, any(r.body), strconv.Itoa(r.status), pardoned) {
			t.Error(p)
		}
	}
	if r := c.anonymous().do(method, address, body); r.status >= 400 {
		for _, p := range defs.check(map[string]any{"$ref": "#/definitions/error"}, any(r.body), strconv.Itoa(r.status), pardoned) {
			t.Error("anonymous: " + p)
		}
	}
}
