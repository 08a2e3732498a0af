package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// A step is one request of a story, what it is answered, and why.
type step struct {
	says, method, path string
	body               any
	status             int
	want               map[string]any // by dotted path; nil means "not there, or null"
	location           string
}

func (c *client) play(steps []step) {
	c.t.Helper()
	for _, s := range steps {
		r := c.do(s.method, s.path, s.body)
		if r.status != s.status {
			c.t.Errorf("%s: %s %s answers %d %s, want %d", s.says, s.method, s.path, r.status, r.text, s.status)
		}
		for path, want := range s.want {
			if got := r.at(path); fmt.Sprint(got) != fmt.Sprint(want) {
				c.t.Errorf("%s: %s is %v, want %v", s.says, path, got, want)
			}
		}
		if got := r.header.Get("Location"); s.location != "" && got != s.location {
			c.t.Errorf("%s: Location %q, want %q", s.says, got, s.location)
		}
		if s.status == http.StatusNoContent && r.text != "" {
			c.t.Errorf("%s: a body after 204: %s", s.says, r.text)
		}
	}
}

type obj = map[string]any

func TestWriteProjects(t *testing.T) {
	const list = "/workspaces/acme/projects"
	newClient(t, nil).play([]step{
		{
			"it is created", "POST", list,
			obj{"name": "Nova", "key": "NOVA", "description": "new", "is_private": true},
			201,
			obj{"key": "NOVA", "description": "new", "is_private": true, "links.repositories.href": nil},
			api + list + "/NOVA",
		},
		{"it can be read", "GET", list + "/NOVA", nil, 200, obj{"name": "Nova"}, ""},
		{"a key is taken once", "POST", list, obj{"name": "Again", "key": "nova"}, 400, obj{"error.fields.key": "Project with this Key and Owner already exists."}, ""},
		{"a name is needed", "POST", list, obj{"key": "X"}, 400, obj{"error.message": "Bad request", "error.fields.name": "required key not provided"}, ""},
		{"a key is needed", "POST", list, obj{"name": "X"}, 400, obj{"error.fields.key": "required key not provided"}, ""},
		{"a key has a shape", "POST", list, obj{"name": "X", "key": "9 lives"}, 400, obj{"error.fields.key": "not a valid project key"}, ""},
		{"types are checked", "POST", list, obj{"name": "X", "key": "XX", "is_private": "yes"}, 400, obj{"error.fields.is_private": "expected true or false"}, ""},
		{"an avatar has an address", "POST", list, obj{"name": "X", "key": "XX", "links": obj{"avatar": nil}}, 400, obj{"error.fields": obj{"links.avatar": "required key not provided"}}, ""},
		{"a change is partial", "PUT", list + "/NOVA", obj{"description": nil}, 200, obj{"name": "Nova", "description": nil, "is_private": true}, ""},
		{"a key in the body moves it", "PUT", list + "/NOVA", obj{"key": "STAR"}, 200, obj{"key": "STAR", "name": "Nova"}, api + list + "/STAR"},
		{"the old key is gone", "GET", list + "/NOVA", nil, 404, nil, ""},
		{"an unknown key is created", "PUT", list + "/FRESH", obj{"name": "Fresh"}, 201, obj{"key": "FRESH"}, api + list + "/FRESH"},
		{"but not without a name", "PUT", list + "/EMPTY", obj{}, 400, obj{"error.fields.name": "required key not provided"}, ""},
		{"one with repositories stays", "DELETE", list + "/PLAT", nil, 403, obj{"error.message": "Cannot delete a project that contains repositories."}, ""},
		{"an empty one goes", "DELETE", list + "/STAR", nil, 204, nil, ""},
		{"once", "DELETE", list + "/STAR", nil, 404, nil, ""},
		{"a plain member makes none", "POST", "/workspaces/acme-partners/projects", obj{"name": "N", "key": "N"}, 403, nil, ""},
		{"a body is an object", "POST", list, []int{1}, 400, obj{"error.message": "The request body is not a JSON object."}, ""},
	})
}

func TestWriteRepositories(t *testing.T) {
	const list = "/repositories/acme"
	c := newClient(t, nil)
	c.play([]step{
		{
			"creating answers 200", "POST", list + "/fresh-paint",
			obj{"scm": "git", "project": obj{"key": "BILL"}, "is_private": true, "description": "d"},
			200,
			obj{"slug": "fresh-paint", "name": "fresh-paint", "project.key": "BILL", "description": "d", "mainbranch": nil, "parent": nil},
			"",
		},
		{"a slug is taken once", "POST", list + "/fresh-paint", nil, 400, obj{"error.fields.slug.0": "Repository with this Slug and Owner already exists."}, ""},
		{"without a project it is in the oldest", "POST", list + "/bare", nil, 200, obj{"project.key": "PLAT"}, ""},
		{"a project must be there", "POST", list + "/lost", obj{"project": obj{"key": "NONE"}}, 400, obj{"error.fields.project.0": "No such project in this workspace."}, ""},
		{"mercurial is gone", "POST", list + "/hg", obj{"scm": "hg"}, 400, obj{"error.fields.scm.0": "only git is supported"}, ""},
		{"public in a private project cannot be", "POST", list + "/open", obj{"is_private": false, "project": obj{"key": "MOBI"}}, 400, obj{"error.fields.is_private.0": "Repositories of a private project cannot be public."}, ""},
		{"a change is partial", "PUT", list + "/fresh-paint", obj{"language": "go"}, 200, obj{"language": "go", "description": "d"}, ""},
		{"a policy is one of three", "PUT", list + "/fresh-paint", obj{"fork_policy": "any"}, 400, obj{"error.fields.fork_policy.0": "not a valid choice"}, ""},
		{"a changed name moves it", "PUT", list + "/fresh-paint", obj{"name": "Wet Paint!"}, 201, obj{"slug": "wet-paint", "name": "Wet Paint!"}, api + list + "/wet-paint"},
		{"the old slug leads to the new one", "GET", list + "/fresh-paint", nil, 301, nil, ""},
		{"a taken name is refused", "PUT", list + "/wet-paint", obj{"name": "bare"}, 400, obj{"error.fields.name.0": "Repository with this Slug and Owner already exists."}, ""},
		{"an unknown slug is created", "PUT", list + "/by-put", obj{"description": "by PUT"}, 201, obj{"slug": "by-put"}, api + list + "/by-put"},
		{"an unknown UUID is not", "PUT", list + "/%7B00000000-0000-4000-8000-000000000000%7D", obj{}, 404, nil, ""},
		{"it goes, wherever people are sent", "DELETE", list + "/wet-paint?redirect_to=https://example.com", nil, 204, nil, ""},
		{"once", "DELETE", list + "/wet-paint", nil, 404, nil, ""},
		{"in the workspace of others it cannot be made", "POST", "/repositories/acme-partners/mine", nil, 400, nil, ""},
	})
	c.do("PUT", "/workspaces/acme/projects/PLAT", obj{"key": "BASE"})
	if got := c.get(list + "/bare").at("project.key"); got != "BASE" {
		t.Errorf("a moved project's repository says %v", got)
	}
}

func TestWriteHooks(t *testing.T) {
	for _, list := range []string{"/workspaces/acme/hooks", "/repositories/acme/slate-catalog-0/hooks"} {
		t.Run(list, func(t *testing.T) {
			c := newClient(t, nil)
			made := c.do("POST", list, obj{"description": "d", "url": "https://example.com/in", "active": true, "secret": "s3cret", "events": []string{"repo:push"}})
			if made.status != 201 || made.at("secret_set") != true || strings.Contains(made.text, "s3cret") {
				t.Fatalf("%d %s", made.status, made.text)
			}
			uuid := made.at("uuid").(string)
			one := list + "/%7B" + strings.Trim(uuid, "{}") + "%7D"
			if got := made.header.Get("Location"); got != api+one {
				t.Errorf("Location %s", got)
			}
			c.play([]step{
				{"it can be read", "GET", one, nil, 200, obj{"uuid": uuid, "secret": nil, "secret_set": true}, ""},
				{"a PUT without secret keeps it", "PUT", one, obj{"description": "new"}, 200, obj{"secret_set": true, "description": "new"}, ""},
				{"null removes it", "PUT", one, obj{"secret": nil}, 200, obj{"secret_set": false}, ""},
				{"another sets it", "PUT", one, obj{"secret": "other"}, 200, obj{"secret_set": true}, ""},
				{"an empty one removes it", "PUT", one, obj{"secret": ""}, 200, obj{"secret_set": false}, ""},
				{"128 characters are enough", "PUT", one, obj{"secret": strings.Repeat("é", 128)}, 200, obj{"secret_set": true}, ""},
				{"and the most", "PUT", one, obj{"secret": strings.Repeat("x", 129)}, 400, obj{"error.fields.secret.0": "Ensure this value has at most 128 characters."}, ""},
				{"events are known ones", "PUT", one, obj{"events": []string{"repo:lost"}}, 400, obj{"error.fields.events.0": "Invalid event: repo:lost"}, ""},
				{"and at least one", "PUT", one, obj{"events": []string{}}, 400, obj{"error.fields.events.0": "expected a list of one event or more"}, ""},
				{"a URL is one", "PUT", one, obj{"url": "ftp://example.com"}, 400, nil, ""},
				{"on the internet", "PUT", one, obj{"url": "http://10.0.0.1/"}, 400, nil, ""},
				{"it is needed", "POST", list, obj{"events": []string{"repo:push"}}, 400, obj{"error.fields.url.0": "required key not provided"}, ""},
				{"it goes", "DELETE", one, nil, 204, nil, ""},
				{"once", "DELETE", one, nil, 404, obj{"error.message": "Webhook not found"}, ""},
			})
		})
	}
	c := newClient(t, nil)
	event := obj{"url": "https://example.com", "events": []string{"project:updated"}}
	if r := c.do("POST", "/repositories/acme/slate-catalog-0/hooks", event); r.status != 400 {
		t.Errorf("a repository has no events of its project: %d", r.status)
	}
	made := c.do("POST", "/workspaces/acme/hooks", obj{"url": "https://example.com", "events": []string{"project:updated"}, "secret": "known"})
	if secret, ok := c.server.HookSecret(made.at("uuid").(string)); !ok || secret != "known" {
		t.Errorf("the server tells %q", secret)
	}
}

func TestWriteVariables(t *testing.T) {
	const list = "/workspaces/acme/pipelines-config/variables"
	c := newClient(t, nil)
	open := c.do("POST", list, obj{"key": "REGION", "value": "eu", "secured": false}).at("uuid")
	secret := c.do("POST", list, obj{"key": "TOKEN", "value": "hidden", "secured": true}).at("uuid")
	if open == nil || secret == nil {
		t.Fatal("no variable was made")
	}
	at := func(uuid any) string { return list + "/%7B" + strings.Trim(uuid.(string), "{}") + "%7D" }
	c.play([]step{
		{"a value can be read", "GET", at(open), nil, 200, obj{"value": "eu", "secured": false}, ""},
		{"a secured one cannot", "GET", at(secret), nil, 200, obj{"value": nil, "secured": true}, ""},
		{"a key is taken once", "POST", list, obj{"key": "REGION", "value": "x"}, 409, obj{"error.detail": "A variable with the key REGION already exists."}, ""},
		{"a key has a shape", "POST", list, obj{"key": "9", "value": "x"}, 400, obj{"error.data.arguments.field": "key"}, ""},
		{"it is changed", "PUT", at(open), obj{"key": "REGION", "value": "us"}, 200, obj{"value": "us"}, ""},
	})
	if value, _ := c.server.VariableValue("TOKEN"); value != "hidden" {
		t.Errorf("the secured value is %q", value)
	}
	c.play([]step{
		{"a secured one put back as read", "PUT", at(secret), obj{"key": "TOKEN", "secured": true}, 200, obj{"secured": true}, ""},
		{"an open one goes", "DELETE", at(open), nil, 204, nil, ""},
		{"once", "DELETE", at(open), nil, 404, nil, ""},
		{"and stays gone", "GET", at(open), nil, 404, obj{"error.message": "Not found"}, ""},
	})
	if value, ok := c.server.VariableValue("TOKEN"); !ok || value != "" {
		t.Errorf("the trap: the value should be cleared and is %q", value)
	}
}

func TestMembersByEmail(t *testing.T) {
	c := newClient(t, nil)
	me := c.server.Credentials().Email
	q := query("q", `user.email IN ("`+me+`", "unknown@example.com")`)
	r := c.get("/workspaces/acme/members" + q)
	if len(r.values()) != 1 || r.at("values.0.user.email") != nil {
		t.Errorf("%s", r.text)
	}
	r = c.get("/workspaces/acme/members" + q + "&fields=%2Bvalues.user.email")
	if r.at("values.0.user.email") != me || r.at("values.0.user.nickname") == nil {
		t.Errorf("%s", r.text)
	}
	many := strings.Repeat(`"a@example.com",`, 91)
	if r := c.do("GET", "/workspaces/acme/members"+query("q", "user.email IN ("+many[:len(many)-1]+")"), nil); r.status != 400 {
		t.Errorf("91 addresses: %d", r.status)
	}
	if r := c.do("GET", "/workspaces/acme-partners/members"+q, nil); r.status != 403 {
		t.Errorf("a plain member asks by email: %d", r.status)
	}
}

func TestPermissions(t *testing.T) {
	c := newClient(t, &sandbox.Options{Members: 40})
	owners := c.walk("/workspaces/acme/permissions" + query("q", `permission="owner"`))
	if len(owners) == 0 || len(owners) == 40 {
		t.Errorf("%d owners of 40", len(owners))
	}
	zoneless := 0
	for _, v := range c.walk("/workspaces/acme/permissions") {
		if at := dig(v, "added_on").(string); !strings.HasSuffix(at, "+00:00") {
			zoneless++
		}
	}
	if zoneless == 0 {
		t.Error("some old added_on carry no offset")
	}
	writers := c.walk("/workspaces/acme/permissions/repositories" + query("q", `permission > "read"`, "sort", "user.display_name", "pagelen", "100"))
	all := c.walk("/workspaces/acme/permissions/repositories?pagelen=100")
	if len(writers) == 0 || len(writers) >= len(all) {
		t.Errorf("%d of %d permissions are more than read", len(writers), len(all))
	}
	seen := map[string]bool{}
	for _, v := range all {
		key := fmt.Sprint(dig(v, "user.uuid"), dig(v, "repository.uuid"))
		if seen[key] {
			t.Error("one person has two permissions on one repository")
		}
		seen[key] = true
	}
}
