package sandbox_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "?" + q.Encode()
}

func TestRepositoriesAreFilteredAndSorted(t *testing.T) {
	c := newClient(t, &sandbox.Options{Repositories: 150, Limit: -1})
	all := c.walk("/repositories/acme?pagelen=100")
	if len(all) != 150 {
		t.Fatalf("%d repositories", len(all))
	}
	text := func(field string) func(any) string {
		return func(v any) string { s, _ := dig(v, field).(string); return s }
	}
	for _, row := range []struct {
		says string
		q    string
		want func(v any) bool
	}{
		{"private ones", `is_private = true`, func(v any) bool { return dig(v, "is_private") == true }},
		{"of a language", `language = "go"`, func(v any) bool { return dig(v, "language") == "go" }},
		{"of a project by key", `project.key = "BILL"`, func(v any) bool { return dig(v, "project.key") == "BILL" }},
		{"with a word in the name, in any case", `name ~ "HARBOR"`, func(v any) bool { return strings.Contains(strings.ToLower(text("name")(v)), "harbor") }},
		{"without a description", `description = null`, func(v any) bool { return dig(v, "description") == nil }},
		{"that are forks", `parent != null`, func(v any) bool { return dig(v, "parent") != nil }},
		{"larger than", `size > 100000000`, func(v any) bool { n, _ := dig(v, "size").(json.Number).Int64(); return n > 100000000 }},
		{"in a list of languages", `language IN ("go", "rust")`, func(v any) bool { return slices.Contains([]any{"go", "rust"}, dig(v, "language")) }},
		{"changed since", `updated_on >= 2024-01-01T00:00:00+00:00`, func(v any) bool { return text("updated_on")(v) >= "2024-01-01" }},
		{"changed before or of a language", `updated_on < 2020-01-01 OR language = "go"`, func(v any) bool { return text("updated_on")(v) < "2020" || dig(v, "language") == "go" }},
		{"changed between, and private", `updated_on > 2019-05-01 AND updated_on < 2025-02-01 AND is_private = true`, func(v any) bool {
			return text("updated_on")(v) > "2019-05-01" && text("updated_on")(v) < "2025-02-01" && dig(v, "is_private") == true
		}},
	} {
		for _, sort := range []string{"", "updated_on", "-updated_on", "created_on", "-created_on", "name", "-size", "slug", "uuid", "full_name"} {
			t.Run(row.says+" by "+sort, func(t *testing.T) {
				pairs := []string{"pagelen", "40", "q", row.q}
				if sort != "" {
					pairs = append(pairs, "sort", sort)
				}
				got := each(c.walk("/repositories/acme"+query(pairs...)), "uuid")
				var want []any
				for _, v := range all {
					if row.want(v) {
						want = append(want, v)
					}
				}
				if len(want) == 0 {
					t.Fatal("the seed has no such repository; the row proves nothing")
				}
				slices.SortStableFunc(want, func(a, b any) int { return order(a, b, sort) })
				if fmt.Sprint(got) != fmt.Sprint(each(want, "uuid")) {
					t.Errorf("%d records, want %d, or another order", len(got), len(want))
				}
			})
		}
	}
}

// order compares two records by a sort parameter, as a reader of the document
// would.
func order(a, b any, sort string) int {
	field, desc := strings.CutPrefix(sort, "-")
	if field == "" {
		return 0
	}
	var n int
	if x, ok := dig(a, field).(json.Number); ok {
		i, _ := x.Int64()
		j, _ := dig(b, field).(json.Number).Int64()
		n = cmp.Compare(i, j)
	} else {
		n = cmp.Compare(dig(a, field).(string), dig(b, field).(string))
	}
	if desc {
		// Of two equal ones the later created comes first under -updated_on: the
		// order is that of updated_on, read backwards.
		if n == 0 && field == "updated_on" {
			return -cmp.Compare(dig(a, "created_on").(string), dig(b, "created_on").(string))
		}
		return -n
	}
	return n
}

func TestRoles(t *testing.T) {
	c := newClient(t, nil)
	count := func(ws, role string) int { return len(c.walk("/repositories/" + ws + "?pagelen=100&role=" + role)) }
	if n := count("acme", "member"); n != 250 {
		t.Errorf("the owner of a workspace is a member of %d of 250", n)
	}
	member, contributor, admin, owner := count("acme", "member"), count("acme", "contributor"), count("acme", "admin"), count("acme", "owner")
	if !(member > contributor && contributor > admin && admin > owner) {
		t.Errorf("member %d, contributor %d, admin %d, owner %d: each should be less", member, contributor, admin, owner)
	}
	every, shared := count("acme-partners", ""), count("acme-partners", "member")
	if every <= shared || every == 40 {
		t.Errorf("of 40 repositories of others a plain member sees %d, is a member of %d: public ones count without a role, private ones do not", every, shared)
	}
	public := c.anonymous().walk("/repositories/acme")
	if len(public) == 0 || slices.Contains(each(public, "is_private"), any(true)) {
		t.Error("without a credential there are public repositories and nothing else")
	}
	own := c.get("/user").at("username").(string)
	for _, v := range c.walk("/repositories/" + own) {
		if dig(v, "owner.type") != "user" {
			t.Errorf("a personal workspace's repository is owned by a %v", dig(v, "owner.type"))
		}
	}
}

// TestHiddenRepositories guesses the slugs that a list left out: what one may
// not see is a 403 or a 404, and never the record.
func TestHiddenRepositories(t *testing.T) {
	c := newClient(t, &sandbox.Options{Limit: -1})
	first, second, listed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, slug := range append(each(c.walk("/repositories/acme?pagelen=100"), "slug"), each(c.walk("/repositories/acme-partners"), "slug")...) {
		parts := strings.Split(slug.(string), "-")
		first[parts[0]], second[parts[1]] = true, true
	}
	for _, slug := range each(c.walk("/repositories/acme-partners"), "slug") {
		listed[strings.Split(slug.(string), "-")[2]] = true
		c.get("/repositories/acme-partners/" + slug.(string))
	}
	statuses := map[string]int{}
	for n := range 40 {
		if listed[strconv.Itoa(n)] {
			continue
		}
		for a := range first {
			for b := range second {
				slug := fmt.Sprintf("%s-%s-%d", a, b, n)
				r := c.do("GET", "/repositories/acme-partners/"+slug, nil)
				if r.status == 200 {
					t.Errorf("%s can be read and is not listed", slug)
				}
				statuses[fmt.Sprint(r.status)]++
			}
		}
	}
	if statuses["403"] == 0 {
		t.Errorf("none of the hidden ones is a 403: %v", statuses)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, path := range []string{
		"/repositories/acme?pagelen=100", "/workspaces/acme/projects", "/workspaces/acme/members", "/workspaces/acme/hooks",
		"/snippets/acme", "/workspaces/acme/permissions", "/user",
	} {
		one, two := newClient(t, nil).get(path), newClient(t, &sandbox.Options{Seed: 1}).get(path)
		if one.text != two.text {
			t.Errorf("%s differs between two servers of one seed", path)
		}
		if other := newClient(t, &sandbox.Options{Seed: 2}).get(path); one.text == other.text {
			t.Errorf("%s is the same with another seed", path)
		}
	}
	if newClient(t, nil).server.Credentials() != newClient(t, nil).server.Credentials() {
		t.Error("credentials differ between two servers of one seed")
	}
}

func TestSeedHasWhatTripsReaders(t *testing.T) {
	all := newClient(t, nil).walk("/repositories/acme?pagelen=100")
	found := map[string]bool{}
	moments := map[any]int{}
	created := ""
	for _, v := range all {
		moments[dig(v, "updated_on")]++
		found["a null description"] = found["a null description"] || dig(v, "description") == nil
		found["text beyond ASCII"] = found["text beyond ASCII"] || strings.Contains(fmt.Sprint(dig(v, "description")), "⚓")
		found["a user as owner"] = found["a user as owner"] || dig(v, "owner.type") == "user"
		found["a team as owner"] = found["a team as owner"] || dig(v, "owner.type") == "team"
		found["a fork"] = found["a fork"] || dig(v, "parent.full_name") != nil
		found["no main branch"] = found["no main branch"] || dig(v, "mainbranch") == nil
		now := dig(v, "created_on").(string)
		if now < created {
			t.Error("created_on does not rise with the order of creation")
		}
		created = now
		if at, err := time.Parse("2006-01-02T15:04:05.000000+00:00", dig(v, "updated_on").(string)); err != nil || at.Before(time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("updated_on %v", dig(v, "updated_on"))
		}
		if _, there := v.(map[string]any)["has_wiki"]; there {
			t.Error("has_wiki is still there")
		}
	}
	for _, n := range moments {
		found["two changed in the same microsecond"] = found["two changed in the same microsecond"] || n > 1
	}
	for _, what := range []string{"a null description", "text beyond ASCII", "a user as owner", "a team as owner", "a fork", "no main branch", "two changed in the same microsecond"} {
		if !found[what] {
			t.Errorf("the seed lacks %s", what)
		}
	}
}

func TestAMillionRepositoriesFit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second or two")
	}
	before := heap()
	c := newClient(t, &sandbox.Options{Repositories: 1_000_000, Limit: -1})
	last := c.get("/repositories/acme?pagelen=100&page=10000")
	if len(last.values()) != 100 || last.at("next") != nil {
		t.Errorf("the last page has %d records, next %v", len(last.values()), last.at("next"))
	}
	slug := dig(last.values()[99], "slug").(string)
	if err := c.server.Push(slug); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	r := c.get("/repositories/acme" + query("q", "updated_on > 2026-06-01", "sort", "updated_on", "role", "member"))
	if fmt.Sprint(r.at("size")) != "1" || r.at("values.0.slug") != slug {
		t.Errorf("%s", r.text)
	}
	if took := time.Since(started); took > 200*time.Millisecond {
		t.Errorf("finding one change among a million took %v", took)
	}
	if grown := heap() - before; grown > 300<<20 {
		t.Errorf("a million repositories take %d MB", grown>>20)
	} else {
		t.Logf("a million repositories take %d MB", grown>>20)
	}
	runtime.KeepAlive(c)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkPageOfAHundred(b *testing.B) {
	s := sandbox.New(&sandbox.Options{Repositories: 1000, Limit: -1})
	token := s.Credentials().AccessToken
	for b.Loop() {
		if err := fetch(b.Context(), s, token, "/repositories/acme?pagelen=100&role=member&page=5"); err != nil {
			b.Fatal(err)
		}
	}
}
