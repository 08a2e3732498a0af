package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

// since is what an incremental read asks for.
func (c *client) since(moment string) []any {
	c.t.Helper()
	return c.walk("/repositories/acme" + query("q", "updated_on > "+moment, "sort", "updated_on", "role", "member", "pagelen", "100"))
}

func TestChangesShowInUpdatedOn(t *testing.T) {
	c := newClient(t, nil)
	all := c.walk("/repositories/acme?sort=updated_on&pagelen=100")
	newest := dig(all[len(all)-1], "updated_on").(string)
	if got := c.since(newest); len(got) != 0 {
		t.Fatalf("%d records are newer than the newest", len(got))
	}
	pushed, edited, deleted := dig(all[7], "slug").(string), dig(all[100], "slug").(string), dig(all[200], "slug").(string)
	created, err := c.server.CreateRepository("Brand New", "PLAT")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		c.server.Push(pushed),
		c.server.EditRepository(edited, map[string]any{"name": "Renamed now", "is_private": true}),
		c.server.DeleteRepository(deleted),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(each(c.since(newest), "slug")); got != fmt.Sprint([]string{created, pushed, "renamed-now"}) {
		t.Errorf("changed are %s", got)
	}
	now := c.walk("/repositories/acme?sort=updated_on&pagelen=100")
	if len(now) != len(all) {
		t.Errorf("one made, one deleted: %d records, were %d", len(now), len(all))
	}
	if !slices.IsSortedFunc(now, func(a, b any) int { return order(a, b, "updated_on") }) {
		t.Error("the order by updated_on is broken")
	}
	for slug, want := range map[string]int{deleted: http.StatusNotFound, edited: http.StatusMovedPermanently} {
		if r := c.do("GET", "/repositories/acme/"+slug, nil); r.status != want {
			t.Errorf("%s answers %d", slug, r.status)
		}
	}
	if before, after := dig(all[7], "size").(json.Number), c.get("/repositories/acme/"+pushed).at("size").(json.Number); before == after {
		t.Error("a push changes the size")
	}
	if last := c.walk("/repositories/acme?pagelen=100"); dig(last[len(last)-1], "slug") != created {
		t.Error("what was created last is not the last by creation")
	}
}

func TestChangesAreDatedAfterEverything(t *testing.T) {
	stopped := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	c := newClient(t, &sandbox.Options{Now: func() time.Time { return stopped }})
	slugs := each(c.walk("/repositories/acme?sort=updated_on&pagelen=100"), "slug")
	for _, n := range []int{3, 1, 2} {
		if err := c.server.Push(slugs[n].(string)); err != nil {
			t.Fatal(err)
		}
	}
	now := each(c.walk("/repositories/acme?sort=updated_on&pagelen=100"), "slug")
	if got, want := fmt.Sprint(now[len(now)-3:]), fmt.Sprint([]any{slugs[3], slugs[1], slugs[2]}); got != want {
		t.Errorf("the last three are %s, want %s", got, want)
	}
}

func TestManyChangesKeepTheOrders(t *testing.T) {
	c := newClient(t, &sandbox.Options{Repositories: 40, Limit: -1})
	for i := range 60 {
		slugs := each(c.walk("/repositories/acme?pagelen=100"), "slug")
		pick := slugs[(i*37)%len(slugs)].(string)
		var err error
		switch i % 4 {
		case 0:
			_, err = c.server.CreateRepository(fmt.Sprintf("made %d", i), "")
		case 1:
			err = c.server.Push(pick)
		case 2:
			err = c.server.EditRepository(pick, map[string]any{"name": fmt.Sprintf("moved %d", i)})
		case 3:
			err = c.server.DeleteRepository(pick)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plain, byUpdated, byName := c.walk("/repositories/acme"), c.walk("/repositories/acme?sort=updated_on"), c.walk("/repositories/acme?sort=-name")
	if len(plain) != 40 || len(byUpdated) != 40 || len(byName) != 40 {
		t.Errorf("%d, %d and %d of 40", len(plain), len(byUpdated), len(byName))
	}
	for _, v := range plain {
		if got := c.get("/repositories/acme/" + dig(v, "slug").(string)); got.at("uuid") != dig(v, "uuid") {
			t.Errorf("%v leads to another repository", dig(v, "slug"))
		}
	}
}

func TestMutationsThatCannotBe(t *testing.T) {
	s := sandbox.New(nil)
	for _, row := range []struct {
		says string
		err  error
		want string
	}{
		{"nothing to push to", s.Push("none"), `no repository "none"`},
		{"an unknown project", second(s.CreateRepository("x", "NONE")), "No such project"},
		{"a wrong type", s.EditRepository("none", nil), `no repository "none"`},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%s: %v", row.says, row.err)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// TestAdminOverHTTP does to a server on a socket what the methods do.
func TestAdminOverHTTP(t *testing.T) {
	s := sandbox.New(nil)
	web := httptest.NewServer(s)
	defer web.Close()
	c := &client{t: t, server: s, token: s.Credentials().AccessToken}
	slug := c.get("/repositories/acme").at("values.5.slug").(string)
	s.ResetLog()
	for _, row := range []struct{ path, body, want string }{
		{"repositories/create", `{"name":"Over HTTP","project":"PLAT"}`, `"slug":"over-http"`},
		{"repositories/push", `{"slug":"over-http"}`, `{}`},
		{"repositories/edit", `{"slug":"over-http","changes":{"description":"changed"}}`, `{}`},
		{"repositories/delete", `{"slug":"` + slug + `"}`, `{}`},
		{"repositories/delete", `{"slug":"none"}`, `no repository`},
		{"tokens", `{"scopes":["repository"]}`, `"access_token"`},
		{"faults", `{"fault":"status=503,times=1"}`, `{}`},
		{"faults", `{"fault":"nonsense"}`, `nonsense`},
		{"faults/clear", ``, `{}`},
		{"bodies", `{"method":"GET","path":"/2.0/made/up","status":418,"body":{"tea":true}}`, `{}`},
		{"nothing", `{}`, `Resource not found`},
	} {
		resp, err := http.Post(web.URL+"/_sandbox/"+row.path, "application/json", strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, resp); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", row.path, got)
		}
	}
	if n := s.Requests(); n != 0 {
		t.Errorf("admin calls count as %d requests", n)
	}
	if got := c.do("GET", "/made/up", nil); got.status != http.StatusTeapot || got.at("tea") != true {
		t.Errorf("a body given over HTTP: %d %s", got.status, got.text)
	}
	if got := c.get("/repositories/acme/over-http").at("description"); got != "changed" {
		t.Errorf("description %v", got)
	}
	resp, err := http.Get(web.URL + "/_sandbox/credentials")
	if err != nil {
		t.Fatal(err)
	}
	var creds sandbox.Credentials
	if err := json.Unmarshal([]byte(readAll(t, resp)), &creds); err != nil || creds != s.Credentials() {
		t.Errorf("credentials over HTTP: %v", err)
	}
}
