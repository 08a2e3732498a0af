package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/connector/connectortest"
)

// forest serves the branches of every repository, and the statuses of every
// branch's head, and leaves all else to the transport below it. A repository has 0
// to 24 branches, by its UUID; every second one is called like one elsewhere.
type forest struct {
	below http.RoundTripper
	asked []string // paths
	// refuse is a repository that the credential may not see into.
	refuse string
	// slugs makes links to next pages name the repository by a slug.
	slugs bool
}

func (f *forest) RoundTrip(req *http.Request) (*http.Response, error) {
	parts := strings.Split(strings.TrimPrefix(req.URL.Path, "/2.0/repositories/"), "/")
	var values []string
	switch {
	case len(parts) == 4 && parts[2] == "refs" && parts[3] == "branches":
		if parts[1] == f.refuse {
			f.asked = append(f.asked, req.URL.RequestURI())
			return reply(403, `{"type":"error","error":{"message":"Your credentials lack access to the branches."}}`), nil
		}
		for i := range number(parts[1]) % 25 {
			name := fmt.Sprintf("feature/%d", i)
			values = append(values, fmt.Sprintf(`{"name":%q,"target":{"hash":"%08x","repository":{"uuid":%q}}}`, name, number(parts[1]+name), parts[1]))
		}
	case len(parts) == 5 && parts[2] == "commit" && parts[4] == "statuses":
		for i := range number(parts[3]) % 3 {
			values = append(values, fmt.Sprintf(`{"key":"build-%d","state":"SUCCESSFUL"}`, i))
		}
	default:
		return f.below.RoundTrip(req)
	}
	f.asked = append(f.asked, req.URL.RequestURI())
	link := *req.URL
	if f.slugs {
		link.Path, link.RawPath = strings.Replace(link.Path, parts[1], "a-slug", 1), ""
	}
	return reply(200, pageOf(values, &link)), nil
}

func number(text string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return int(h.Sum32())
}

// pageOf returns the page of values that a request asks for.
func pageOf(values []string, asked *url.URL) string {
	query := asked.Query()
	length, page := 10, 1
	_, _ = fmt.Sscan(query.Get("pagelen"), &length)
	_, _ = fmt.Sscan(query.Get("page"), &page)
	from := min((page-1)*length, len(values))
	to := min(from+length, len(values))
	body := fmt.Sprintf(`{"values":[%s],"size":%d,"pagelen":%d`, strings.Join(values[from:to], ","), len(values), length)
	if to < len(values) {
		query.Set("page", strconv.Itoa(page+1))
		next := url.URL{Scheme: "https", Host: "api.bitbucket.org", Path: asked.Path, RawPath: asked.EscapedPath(), RawQuery: query.Encode()}
		body += `,"next":` + strconv.Quote(next.String())
	}
	return body + "}"
}

// nursery reads addon/linkers as the Connect app and all else with a token.
type nursery struct {
	bitbucket.WithChildren
	app *bitbucket.Connector
}

func (n nursery) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	if req.Object == "addon/linkers" {
		return n.app.Read(ctx, req)
	}
	return n.WithChildren.Read(ctx, req)
}

// plant makes a sandbox whose repositories have branches, and a connector to it.
func plant(tb testing.TB, opts *sandbox.Options) (nursery, *forest) {
	tb.Helper()
	r := setUp(tb, opts)
	token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
	if err != nil {
		tb.Fatal(err)
	}
	f := &forest{below: r.server.Transport()}
	transport, err := bitbucket.NewTransport(token, "", f)
	if err != nil {
		tb.Fatal(err)
	}
	return nursery{bitbucket.WithChildren{Connector: over(tb, transport)}, r.app(tb)}, f
}

// TestConformanceBelowRepositories runs the suite with branches below repositories
// and statuses below those.
func TestConformanceBelowRepositories(t *testing.T) {
	t.Parallel()
	opts := sandbox.Options{Limit: -1}
	c, _ := plant(t, &opts)
	subject := conformance(setUp(t, &opts), t)
	subject.Connector = c
	subject.MinRecords["branches"], subject.MinRecords["branches/statuses"] = 100, 5
	connectortest.Run(t, subject)
}

// inRepository is the read of branches below the repository with most of them, and
// how many those are.
func inRepository(t *testing.T, c nursery) (req connector.ReadRequest, branches int) {
	t.Helper()
	for _, record := range read(t, c.Connector, connector.ReadRequest{Object: "repositories"}) {
		if n := number(record.ID) % 25; n > branches {
			branches = n
			req = connector.ReadRequest{Object: "branches", Parent: connector.Parent{ID: record.ID}}
		}
	}
	if branches < 20 {
		t.Fatalf("no repository has more than %d branches", branches)
	}
	return req, branches
}

func TestAChildIsReadBelowItsParentByAllWays(t *testing.T) {
	t.Parallel()
	c, f := plant(t, nil)
	req, branches := inRepository(t, c)
	req.PageSize = 10
	page, err := c.Read(t.Context(), req)
	if err != nil || len(page.Records) != 10 || page.Size != branches {
		t.Fatalf("%d records of %d: %v", len(page.Records), page.Size, err)
	}
	if got, want := page.Records[3].ID, req.Parent.ID+"/feature/3"; got != want {
		t.Errorf("the id is %s, want %s", got, want)
	}
	want := "/2.0/repositories/acme/" + url.PathEscape(req.Parent.ID) + "/refs/branches?pagelen=10"
	if len(f.asked) != 1 || f.asked[0] != want {
		t.Errorf("asked %v, want %s", f.asked, want)
	}
	for name, pages := range map[string]iter.Seq2[connector.Page, error]{
		"page by page": connector.Pages(t.Context(), c, req), "ahead": c.Pages(t.Context(), req),
	} {
		f.asked = nil
		n := 0
		for record, err := range connector.Records(pages, req) {
			if err != nil || !strings.HasPrefix(record.ID, req.Parent.ID+"/feature/") {
				t.Fatalf("%s: %s, %v", name, record.ID, err)
			}
			n++
		}
		if n != branches || len(f.asked) != (branches+9)/10 {
			t.Errorf("%s: %d records for %v, want %d", name, n, f.asked, branches)
		}
	}
}

func TestALinkMaySpellTheRepositoryByItsSlug(t *testing.T) {
	t.Parallel()
	c, f := plant(t, nil)
	req, _ := inRepository(t, c)
	f.slugs, req.PageSize = true, 10
	page, err := c.Read(t.Context(), req)
	if err != nil || page.Next == "" {
		t.Errorf("the link is refused: %v", err)
	}
	statuses := connector.ReadRequest{Object: "branches/statuses", Parent: connector.Parent{
		ID: "b", Keys: map[string]json.RawMessage{"target.hash": []byte(`"beef"`), "target.repository.uuid": []byte(`"{1}"`)},
	}}
	for link, good := range map[string]bool{
		"/repositories/acme/a-slug/commit/beef/statuses?page=2":    true,
		"/repositories/acme/a-slug/commit/dead/statuses?page=2":    false, // of another branch
		"/repositories/acme/a-slug/commit/beef/statuses/5?page=2":  false,
		"/repositories/acme/a-slug/commits/beef/statuses?page=2":   false,
		"/repositories/acme/%7B1%7D/commit/beef/statuses?page=2":   true,
		"/repositories/another/a-slug/commit/beef/statuses?page=2": true, // workspaces have two names as well
	} {
		body := `{"values":[{"key":"x"}],"size":200,"next":"https://api.bitbucket.org/2.0` + link + `"}`
		_, err := bitbucket.WithChildren{Connector: over(t, always(200, body))}.Read(t.Context(), statuses)
		if good != (err == nil) || err != nil && !errors.Is(err, windlass.Malformed) {
			t.Errorf("%s: %v", link, err)
		}
	}
}

func TestAParentThatMayNotBeSeenIntoFailsAlone(t *testing.T) {
	t.Parallel()
	c, f := plant(t, nil)
	req, _ := inRepository(t, c)
	f.refuse = req.Parent.ID
	_, err := c.Read(t.Context(), req)
	if known := typed(t, err); known.Kind != windlass.Forbidden || known.Op != "read branches below "+f.refuse {
		t.Errorf("%v", err)
	}
	missing := connector.ReadRequest{Object: "branches", Parent: connector.Parent{ID: "{none}"}}
	if _, err := (bitbucket.WithChildren{Connector: over(t, always(404, `{"error":{"message":"Repository not found"}}`))}).Read(t.Context(), missing); !errors.Is(err, windlass.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestAParentLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	c, f := plant(t, nil)
	key := func(value string) connector.Parent {
		return connector.Parent{ID: "b", Keys: map[string]json.RawMessage{"target.hash": []byte(value), "target.repository.uuid": []byte(`"{1}"`)}}
	}
	for _, req := range []connector.ReadRequest{
		{Object: "projects", Parent: connector.Parent{ID: "{1}"}},
		{Object: "branches", Parent: connector.Parent{ID: ".."}},
		{Object: "branches", Parent: connector.Parent{ID: "{1}/../.."}},
		{Object: "branches", Parent: connector.Parent{ID: "sha256:0"}},
		{Object: "branches/statuses", Parent: key(`"a/b"`)},
		{Object: "branches/statuses", Parent: key(`".."`)},
		{Object: "branches/statuses", Parent: key(`{}`)},
	} {
		_, err := c.Read(t.Context(), req)
		if known := typed(t, err); known.Kind != windlass.Invalid || known.Remedy == "" || known.Op != req.Op() {
			t.Errorf("%+v: %v", req.Parent, err)
		}
		for _, err := range c.Pages(t.Context(), req) {
			if !errors.Is(err, windlass.Invalid) {
				t.Errorf("%+v ahead: %v", req.Parent, err)
			}
		}
	}
	if len(f.asked) > 0 {
		t.Errorf("asked %v", f.asked)
	}
}

// Two records without an id, with the same bytes, below two parents are two.
func TestInventedIDsDifferBelowTwoParents(t *testing.T) {
	t.Parallel()
	c := bitbucket.WithChildren{Connector: over(t, always(200, `{"values":[{"target":null}]}`))}
	var got []string
	for _, id := range []string{"{1}", "{2}", "{1}"} {
		for _, record := range read(t, c, connector.ReadRequest{Object: "branches", Parent: connector.Parent{ID: id}}) {
			got = append(got, record.ID)
		}
	}
	if len(got) != 3 || got[0] == got[1] || got[0] != got[2] || !strings.HasPrefix(got[0], "sha256:") {
		t.Errorf("%v", got)
	}
}
