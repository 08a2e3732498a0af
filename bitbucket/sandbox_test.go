package bitbucket_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/connector/connectortest"
)

// rig is a sandbox and a connector that reads from it in-process.
type rig struct {
	*bitbucket.Connector
	server *sandbox.Server
	// before, when set, is called before each request with its number, from 1.
	before func(n int, req *http.Request)
	sent   int
}

// setUp makes a sandbox and a connector with a credential for everything.
func setUp(tb testing.TB, opts *sandbox.Options) *rig {
	tb.Helper()
	r := &rig{server: sandbox.New(opts)}
	token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
	if err != nil {
		tb.Fatal(err)
	}
	r.Connector = r.as(tb, token, nil)
	return r
}

// as returns another connector to the sandbox, with a credential of its own.
func (r *rig) as(tb testing.TB, credential bitbucket.Credential, opts *bitbucket.Options) *bitbucket.Connector {
	tb.Helper()
	base := r.server.Transport()
	watched := transportFunc(func(req *http.Request) (*http.Response, error) {
		r.sent++
		if r.before != nil {
			r.before(r.sent, req)
		}
		return base.RoundTrip(req)
	})
	transport, err := bitbucket.NewTransport(credential, "", watched)
	if err != nil {
		tb.Fatal(err)
	}
	if opts == nil {
		opts = &bitbucket.Options{}
	}
	if opts.Workspace == "" {
		opts.Workspace = r.server.Credentials().Workspace
	}
	c, err := bitbucket.New(&http.Client{Transport: transport}, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// app returns a connector that acts as the Connect app.
func (r *rig) app(tb testing.TB) *bitbucket.Connector {
	tb.Helper()
	keys := r.server.Credentials()
	credential, err := bitbucket.ConnectApp(keys.ConnectAppKey, keys.ConnectClientKey, keys.ConnectSharedSecret)
	if err != nil {
		tb.Fatal(err)
	}
	return r.as(tb, credential, nil)
}

// everything reads addon/linkers as the Connect app and all else with a token,
// as a user with both credentials would.
type everything struct {
	*bitbucket.Connector
	app *bitbucket.Connector
}

func (e everything) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	if req.Object == "addon/linkers" {
		return e.app.Read(ctx, req)
	}
	return e.Connector.Read(ctx, req)
}

const unknownID = "{00000000-0000-4000-8000-00000000dead}"

// conformance is what the suite has to know of the sandbox.
func conformance(r *rig, tb testing.TB) connectortest.Subject {
	tb.Helper()
	return connectortest.Subject{
		Connector: everything{Connector: r.Connector, app: r.app(tb)},
		MinRecords: map[string]int{
			"addon/linkers": 1, "hook_events": 25, "hooks": 6, "members": 25, "permissions": 25,
			"permissions/repositories": 100, "pipelines-config/variables": 8, "projects": 12,
			"repositories": 250, "snippets": 15, "user/emails": 2,
			"user/permissions/repositories": 100, "user/permissions/workspaces": 2, "workspaces": 2,
		},
		Writes: map[string]connectortest.Write{
			"projects": {
				Create: `{"name":"Rope works","key":"ROPE","description":"hemp","is_private":true}`,
				Change: `{"name":"Rope and wire"}`, Stays: "description", Unknown: unknownID,
			},
			"hooks": {
				Create: `{"url":"https://example.com/hook","description":"d","events":["repo:push"],"secret":"quite secret"}`,
				Change: `{"active":false}`, Stays: "events", Unknown: unknownID,
			},
			"pipelines-config/variables": {
				Create: `{"key":"DEPTH","value":"12","secured":false}`,
				Change: `{"key":"DEPTH_M"}`, Stays: "value", Unknown: unknownID,
			},
			"repositories": {
				Create: `{"name":"Well Head","description":"the top","is_private":true}`,
				Change: `{"name":"Well Top"}`, Stays: "description", Unknown: unknownID,
			},
			"snippets": {
				Create: `{"title":"knots","is_private":true,"files":{"a.txt":{"content":"bowline"}}}`,
				Change: `{"files":{"b.txt":{"content":"sheet bend"}}}`, Stays: "title", Unknown: "zzzzzz",
			},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		opts sandbox.Options
	}{
		{"to a usual Bitbucket", sandbox.Options{}},
		{"to one that counts nothing", sandbox.Options{OmitSize: true}},
		{"to one whose projects have only keys and cannot be filtered", sandbox.Options{ProjectKeysOnly: true, ProjectsIgnoreQ: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.opts.Limit = -1
			connectortest.Run(t, conformance(setUp(t, &row.opts), t))
		})
	}
}

// read reads all of an object and fails on any error.
func read(tb testing.TB, r connector.Reader, req connector.ReadRequest) []connector.Record {
	tb.Helper()
	var all []connector.Record
	for record, err := range connector.All(tb.Context(), r, req) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, record)
	}
	return all
}

func TestAWorkspaceIsNamedBySlugOrUUID(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	c := r.as(t, token, &bitbucket.Options{Workspace: r.server.Credentials().WorkspaceUUID})
	if n := len(read(t, c, connector.ReadRequest{Object: "projects"})); n != 12 {
		t.Errorf("%d projects by UUID, want 12", n)
	}
}

func TestEveryObjectNamesTheScopeItLacks(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	token, err := bitbucket.AccessToken(r.server.NewAccessToken("wiki"))
	if err != nil {
		t.Fatal(err)
	}
	c := r.as(t, token, nil)
	for _, object := range bitbucket.Objects() {
		if len(object.ReadScopes) == 0 {
			continue
		}
		_, err := c.Read(t.Context(), connector.ReadRequest{Object: object.Name})
		e := typed(t, err)
		if e.Kind != windlass.Forbidden || len(e.Missing()) == 0 || !strings.Contains(err.Error(), object.ReadScopes[0]) {
			t.Errorf("%s: %v", object.Name, err)
		}
	}
}

func TestObjectsThatNeedNoWorkspace(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	c, err := bitbucket.New(&http.Client{Transport: r.server.Transport()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(read(t, c, connector.ReadRequest{Object: "hook_events"})); n < 25 {
		t.Errorf("%d events without any credential", n)
	}
	_, err = c.Read(t.Context(), connector.ReadRequest{Object: "hooks"})
	if typed(t, err).Kind != windlass.Invalid || !strings.Contains(err.Error(), "no workspace was named") {
		t.Errorf("hooks without a workspace: %v", err)
	}
}

func TestHookEventsSayWhatTheyAreOf(t *testing.T) {
	t.Parallel()
	subjects := map[string]int{}
	for _, record := range read(t, setUp(t, nil), connector.ReadRequest{Object: "hook_events"}) {
		var event struct{ Subject, Event string }
		if err := json.Unmarshal(record.Raw, &event); err != nil {
			t.Fatal(err)
		}
		if record.ID != event.Subject+"/"+event.Event {
			t.Errorf("the id is %s, the event %+v", record.ID, event)
		}
		subjects[event.Subject]++
	}
	if len(subjects) != 2 || subjects["repository"] == 0 || subjects["workspace"] == 0 {
		t.Errorf("events of %v", subjects)
	}
}
