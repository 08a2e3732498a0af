package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// A place is what the caller must be in the workspace of a route.
type place uint8

const (
	placeNone place = iota // anyone; the handler decides what they see
	placeMember
	placeOwner
)

// A route is one line of the table. Of two that match, the earlier counts.
type route struct {
	method    string
	pattern   string
	scopes    []string // needed: all classic ones, or of a token with granular ones these
	place     place
	anonymous bool // answers without a credential
	app       bool // answers only to a Connect app's JWT
	handler   func(*call) (*answer, error)

	segments []string
}

// table is the only statement of what the sandbox serves.
func (s *Server) table() []route {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
		member, owner       = placeMember, placeOwner
	)
	scopes := func(names ...string) []string { return names }
	t := []route{
		{method: get, pattern: "/user", scopes: scopes("account", "read:user:bitbucket"), handler: (*call).getUser},
		{method: get, pattern: "/user/emails", scopes: scopes("email", "read:user:bitbucket"), handler: emails().list},
		{method: get, pattern: "/user/workspaces", scopes: scopes("account", "read:workspace:bitbucket"), handler: (*call).listUserWorkspaces},
		{method: get, pattern: "/user/workspaces/{ws}/permission", scopes: scopes("account", "read:workspace:bitbucket"), place: member, handler: (*call).getOwnPermission},
		{method: get, pattern: "/user/workspaces/{ws}/permissions/repositories", scopes: scopes("account", "repository", "read:repository:bitbucket"), place: member, handler: (*call).listOwnRepositoryPermissions},

		{method: get, pattern: "/workspaces/{ws}", scopes: scopes("read:workspace:bitbucket"), handler: (*call).getWorkspace},
		{method: get, pattern: "/workspaces/{ws}/members", scopes: scopes("account", "read:workspace:bitbucket"), place: member, handler: (*call).listMembers},
		{method: get, pattern: "/workspaces/{ws}/permissions", scopes: scopes("account", "read:workspace:bitbucket"), place: member, handler: (*call).listPermissions},
		{method: get, pattern: "/workspaces/{ws}/permissions/repositories", scopes: scopes("account", "read:repository:bitbucket"), place: owner, handler: (*call).listGrants},

		{method: get, pattern: "/workspaces/{ws}/projects", scopes: scopes("project", "read:project:bitbucket"), handler: projects().list},
		{method: post, pattern: "/workspaces/{ws}/projects", scopes: scopes("project:admin", "admin:project:bitbucket"), place: member, handler: (*call).createProject},
		{method: get, pattern: "/workspaces/{ws}/projects/{key}", scopes: scopes("project", "read:project:bitbucket"), handler: (*call).getProject},
		{method: put, pattern: "/workspaces/{ws}/projects/{key}", scopes: scopes("project:admin", "admin:project:bitbucket"), place: member, handler: (*call).putProject},
		{method: del, pattern: "/workspaces/{ws}/projects/{key}", scopes: scopes("project:admin", "admin:project:bitbucket"), place: owner, handler: (*call).deleteProject},

		{method: get, pattern: "/workspaces/{ws}/hooks", scopes: scopes("webhook", "read:webhook:bitbucket"), place: owner, handler: hooks().list},
		{method: post, pattern: "/workspaces/{ws}/hooks", scopes: scopes("webhook", "read:webhook:bitbucket", "write:webhook:bitbucket"), place: owner, handler: hooks().create},
		{method: get, pattern: "/workspaces/{ws}/hooks/{uid}", scopes: scopes("webhook", "read:webhook:bitbucket"), place: owner, handler: hooks().get},
		{method: put, pattern: "/workspaces/{ws}/hooks/{uid}", scopes: scopes("webhook", "read:webhook:bitbucket", "write:webhook:bitbucket"), place: owner, handler: hooks().put},
		{method: del, pattern: "/workspaces/{ws}/hooks/{uid}", scopes: scopes("webhook", "delete:webhook:bitbucket"), place: owner, handler: hooks().remove},

		{method: get, pattern: "/workspaces/{ws}/pipelines-config/variables", scopes: scopes("pipeline", "read:pipeline:bitbucket"), place: member, handler: variables().list},
		{method: post, pattern: "/workspaces/{ws}/pipelines-config/variables", scopes: scopes("pipeline:variable", "admin:pipeline:bitbucket"), place: owner, handler: variables().create},
		{method: get, pattern: "/workspaces/{ws}/pipelines-config/variables/{uuid}", scopes: scopes("pipeline", "read:pipeline:bitbucket"), place: member, handler: variables().get},
		{method: put, pattern: "/workspaces/{ws}/pipelines-config/variables/{uuid}", scopes: scopes("pipeline:variable", "admin:pipeline:bitbucket"), place: owner, handler: variables().put},
		{method: del, pattern: "/workspaces/{ws}/pipelines-config/variables/{uuid}", scopes: scopes("pipeline:variable", "admin:pipeline:bitbucket"), place: owner, handler: variables().remove},

		{method: get, pattern: "/repositories/{ws}", scopes: scopes("repository", "read:repository:bitbucket"), anonymous: true, handler: (*call).listRepositories},
		{method: get, pattern: "/repositories/{ws}/{repo}", scopes: scopes("repository", "read:repository:bitbucket"), anonymous: true, handler: (*call).getRepository},
		{method: post, pattern: "/repositories/{ws}/{repo}", scopes: scopes("repository:admin", "admin:repository:bitbucket"), handler: (*call).createRepository},
		{method: put, pattern: "/repositories/{ws}/{repo}", scopes: scopes("repository:admin", "admin:repository:bitbucket"), handler: (*call).putRepository},
		{method: del, pattern: "/repositories/{ws}/{repo}", scopes: scopes("repository:delete", "delete:repository:bitbucket"), handler: (*call).deleteRepository},
		{method: get, pattern: "/repositories/{ws}/{repo}/hooks", scopes: scopes("webhook", "read:webhook:bitbucket"), handler: hooks().list},
		{method: post, pattern: "/repositories/{ws}/{repo}/hooks", scopes: scopes("webhook", "read:webhook:bitbucket", "write:webhook:bitbucket"), handler: hooks().create},
		{method: get, pattern: "/repositories/{ws}/{repo}/hooks/{uid}", scopes: scopes("webhook", "read:webhook:bitbucket"), handler: hooks().get},
		{method: put, pattern: "/repositories/{ws}/{repo}/hooks/{uid}", scopes: scopes("webhook", "read:webhook:bitbucket", "write:webhook:bitbucket"), handler: hooks().put},
		{method: del, pattern: "/repositories/{ws}/{repo}/hooks/{uid}", scopes: scopes("webhook", "delete:webhook:bitbucket"), handler: hooks().remove},

		{method: get, pattern: "/snippets/{ws}", scopes: scopes("snippet", "read:snippet:bitbucket"), anonymous: true, handler: (*call).listSnippets},
		{method: post, pattern: "/snippets/{ws}", scopes: scopes("snippet:write", "read:snippet:bitbucket", "write:snippet:bitbucket"), place: member, handler: (*call).createSnippet},
		{method: get, pattern: "/snippets/{ws}/{id}", scopes: scopes("snippet", "read:snippet:bitbucket"), anonymous: true, handler: (*call).getSnippet},
		{method: put, pattern: "/snippets/{ws}/{id}", scopes: scopes("snippet:write", "read:snippet:bitbucket", "write:snippet:bitbucket"), handler: (*call).putSnippet},
		{method: del, pattern: "/snippets/{ws}/{id}", scopes: scopes("snippet:write", "delete:snippet:bitbucket"), handler: (*call).deleteSnippet},
		{method: get, pattern: "/snippets/{ws}/{id}/{revision}/files/{path...}", scopes: scopes("snippet", "read:snippet:bitbucket"), anonymous: true, handler: (*call).getFile},

		{method: get, pattern: "/hook_events", anonymous: true, handler: (*call).getHookEvents},
		{method: get, pattern: "/hook_events/{subject}", anonymous: true, handler: eventsOfSubject().list},

		{method: get, pattern: "/addon/linkers", app: true, handler: linkers().list},

		{method: get, pattern: "/repositories", anonymous: true, handler: (*call).gone},
		{method: get, pattern: "/workspaces", anonymous: true, handler: (*call).gone},
		{method: get, pattern: "/user/permissions/workspaces", anonymous: true, handler: (*call).gone},
		{method: get, pattern: "/user/permissions/repositories", anonymous: true, handler: (*call).gone},
	}
	for i := range t {
		t[i].segments = strings.Split(strings.Trim(t[i].pattern, "/"), "/")
	}
	return t
}

// public is whether the route leads to things that may be public although
// their workspace is private.
func (r *route) public() bool {
	return strings.HasPrefix(r.pattern, "/repositories/") || strings.HasPrefix(r.pattern, "/snippets/")
}

// route finds the line of the table for the call and fills in its parameters.
func (c *call) route() (*route, error) {
	segments, ok := unescape(c.path)
	if !ok {
		return nil, noRoute(c.server.options.PlainErrors)
	}
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var pattern string // the first that matches decides; others only share its shape
	var allowed []string
	for i := range c.server.routes {
		r := &c.server.routes[i]
		params, ok := r.match(segments)
		if !ok || pattern != "" && pattern != r.pattern {
			continue
		}
		pattern = r.pattern
		if r.method == method {
			c.params = params
			return r, nil
		}
		allowed = append(allowed, r.method)
	}
	if allowed == nil {
		return nil, noRoute(c.server.options.PlainErrors)
	}
	f := fail(http.StatusMethodNotAllowed, "Method not allowed")
	f.header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
	return nil, f
}

func (r *route) match(segments []string) (map[string]string, bool) {
	last := r.segments[len(r.segments)-1]
	rest := strings.HasSuffix(last, "...}")
	if len(segments) != len(r.segments) && (!rest || len(segments) < len(r.segments)) {
		return nil, false
	}
	var params map[string]string
	for i, want := range r.segments {
		if !strings.HasPrefix(want, "{") {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		if segments[i] == "" {
			return nil, false
		}
		if params == nil {
			params = map[string]string{}
		}
		if rest && i == len(r.segments)-1 {
			params[strings.Trim(want, "{.}")] = strings.Join(segments[i:], "/")
			break
		}
		params[strings.Trim(want, "{}")] = segments[i]
	}
	return params, true
}

// gone answers for the lists across workspaces, which were removed on
// 14 April 2026.
func (c *call) gone() (*answer, error) {
	return nil, failDoubled(http.StatusGone, messageGone, detailGone, object{{"announcement_url", urlGone}})
}

// A Route is one thing the sandbox serves.
type Route struct {
	Method string
	Path   string   // below /2.0, with parameters in braces
	Scopes []string // in both vocabularies; all of one of them are needed
}

// Routes lists what the sandbox serves below /2.0.
func (s *Server) Routes() []Route {
	routes := make([]Route, len(s.routes))
	for i, r := range s.routes {
		routes[i] = Route{Method: r.method, Path: r.pattern, Scopes: slices.Clone(r.scopes)}
	}
	return routes
}
