package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// lists are the lists that have more than a page, with what tells their
// records apart and their length unless asked otherwise.
func lists() []struct {
	path, id string
	length   int
} {
	return []struct {
		path, id string
		length   int
	}{
		{"/repositories/acme", "uuid", 10},
		{"/repositories/acme?role=contributor&sort=name", "uuid", 10},
		{"/workspaces/acme/projects", "uuid", 50},
		{"/workspaces/acme/members", "user.uuid", 10},
		{"/workspaces/acme/permissions", "user.uuid", 50},
		{"/workspaces/acme/hooks", "uuid", 10},
		{"/workspaces/acme/pipelines-config/variables", "uuid", 10},
		{"/snippets/acme", "id", 10},
		{"/user/emails", "email", 10},
		{"/user/workspaces", "workspace.uuid", 25},
		{"/hook_events/workspace", "event", 30},
		{"/user/workspaces/acme/permissions/repositories", "repository.uuid", 10},
	}
}

func many() *sandbox.Options {
	return &sandbox.Options{
		Repositories: 57, Projects: 73, Members: 61, Hooks: 23, Variables: 31, Snippets: 27, Limit: -1,
	}
}

func TestWalkSeesEachRecordOnce(t *testing.T) {
	c := newClient(t, many())
	for _, list := range lists() {
		for _, length := range []int{1, 7, 100} {
			t.Run(fmt.Sprintf("%s by %d", list.path, length), func(t *testing.T) {
				mark := "?"
				if strings.Contains(list.path, "?") {
					mark = "&"
				}
				seen := map[any]bool{}
				for _, v := range c.walk(list.path + mark + fmt.Sprintf("pagelen=%d", length)) {
					id := dig(v, list.id)
					if id == nil || seen[id] {
						t.Errorf("%v seen twice, or without an id", id)
					}
					seen[id] = true
				}
				if whole := c.walk(list.path); len(whole) != len(seen) {
					t.Errorf("%d records, and %d with the default length", len(seen), len(whole))
				}
			})
		}
	}
}

func TestEnvelopes(t *testing.T) {
	c := newClient(t, many())
	for _, list := range lists() {
		t.Run(list.path, func(t *testing.T) {
			r := c.get(list.path)
			size := len(c.walk(list.path))
			if got, want := len(r.values()), min(list.length, size); got != want {
				t.Errorf("%d records on the first page, want %d", got, want)
			}
			if (r.at("next") != nil) != (size > list.length) {
				t.Errorf("next is %v with %d records", r.at("next"), size)
			}
			length, there := r.body["pagelen"]
			switch {
			case list.path == "/user/emails":
				if there || r.body["page"] != nil {
					t.Error("the odd envelope without pagelen has one")
				}
			case strings.HasSuffix(list.path, "variables"):
				if fmt.Sprint(length) != "0" {
					t.Errorf("the odd envelope with pagelen 0 has %v", length)
				}
			case fmt.Sprint(length) != fmt.Sprint(list.length) || fmt.Sprint(r.body["page"]) != "1":
				t.Errorf("pagelen %v, page %v", length, r.body["page"])
			}
			if fmt.Sprint(r.body["size"]) != fmt.Sprint(size) {
				t.Errorf("size %v, want %d", r.body["size"], size)
			}
		})
	}
}

func TestPageParameters(t *testing.T) {
	c := newClient(t, nil)
	for _, row := range []struct {
		says, query string
		status      int
		message     any
	}{
		{"a hundred is the most", "pagelen=100", 200, nil},
		{"more is refused", "pagelen=101", 400, "Invalid pagelen"},
		{"one is the least", "pagelen=0", 400, "Invalid pagelen"},
		{"a length is a number", "pagelen=ten", 400, "Invalid pagelen"},
		{"pages count from one", "page=0", 400, "Invalid page"},
		{"a page is a number", "page=next", 400, "Invalid page"},
		{"a page beyond the end is empty", "page=9999", 200, nil},
	} {
		t.Run(row.says, func(t *testing.T) {
			r := c.do("GET", "/repositories/acme?"+row.query, nil)
			if r.status != row.status || r.at("error.message") != row.message {
				t.Errorf("%d %s", r.status, r.text)
			}
		})
	}
}

func TestMaxPagelen(t *testing.T) {
	c := newClient(t, &sandbox.Options{MaxPagelen: 20})
	if r := c.do("GET", "/repositories/acme?pagelen=21", nil); r.status != 400 || r.at("error.message") != "Invalid pagelen" {
		t.Errorf("%d %s", r.status, r.text)
	}
	if n := len(c.get("/workspaces/acme/permissions?pagelen=20").values()); n != 20 {
		t.Errorf("%d records", n)
	}
}

func TestNextKeepsTheQuery(t *testing.T) {
	c := newClient(t, nil)
	r := c.get("/repositories/acme?sort=-updated_on&pagelen=11&page=2&q=" + url.QueryEscape(`name ~ "a" AND size >= 0`))
	next, err := url.Parse(r.at("next").(string))
	if err != nil {
		t.Fatal(err)
	}
	q := next.Query()
	if q.Get("page") != "3" || q.Get("sort") != "-updated_on" || q.Get("pagelen") != "11" || q.Get("q") != `name ~ "a" AND size >= 0` {
		t.Errorf("next is %s", next)
	}
	if next.Scheme != "https" || next.Host != "api.bitbucket.org" {
		t.Errorf("next leads to %s", next.Host)
	}
	if previous := r.at("previous"); !strings.Contains(previous.(string), "page=1") {
		t.Errorf("previous is %v", previous)
	}
}

func TestLinksAreOnTheAddressAskedOrTheOneSet(t *testing.T) {
	c := newClient(t, nil)
	if next := c.get("http://localhost:9/2.0/repositories/acme").at("next"); !strings.HasPrefix(next.(string), "http://localhost:9/2.0/") {
		t.Errorf("next is %v", next)
	}
	c = newClient(t, &sandbox.Options{APIURL: "https://bb.example/2.0"})
	if self := c.get("/workspaces/acme").at("links.self.href"); self != "https://bb.example/2.0/workspaces/acme" {
		t.Errorf("self is %v", self)
	}
}

func TestOmitSize(t *testing.T) {
	r := newClient(t, &sandbox.Options{OmitSize: true}).get("/repositories/acme")
	for _, name := range []string{"size", "page", "pagelen"} {
		if r.body[name] != nil {
			t.Errorf("%s is there", name)
		}
	}
	if r.at("next") == nil || len(r.values()) != 10 {
		t.Error("next or values are not")
	}
}

func TestFieldsTrimAnswers(t *testing.T) {
	c := newClient(t, nil)
	r := c.get("/repositories/acme?pagelen=2&fields=values.uuid,next")
	if len(r.body) != 2 || len(dig(r.body, "values.0").(map[string]any)) != 1 || r.at("next") == nil {
		t.Errorf("%s", r.text)
	}
	if r := c.get("/repositories/acme?fields=size&pagelen=1"); len(r.body) != 1 || fmt.Sprint(r.at("size")) != "250" {
		t.Errorf("%s", r.text)
	}
	if r := c.get("/repositories/acme?fields=-values.links"); r.at("values.0.links") != nil || r.at("values.0.uuid") == nil {
		t.Error("links were to be left out, and they alone")
	}
}

func TestListsWithoutBBQLIgnoreIt(t *testing.T) {
	c := newClient(t, many())
	for _, path := range []string{"/workspaces/acme/hooks", "/workspaces/acme/pipelines-config/variables", "/snippets/acme", "/user/emails", "/hook_events/workspace"} {
		if got, want := len(c.walk(path+"?q=nonsense+is+fine&sort=nothing")), len(c.walk(path)); got != want {
			t.Errorf("%s: %d records with q, %d without", path, got, want)
		}
	}
	for _, path := range []string{"/repositories/acme", "/workspaces/acme/projects", "/workspaces/acme/permissions/repositories", "/user/workspaces"} {
		r := c.do("GET", path+"?q="+url.QueryEscape(`colour = "red"`), nil)
		if r.status != http.StatusBadRequest || r.at("error.message") != `Field "colour" does not support filtering` {
			t.Errorf("%s: %d %s", path, r.status, r.text)
		}
	}
	ignoring := newClient(t, &sandbox.Options{ProjectsIgnoreQ: true})
	if got := len(ignoring.walk("/workspaces/acme/projects?q=" + url.QueryEscape(`key = "NONE"`))); got != 12 {
		t.Errorf("projects that ignore q: %d of 12", got)
	}
}
