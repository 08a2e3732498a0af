package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func escapePath(name string) string { return (&url.URL{Path: name}).EscapedPath() }

// sees is whether the caller may see the snippet: private ones are for members
// of the workspace.
func (c *call) sees(s *snippet) bool {
	return !s.private || c.who.user != nil && s.ws.membership(c.who.user) != nil
}

// listSnippets takes role and nothing else. Without a workspace it lists what
// the caller owns, wherever that is.
func (c *call) listSnippets() (*answer, error) {
	role := c.query.Get("role")
	if role != "" && !slices.Contains([]string{"owner", "contributor", "member"}, role) {
		return nil, fail(http.StatusBadRequest, "Invalid role: "+role)
	}
	var found []*snippet
	for _, ws := range c.world().workspaces {
		if c.ws != nil && ws != c.ws {
			continue
		}
		for _, s := range ws.snippets {
			if c.sees(s) && c.plays(role, s) {
				found = append(found, s)
			}
		}
	}
	return c.paged(10, len(found), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.at.snippet(found[i]))
	})
}

func (c *call) plays(role string, s *snippet) bool {
	u := c.who.user
	switch {
	case role == "owner" || role == "" && c.ws == nil:
		return u != nil && (s.owner == u || s.owner == nil && (s.creator == u || s.ws.person == u))
	case role == "contributor" || role == "member":
		return u != nil && s.ws.membership(u) != nil
	}
	return true
}

// snippet finds the one in the path, with the revision if the path has one.
func (c *call) snippet() (*snippet, *commit, error) {
	id := c.param("id")
	i := slices.IndexFunc(c.ws.snippets, func(s *snippet) bool { return s.id == id })
	if i < 0 {
		return nil, nil, notFound("There is no snippet '" + id + "'.")
	}
	s := c.ws.snippets[i]
	if !c.sees(s) {
		if c.who.anonymous() {
			return nil, nil, c.server.access.loginRequired()
		}
		return nil, nil, forbidden("You do not have access to this snippet.")
	}
	at := s.head()
	if revision := c.param("revision"); revision != "" {
		if at = s.revision(revision); at == nil {
			return nil, nil, notFound("There is no revision '" + revision + "'.")
		}
	}
	return s, at, nil
}

// ownSnippet is snippet for those who may change it: its creator, and owners
// of the workspace. Only the latest revision can be changed.
func (c *call) ownSnippet() (*snippet, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	if s.creator != c.who.user && !c.owner() {
		return nil, forbidden("You may not change this snippet.")
	}
	if at != s.head() {
		return nil, fail(http.StatusMethodNotAllowed, "Only the latest revision can be changed.")
	}
	return s, nil
}

func (c *call) getSnippet() (*answer, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return c.snippetAnswer(http.StatusOK, s, at)
}

func (c *call) snippetAnswer(status int, s *snippet, at *commit) (*answer, error) {
	body := appendObject(nil, c.at.snippetAt(s, at))
	switch accept := c.request.Header.Get("Accept"); {
	case strings.HasPrefix(accept, "multipart/related"):
		return related(status, body, at)
	case strings.HasPrefix(accept, "multipart/form-data"):
		return formData(status, s, at)
	}
	return &answer{status: status, body: body}, nil
}

// createSnippet puts it into the workspace of the path, or the caller's own.
func (c *call) createSnippet() (*answer, error) {
	if c.ws == nil {
		if c.who.user == nil || c.who.user.personal == nil {
			return nil, forbidden("You have no workspace of your own.")
		}
		c.ws = c.who.user.personal
	}
	in, err := c.snippetInput()
	if err != nil {
		return nil, err
	}
	s := &snippet{
		ws: c.ws, id: snippetID(c.world().seed, 1<<32+c.world().number()),
		creator: c.who.user, created: c.server.now(), private: true, watchers: []*user{c.who.user},
	}
	s.updated = s.created
	if err := in.apply(s); err != nil {
		return nil, err
	}
	s.change(c.world().seed, c.who.user, s.created, in.files)
	c.ws.snippets = append(c.ws.snippets, s)
	a, err := c.snippetAnswer(http.StatusCreated, s, s.head())
	if err == nil {
		a.header = http.Header{"Location": {c.at.snippetURL(s)}}
	}
	return a, err
}

// putSnippet changes what the request names and leaves the rest.
func (c *call) putSnippet() (*answer, error) {
	s, err := c.ownSnippet()
	if err != nil {
		return nil, err
	}
	in, err := c.snippetInput()
	if err != nil {
		return nil, err
	}
	for name, content := range in.files {
		if _, there := s.head().files[name]; content == nil && !there {
			return nil, invalid("files", "There is no file '"+name+"' to delete.")
		}
	}
	if err := in.apply(s); err != nil {
		return nil, err
	}
	s.updated = c.server.now()
	if len(in.files) > 0 {
		s.change(c.world().seed, c.who.user, s.updated, in.files)
	}
	return c.snippetAnswer(http.StatusOK, s, s.head())
}

func (c *call) deleteSnippet() (*answer, error) {
	s, err := c.ownSnippet()
	if err != nil {
		return nil, err
	}
	c.ws.snippets = slices.DeleteFunc(c.ws.snippets, func(other *snippet) bool { return other == s })
	return nothing()
}

func (c *call) getLatestFile() (*answer, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	if _, ok := at.files[c.param("path")]; !ok {
		return nil, notFound("There is no file '" + c.param("path") + "'.")
	}
	return &answer{status: http.StatusFound, header: http.Header{"Location": {c.at.fileURL(s, at, c.param("path"))}}}, nil
}

func (c *call) getFile() (*answer, error) {
	_, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	name := c.param("path")
	content, ok := at.files[name]
	if !ok {
		return nil, notFound("There is no file '" + name + "'.")
	}
	return &answer{
		status: http.StatusOK, kind: mimeType(name), body: content,
		header: http.Header{"Content-Disposition": {`attachment; filename="` + strings.ReplaceAll(name, `"`, "") + `"`}},
	}, nil
}
