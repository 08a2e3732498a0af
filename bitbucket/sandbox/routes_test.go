package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// TestEveryRoute calls each line of the table with something that is there.
func TestEveryRoute(t *testing.T) {
	gone := []string{"/repositories", "/workspaces", "/user/permissions/workspaces", "/user/permissions/repositories"}
	// The names that the documented paths give to the same parameters.
	documented := strings.NewReplacer("{ws}", "{workspace}", "{repo}", "{repo_slug}", "{key}", "{project_key}",
		"{uuid}", "{variable_uuid}", "{id}", "{encoded_id}",
		"{subject}", "{subject_type}", "{revision}", "{node_id}", "{path...}", "{path}")
	for _, r := range sandbox.New(nil).Routes() {
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			c := newClient(t, &sandbox.Options{Repositories: 20})
			address, body := c.example(r.Method, documented.Replace(r.Path))
			if strings.HasPrefix(r.Path, "/addon") {
				if got := c.do(r.Method, address, body); got.status != http.StatusUnauthorized {
					t.Errorf("a bearer token gets %d, want 401: only the app itself may ask", got.status)
				}
				c.headers = map[string]string{"Authorization": "JWT " + c.jwt(r.Method, "/2.0"+address, "")}
				c.token = ""
			}
			got := c.do(r.Method, address, body)
			if slices.Contains(gone, r.Path) {
				if got.status != http.StatusGone || got.at("error.data.announcement_url") != got.at("data.announcement_url") {
					t.Errorf("%d %s, want 410 with its data twice", got.status, got.text)
				}
				return
			}
			if got.status >= 400 {
				t.Errorf("%s %s: %d %s", r.Method, address, got.status, got.text)
			}
			if len(r.Scopes) == 0 || strings.HasSuffix(r.Scopes[0], ":bitbucket") { // no classic scope needed
				return
			}
			if refused := c.as("nothing").do(r.Method, address, body); refused.status != http.StatusForbidden ||
				refused.at("error.detail.required.0") != r.Scopes[0] || refused.at("error.detail.granted.0") != "nothing" {
				t.Errorf("a token without scopes gets %d %s", refused.status, refused.text)
			}
		})
	}
}

func TestRequestsThatLeadNowhere(t *testing.T) {
	for _, row := range []struct {
		says, method, path string
		status             int
		message            string
	}{
		{"an unknown route is no resource", "GET", "/nothing/here", 404, "Resource not found"},
		{"a known path takes only its methods", "DELETE", "/workspaces/acme", 405, "Method not allowed"},
		{"an unknown workspace is named", "GET", "/workspaces/unknown", 404, "No workspace with identifier 'unknown'."},
		{"a workspace one is no member of is hidden when private", "GET", "/workspaces/acme-vault", 404, "No workspace with identifier 'acme-vault'."},
		{"a workspace marked as spam is gone", "GET", "/repositories/acme-flagged", 410, "This account has been marked as spam."},
		{"an unknown repository is named", "GET", "/repositories/acme/none", 404, "Repository acme/none not found"},
		{"an unknown project is named", "GET", "/workspaces/acme/projects/NONE", 404, "No project with key 'NONE' in this workspace."},
		{"hooks are for owners", "GET", "/workspaces/acme-partners/hooks", 403, "Only owners of the workspace may do this."},
		{"permissions on repositories are for owners", "GET", "/workspaces/acme-partners/permissions/repositories", 403, "Only owners of the workspace may do this."},
		{"an unknown subject has no events", "GET", "/hook_events/team", 404, "Invalid subject type: team"},
		{"an unknown role is refused", "GET", "/repositories/acme?role=king", 400, "Invalid role: king"},
	} {
		t.Run(row.says, func(t *testing.T) {
			got := newClient(t, nil).do(row.method, row.path, nil)
			if got.status != row.status || got.at("error.message") != row.message {
				t.Errorf("%d %s", got.status, got.text)
			}
		})
	}
}

func TestPathsTakeUUIDsAndTrailingSlashes(t *testing.T) {
	c := newClient(t, nil)
	ws := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(c.server.Credentials().WorkspaceUUID)
	repo := c.get("/repositories/acme").values()[3]
	id := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(dig(repo, "uuid").(string))
	for _, path := range []string{
		"/workspaces/" + ws, "/workspaces/" + ws + "/projects/", "/repositories/" + ws, "/repositories/" + ws + "/" + id,
		"/repositories/acme/" + id + "/",
	} {
		c.get(path)
	}
	if got := c.get("/repositories/" + ws + "/" + id).at("slug"); got != dig(repo, "slug") {
		t.Errorf("by UUID %v, by slug %v", got, dig(repo, "slug"))
	}
}

func TestProjectsByUUID(t *testing.T) {
	c := newClient(t, nil)
	id := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(c.get("/workspaces/acme/projects").at("values.0.uuid").(string))
	c.get("/workspaces/acme/projects/" + id)
	strict := newClient(t, &sandbox.Options{ProjectKeysOnly: true})
	if got := strict.do("GET", "/workspaces/acme/projects/"+id, nil); got.status != 404 {
		t.Errorf("with keys only: %d", got.status)
	}
}
