package bitbucket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

func TestWhatAReadCosts(t *testing.T) {
	t.Parallel()
	future := time.Now().AddDate(10, 0, 0)
	for _, row := range []struct {
		name              string
		opts              sandbox.Options
		req               connector.ReadRequest
		records, requests int
	}{
		{"1,000 repositories", sandbox.Options{Repositories: 1000}, connector.ReadRequest{Object: "repositories"}, 1000, 10},
		{"50,000 repositories", sandbox.Options{Repositories: 50_000}, connector.ReadRequest{Object: "repositories"}, 50_000, 500},
		{"5,000 repositories, two fields of each", sandbox.Options{Repositories: 5000}, connector.ReadRequest{Object: "repositories", Fields: []string{"name", "project.key"}}, 5000, 50},
		{"no repositories", sandbox.Options{Repositories: -1}, connector.ReadRequest{Object: "repositories"}, 0, 1},
		{"an incremental read that finds nothing", sandbox.Options{Repositories: 50_000}, connector.ReadRequest{Object: "repositories", Since: future}, 0, 1},
		{"150 projects, of which 50 come unasked", sandbox.Options{Projects: 150}, connector.ReadRequest{Object: "projects"}, 150, 2},
		{"projects since a time: two for the probe", sandbox.Options{Projects: 150}, connector.ReadRequest{Object: "projects", Since: future}, 0, 3},
		{"230 members", sandbox.Options{Members: 230}, connector.ReadRequest{Object: "members"}, 230, 3},
		{"three workspaces: the list, and one for each", sandbox.Options{}, connector.ReadRequest{Object: "workspaces"}, 3, 4},
		{"hook events: the subjects, and one for each", sandbox.Options{}, connector.ReadRequest{Object: "hook_events"}, 57, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.opts.Limit = -1
			r := setUp(t, &row.opts)
			records := read(t, r, row.req)
			if len(records) != row.records || r.sent != row.requests || r.server.Requests() != row.requests {
				t.Errorf("%d records for %d requests (the sandbox counts %d); want %d for %d",
					len(records), r.sent, r.server.Requests(), row.records, row.requests)
			}
		})
	}
}

func TestAnIncrementalReadSeesJustTheChange(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Repositories: 500})
	mark := time.Now()
	if err := r.server.Push(slugs(t, r)[17]); err != nil {
		t.Fatal(err)
	}
	r.sent = 0
	changed := read(t, r, connector.ReadRequest{Object: "repositories", Since: mark})
	if len(changed) != 1 || r.sent != 1 || changed[0].Updated.Before(mark.Truncate(time.Microsecond)) {
		t.Errorf("%d records for %d requests: %v", len(changed), r.sent, changed)
	}
	if before := read(t, r, connector.ReadRequest{Object: "repositories", Until: mark}); len(before) != 499 {
		t.Errorf("%d records changed before the mark, want 499", len(before))
	}
}

// slugs returns the slugs of the repositories in the order of their creation.
func slugs(t *testing.T, r connector.Reader) []string {
	t.Helper()
	var all []string
	for _, record := range read(t, r, connector.ReadRequest{Object: "repositories"}) {
		all = append(all, stringIn(t, record.Raw, "slug"))
	}
	return all
}

func TestAWalkOverMovingDataLosesNothing(t *testing.T) {
	t.Parallel()
	since := time.Now().AddDate(-30, 0, 0)
	for _, row := range []struct {
		name  string
		req   connector.ReadRequest
		move  func(*sandbox.Server, []string) error
		extra int // records that the move adds to what the walk returns
		costs int // requests for 500 records that move once
	}{
		{
			"five of the first page are deleted: the full walk takes up at its last record",
			connector.ReadRequest{Object: "repositories"},
			func(s *sandbox.Server, slugs []string) error {
				return errors.Join(each(s.DeleteRepository, slugs[:5])...)
			}, 0, 7,
		},
		{
			"150 are deleted, more than a page",
			connector.ReadRequest{Object: "repositories"},
			func(s *sandbox.Server, slugs []string) error {
				return errors.Join(each(s.DeleteRepository, slugs[:150])...)
			}, 0, 7,
		},
		{
			"one is created: it comes last",
			connector.ReadRequest{Object: "repositories"},
			func(s *sandbox.Server, _ []string) error { _, err := s.CreateRepository("Brand new", ""); return err }, 1, 8,
		},
		{
			"ten of the first page are edited: the incremental walk sees them again at the end",
			connector.ReadRequest{Object: "repositories", Since: since},
			func(s *sandbox.Server, slugs []string) error { return errors.Join(each(s.Push, slugs[:10])...) }, 10, 6,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Repositories: 500})
			before := read(t, r, row.req)
			var names []string
			for _, record := range before {
				names = append(names, stringIn(t, record.Raw, "slug"))
			}
			r.sent = 0
			r.before = func(n int, _ *http.Request) {
				if n == 3 { // two pages are read: 200 records
					if err := row.move(r.server, names); err != nil {
						t.Error(err)
					}
				}
			}
			after := read(t, r, row.req)
			seen := map[string]bool{}
			for _, record := range after {
				seen[record.ID] = true
			}
			for i, record := range before {
				if !seen[record.ID] {
					t.Errorf("record %d is missing", i)
				}
			}
			if len(after) != len(before)+row.extra || r.sent > row.costs {
				t.Errorf("%d records for %d requests; want %d for at most %d", len(after), r.sent, len(before)+row.extra, row.costs)
			}
		})
	}
}

// each calls do with every value.
func each(do func(string) error, values []string) []error {
	var errs []error
	for _, value := range values {
		errs = append(errs, do(value))
	}
	return errs
}

func TestAWalkInBitbucketsOwnOrderStepsBack(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Hooks: 45})
	req := connector.ReadRequest{Object: "hooks", PageSize: 10}
	before := read(t, r, req)
	r.sent = 0
	done := false
	r.before = func(n int, _ *http.Request) {
		if n == 3 && !done { // of the 20 seen, three go
			done = true
			for _, record := range before[4:7] {
				if err := r.Delete(t.Context(), connector.DeleteRequest{Object: "hooks", ID: record.ID}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	after := read(t, r, req)
	if got, want := idsOf(after), idsOf(before); !slices.Equal(got, want) {
		t.Errorf("%d records, want the %d there were", len(got), len(want))
	}
}

func idsOf(records []connector.Record) []string {
	var ids []string
	for _, record := range records {
		ids = append(ids, record.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestTheUndocumentedFilterOfProjectsIsBelievedOnlyWhenItWorks(t *testing.T) {
	t.Parallel()
	future := time.Now().AddDate(10, 0, 0)
	for _, row := range []struct {
		name    string
		opts    sandbox.Options
		full    bool
		records int
	}{
		{"it works", sandbox.Options{}, false, 0},
		{"it is ignored", sandbox.Options{ProjectsIgnoreQ: true}, true, 12},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &row.opts)
			for range 2 {
				page, err := r.Read(t.Context(), connector.ReadRequest{Object: "projects", Since: future})
				if err != nil {
					t.Fatal(err)
				}
				if page.Full != row.full || len(page.Records) != row.records {
					t.Errorf("full %t with %d records, want %t with %d", page.Full, len(page.Records), row.full, row.records)
				}
			}
			if r.sent != 4 {
				t.Errorf("%d requests for two reads; the probe takes two, once", r.sent)
			}
		})
	}
}

func TestConnectorsThatShareTheirLessonsProbeOnce(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	lessons := &bitbucket.Lessons{}
	for range 3 {
		c := r.as(t, token, &bitbucket.Options{Lessons: lessons})
		if _, err := c.Read(t.Context(), connector.ReadRequest{Object: "projects", Since: time.Now().AddDate(10, 0, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if r.sent != 5 {
		t.Errorf("%d requests; want two for the probe and one for each read", r.sent)
	}
}

func TestAPageLengthThatIsRefusedIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	var queries []url.Values
	c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		query := req.URL.Query()
		queries = append(queries, query)
		if query.Has("pagelen") {
			return reply(400, `{"type":"error","error":{"message":"Invalid pagelen"}}`), nil
		}
		return reply(200, `{"values":[]}`), nil
	}))
	for _, object := range []string{"hooks", "workspaces"} {
		queries = nil
		for range 2 {
			if _, err := c.Read(t.Context(), connector.ReadRequest{Object: object}); err != nil {
				t.Fatal(err)
			}
		}
		if len(queries) != 3 || queries[2].Has("pagelen") {
			t.Errorf("%s: the queries were %v", object, queries)
		}
	}
}

func TestTheRoleIsTheSameInEveryRequestOfARead(t *testing.T) {
	t.Parallel()
	for _, role := range bitbucket.Roles() {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Repositories: 300})
			token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			want := role
			if role == "any" {
				want = ""
			}
			r.before = func(_ int, req *http.Request) {
				if got := req.URL.Query().Get("role"); got != want {
					t.Errorf("a request has role %q: %s", got, req.URL)
				}
			}
			c := r.as(t, token, &bitbucket.Options{Role: role})
			for _, since := range []time.Time{{}, time.Now().AddDate(-30, 0, 0)} {
				read(t, c, connector.ReadRequest{Object: "repositories", Since: since})
			}
		})
	}
	_, err := bitbucket.New(nil, &bitbucket.Options{Role: "membre"})
	if !errors.Is(err, windlass.Invalid) || !strings.Contains(fmt.Sprint(err), `"member"`) {
		t.Errorf("an unknown role: %v", err)
	}
}
