package bitbucket_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// TestBadDays reads 500 repositories while the third request goes wrong.
func TestBadDays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fault   string
		records int // at the least, before it ends
		ends    error
		says    string
	}{
		{"status=500", 200, windlass.Unavailable, "HTTP 500"},
		{"status=503,text", 200, windlass.Unavailable, "HTTP 503"},
		{"status=429,retry-after=30s", 200, windlass.RateLimited, "wait 30s"},
		{"status=401", 200, windlass.Unauthorized, "expired or revoked"},
		{"html", 200, windlass.Unavailable, "an HTML page instead of JSON"},
		{"cut", 200, windlass.Malformed, "broke off"},
		{"malformed", 200, windlass.Malformed, "not what Bitbucket's document promises"},
		{"reset", 200, windlass.Unavailable, "could not be reached"},
		{"foreign-next", 200, windlass.Malformed, "leads to https://elsewhere.example instead of https://api.bitbucket.org/2.0"},
		{"duplicate-page", 500, nil, ""},
		{"shift-page=7", 493, windlass.Incomplete, "493 of the 500 records that the provider counts arrived"},
		{"shift-page=-7", 500, nil, ""},
		{"unstable=100", 400, windlass.Incomplete, "of the 500 records"},
		{"lossy-next=sort", 500, nil, ""},
		{"lossy-next=q", 500, nil, ""},
		{"lossy-next=pagelen", 500, nil, ""},
		{"no-next", 500, nil, ""},
		{"bad-next", 200, windlass.Malformed, "link to the next page is malformed: https://api.bitbucket.org/2.0/repositories/acme&"},
		{"skew=-5m", 500, nil, ""},
	} {
		t.Run(row.fault, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Repositories: 500})
			r.inject(t, row.fault+",path=/2.0/repositories/acme,after=2,times=1")
			var end error
			ids := map[string]int{}
			for record, err := range connector.All(t.Context(), r, connector.ReadRequest{Object: "repositories"}) {
				if err != nil {
					end = err
					continue
				}
				if ids[record.ID]++; ids[record.ID] > 1 {
					t.Errorf("%s came twice", record.ID)
				}
			}
			if len(ids) != row.records || !errors.Is(end, row.ends) {
				t.Errorf("%d records and then %v; want %d and %v", len(ids), end, row.records, row.ends)
			}
			if end != nil && !strings.Contains(end.Error(), row.says) {
				t.Errorf("%v does not say %q", end, row.says)
			}
		})
	}
}

func (r *rig) inject(tb testing.TB, text string) {
	tb.Helper()
	fault, err := sandbox.ParseFault(text)
	if err != nil {
		tb.Fatal(err)
	}
	r.server.Inject(fault)
}

// TestAReadGoesOnFromItsCursorAfterAnyFailure stops a read at every request in
// turn, and finishes it from the last cursor with a new connector.
func TestAReadGoesOnFromItsCursorAfterAnyFailure(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"repositories", "hooks", "hook_events", "workspaces", "members"} {
		t.Run(object, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Repositories: 95, Hooks: 31, Limit: -1})
			token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			req := connector.ReadRequest{Object: object, PageSize: 10}
			want := idsOf(read(t, r, req))
			for stop := 0; ; stop++ {
				r.server.ClearFaults()
				fault := sandbox.Fault{Kind: "status", Status: 503, After: stop, Times: 1}
				r.server.Inject(fault)
				got, cursor, failed := readUntilFailure(t, r, req)
				if !failed {
					break
				}
				rest := req
				rest.Cursor = cursor
				got = append(got, read(t, r.as(t, token, nil), rest)...)
				if ids := idsOf(got); !slices.Equal(ids, want) {
					t.Fatalf("stopped at request %d: %d records, want %d", stop+1, len(ids), len(want))
				}
			}
		})
	}
}

func readUntilFailure(t *testing.T, r connector.Reader, req connector.ReadRequest) (got []connector.Record, last connector.Cursor, failed bool) {
	t.Helper()
	for page, err := range connector.Pages(t.Context(), r, req) {
		if err != nil {
			return got, last, true
		}
		got = append(got, page.Records...)
		last = page.Next
	}
	return got, "", false
}

func TestABadDayThatRetryDoesNotOutlastSaysWhatItWas(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer func() *http.Response
		kind   windlass.Kind
		says   string
	}{
		{"cut off", func() *http.Response { return cut(`{"values":[`) }, windlass.Unavailable, "read hooks: the answer broke off: unexpected EOF; "},
		{"far too large", func() *http.Response {
			resp := reply(http.StatusOK, "")
			resp.ContentLength = 1 << 40
			return resp
		}, windlass.Malformed, "read hooks: the answer is larger than 64 MiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				retry := &bitbucket.Retry{Base: transportFunc(func(*http.Request) (*http.Response, error) { return row.answer(), nil })}
				_, err := over(t, retry).Read(t.Context(), readHooks)
				if typed(t, err).Kind != row.kind || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%v, want %q and %q", err, row.kind, row.says)
				}
			})
		})
	}
}

func TestRetryOutlastsABadDay(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"status=502", "html", "cut", "reset", "status=429,retry-after=40s", "status=429"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := setUp(t, &sandbox.Options{Repositories: 300})
				r.inject(t, fault+",path=/2.0/repositories/acme,after=1,times=2")
				token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
				if err != nil {
					t.Fatal(err)
				}
				transport, err := bitbucket.NewTransport(token, "", r.server.Transport())
				if err != nil {
					t.Fatal(err)
				}
				client := &http.Client{Transport: &bitbucket.Retry{Base: transport}}
				c, err := bitbucket.New(client, &bitbucket.Options{Workspace: "acme"})
				if err != nil {
					t.Fatal(err)
				}
				if n := len(read(t, c, connector.ReadRequest{Object: "repositories"})); n != 300 {
					t.Errorf("%d records, want 300", n)
				}
			})
		})
	}
}

func TestAHungBitbucketEndsWithTheCallersDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := setUp(t, nil)
		r.inject(t, "hang")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err := r.Read(ctx, readHooks)
		if !errors.Is(err, windlass.Unavailable) || time.Since(began) != time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestTheRollingHourIsNamed(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Limit: 3, LimitHeaders: true})
	for range 3 {
		read(t, r, readHooks)
	}
	_, err := r.Read(t.Context(), readHooks)
	e := typed(t, err)
	if e.Kind != windlass.RateLimited || e.RetryAfter <= 0 || e.RetryAfter > time.Hour {
		t.Errorf("%v, wait %s", err, e.RetryAfter)
	}
}
