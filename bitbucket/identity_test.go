package bitbucket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// shelf is a list of repositories at a provider that sorts and filters them by
// created_on, or fails to.
type shelf struct {
	created  []string // of the records 0, 1, 2 and so on
	length   int
	ignores  bool // the filter
	noSize   bool
	queries  []url.Values
	requests int
}

func (s *shelf) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.requests++; s.requests > 100 {
		return nil, errors.New("it never ends")
	}
	query := req.URL.Query()
	s.queries = append(s.queries, query)
	var found []int
	for i, created := range s.created {
		bound, exclusive := strings.CutPrefix(query.Get("q"), `created_on > "`)
		bound, inclusive := strings.CutPrefix(bound, `created_on >= "`)
		bound = strings.TrimSuffix(bound, `"`)
		if !exclusive && !inclusive || s.ignores || created > bound || inclusive && created == bound {
			found = append(found, i)
		}
	}
	page := 1
	_, _ = fmt.Sscan(query.Get("page"), &page)
	from := min((page-1)*s.length, len(found))
	to := min(from+s.length, len(found))
	var values []string
	for _, i := range found[from:to] {
		values = append(values, fmt.Sprintf(`{"uuid":"{%d}","created_on":%q}`, i, s.created[i]))
	}
	body := `{"values":[` + strings.Join(values, ",") + `]`
	if !s.noSize {
		body += fmt.Sprintf(`,"size":%d`, len(found))
	}
	if to < len(found) {
		query.Set("page", fmt.Sprint(page+1))
		body += fmt.Sprintf(`,"next":"https://api.bitbucket.org/2.0/repositories/acme?%s"`, query.Encode())
	}
	return reply(200, body+"}"), nil
}

func inSecond(second int) string { return fmt.Sprintf("2026-01-01T00:00:%02d.000000+00:00", second) }

func TestRecordsThatShareTheirKeyAreAllRead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		shelf    shelf
		requests int
	}{
		{"none share it", shelf{created: []string{inSecond(1), inSecond(2), inSecond(3), inSecond(4), inSecond(5), inSecond(6)}, length: 3}, 2},
		{"two share it over the seam", shelf{created: []string{inSecond(1), inSecond(2), inSecond(3), inSecond(3), inSecond(5), inSecond(6)}, length: 3}, 4},
		{"two share it before the seam, one after", shelf{created: []string{inSecond(1), inSecond(3), inSecond(3), inSecond(3), inSecond(5), inSecond(6)}, length: 3}, 3},
		{"more than a page share it", shelf{created: []string{inSecond(1), inSecond(3), inSecond(3), inSecond(3), inSecond(3), inSecond(3), inSecond(3), inSecond(3)}, length: 3}, 5},
		{"two share it, and the provider does not count", shelf{created: []string{inSecond(1), inSecond(2), inSecond(3), inSecond(3), inSecond(5), inSecond(6)}, length: 3, noSize: true}, 3},
		{"the filter is ignored", shelf{created: []string{inSecond(1), inSecond(2), inSecond(3), inSecond(4), inSecond(5), inSecond(6), inSecond(7)}, length: 3, ignores: true}, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := idsOf(read(t, over(t, &row.shelf), connector.ReadRequest{Object: "repositories"}))
			var want []string
			for i := range row.shelf.created {
				want = append(want, fmt.Sprintf("{%d}", i))
			}
			if !slices.Equal(got, want) || row.shelf.requests > row.requests {
				t.Errorf("%d requests for %v, want %d for %v: %v", row.shelf.requests, got, row.requests, want, row.shelf.queries)
			}
		})
	}
}

// As many records are deleted behind a walk as are created before it, between any
// two of its pages: their number stays the same, and none is lost.
func TestASwapBetweenTwoPagesLosesNothing(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Repositories: 500})
	before := read(t, r, connector.ReadRequest{Object: "repositories"})
	r.sent = 0
	r.before = func(n int, _ *http.Request) {
		if n == 3 {
			for i, record := range before[:5] {
				if err := r.server.DeleteRepository(stringIn(t, record.Raw, "slug")); err != nil {
					t.Error(err)
				}
				if _, err := r.server.CreateRepository(fmt.Sprint("Made meanwhile ", i), ""); err != nil {
					t.Error(err)
				}
			}
		}
	}
	after := read(t, r, connector.ReadRequest{Object: "repositories"})
	if len(after) != 505 || r.sent != 6 {
		t.Errorf("%d records for %d requests; want 505 for 6", len(after), r.sent)
	}
}

// A link that lost what was asked for leads into another list.
func TestWhatALinkHasLostIsPutBack(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"fields", "pagelen"} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Members: 230})
			r.inject(t, "lossy-next="+lost)
			req := connector.ReadRequest{Object: "members", Fields: []string{"user.uuid"}}
			var notes []string
			records := 0
			for page, err := range connector.Pages(t.Context(), r, req) {
				if err != nil {
					t.Fatal(err)
				}
				records += len(page.Records)
				notes = append(notes, page.Notes...)
				for _, record := range page.Records {
					if strings.Contains(string(record.Raw), "display_name") {
						t.Fatalf("a record has fields that were not asked for: %s", record.Raw)
					}
				}
			}
			want := "The link to the next page has lost or changed " + lost + ": the read goes on with what it asked for."
			if records != 230 || r.sent != 3 || len(notes) != 2 || notes[0] != want {
				t.Errorf("%d records for %d requests, and %q", records, r.sent, notes)
			}
		})
	}
}

// BCLOUD-20639: next is missing though size says that there is more.
func TestAReadGoesOnWhereTheLinkIsMissing(t *testing.T) {
	t.Parallel()
	for object, notes := range map[string]int{"members": 2, "repositories": 2} {
		t.Run(object, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Members: 230, Repositories: 230})
			r.inject(t, "no-next")
			records, said := 0, 0
			for page, err := range connector.Pages(t.Context(), r, connector.ReadRequest{Object: object}) {
				if err != nil {
					t.Fatal(err)
				}
				records += len(page.Records)
				for _, note := range page.Notes {
					if strings.HasPrefix(note, "The link to the next page is missing, although the provider counts ") {
						said++
					}
				}
			}
			if records != 230 || said != notes || r.sent != 3 {
				t.Errorf("%d records for %d requests, said %d times", records, r.sent, said)
			}
		})
	}
}

func TestAMalformedLinkIsWhatIsWrong(t *testing.T) {
	t.Parallel()
	const base = "https://api.bitbucket.org/2.0/workspaces/acme/hooks"
	for _, link := range []string{
		base + "&page=2", base + " ?page=2", base + "?page=2&q=a b", base + "%20?page=2", base + "?page=%zz", base + "/more?page=2",
		"https://api.bitbucket.org/2.0/workspaces/acme&page=2", "https://api.bitbucket.org/2.0/user?page=2",
	} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			requests := 0
			c := over(t, transportFunc(func(*http.Request) (*http.Response, error) {
				requests++
				return reply(200, `{"values":[{"uuid":"{1}"}],"size":2,"next":"`+link+`"}`), nil
			}))
			_, err := c.Read(t.Context(), readHooks)
			if known := typed(t, err); known.Kind != windlass.Malformed || requests != 1 ||
				!strings.Contains(known.Error(), "link to the next page is malformed: "+link) || strings.Contains(known.Error(), "workspace and the id") {
				t.Errorf("%d requests, and %v", requests, err)
			}
		})
	}
	for _, link := range []string{base + "?page=2", strings.Replace(base, "acme", "%7B1f5c%7D", 1) + "?page=2"} {
		c := over(t, always(200, `{"values":[{"uuid":"{1}"}],"size":2,"next":"`+link+`"}`))
		if page, err := c.Read(t.Context(), readHooks); err != nil || page.Next == "" {
			t.Errorf("%s is a good link: %v", link, err)
		}
	}
}

func TestAMembershipWithoutAWorkspaceIsPassedOver(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"workspaces", "user/permissions/workspaces"} {
		r := setUp(t, &sandbox.Options{NullMemberships: 2})
		r.before = func(_ int, req *http.Request) {
			if strings.Contains(req.URL.Path, "sha256") {
				t.Errorf("an invented id is in %s", req.URL)
			}
		}
		page, err := r.Read(t.Context(), connector.ReadRequest{Object: object})
		if err != nil || len(page.Records) != 3 || page.Size != 3 || r.sent != 4 {
			t.Fatalf("%s: %d records of %d for %d requests: %v", object, len(page.Records), page.Size, r.sent, err)
		}
		if len(page.Notes) != 1 || page.Notes[0] != "Bitbucket returned 2 of the memberships without a workspace: they were passed over." {
			t.Errorf("%s: %q", object, page.Notes)
		}
	}
	for _, membership := range []string{`null`, `{}`, `{"workspace":null}`, `{"workspace":{}}`, `{"workspace":{"uuid":""}}`} {
		c := over(t, always(200, `{"values":[`+membership+`],"size":1}`))
		page, err := c.Read(t.Context(), connector.ReadRequest{Object: "workspaces"})
		if err != nil || len(page.Records) != 0 || page.Size != 0 || len(page.Notes) != 1 {
			t.Errorf("%s: %+v, %v", membership, page, err)
		}
	}
}

func TestAnInventedIDIsInNoRequest(t *testing.T) {
	t.Parallel()
	c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		t.Errorf("%s %s was sent", req.Method, req.URL)
		return reply(404, ""), nil
	}))
	for _, object := range []string{"projects", "repositories", "hooks", "snippets", "pipelines-config/variables"} {
		id := "sha256:" + strings.Repeat("0", 64)
		for _, err := range []error{
			c.Delete(t.Context(), connector.DeleteRequest{Object: object, ID: id}),
			second(c.Write(t.Context(), connector.WriteRequest{Object: object, ID: id, Record: []byte(`{"description":"x","value":"x","key":"X","name":"x","url":"https://example.com"}`)})),
			second(c.Get(t.Context(), connector.GetRequest{Object: object, ID: id})),
		} {
			if !errors.Is(err, windlass.Invalid) {
				t.Errorf("%s: %v", object, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestARefusedSubjectDoesNotLoseTheOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		refused  []string
		records  int
		notes    int
		requests int
		fails    bool
	}{
		{[]string{"user", "team"}, 57, 2, 5, false},
		{[]string{"zebra"}, 57, 1, 4, false},
		{nil, 57, 0, 3, false},
	} {
		r := setUp(t, &sandbox.Options{HookSubjects: row.refused})
		records, notes := 0, 0
		for page, err := range connector.Pages(t.Context(), r, connector.ReadRequest{Object: "hook_events"}) {
			if err != nil {
				t.Fatalf("%v: %v", row.refused, err)
			}
			records, notes = records+len(page.Records), notes+len(page.Notes)
		}
		if records != row.records || notes != row.notes || r.sent != row.requests {
			t.Errorf("%v: %d records for %d requests and %d notes", row.refused, records, r.sent, notes)
		}
	}
	r := setUp(t, nil)
	r.inject(t, "status=403,path=/2.0/hook_events/*")
	var end error
	for _, err := range connector.Pages(t.Context(), r, connector.ReadRequest{Object: "hook_events"}) {
		end = err
	}
	if !errors.Is(end, windlass.Forbidden) {
		t.Errorf("where all are refused it ends with %v", end)
	}
}
