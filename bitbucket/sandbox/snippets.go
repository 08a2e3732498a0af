package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// sees is whether the caller may see the snippet: private ones are for members
// of the workspace.
func (c *call) sees(s *snippet) bool {
	return !s.private || c.who.user != nil && s.ws.membership(c.who.user) != nil
}

// listSnippets takes role and nothing else.
func (c *call) listSnippets() (*answer, error) {
	role := c.query.Get("role")
	if role != "" && !slices.Contains([]string{"owner", "contributor", "member"}, role) {
		return nil, fail(http.StatusBadRequest, "Invalid role: "+role)
	}
	found := slices.DeleteFunc(slices.Clone(c.ws.snippets), func(s *snippet) bool { return !c.sees(s) || !c.plays(role, s) })
	return c.paged(10, len(found), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.at.snippet(found[i]))
	})
}

func (c *call) plays(role string, s *snippet) bool {
	u := c.who.user
	switch role {
	case "":
		return true
	case "owner":
		return u != nil && (s.owner == u || s.owner == nil && (s.creator == u || s.ws.person == u))
	default:
		return u != nil && s.ws.membership(u) != nil
	}
}

// snippet finds the one in the path.
func (c *call) snippet() (*snippet, error) {
	id := c.param("id")
	i := slices.IndexFunc(c.ws.snippets, func(s *snippet) bool { return s.id == id })
	if i < 0 {
		return nil, notFound("There is no snippet '" + id + "'.")
	}
	s := c.ws.snippets[i]
	switch {
	case c.sees(s):
		return s, nil
	case c.who.anonymous():
		return nil, c.server.access.loginRequired()
	default:
		return nil, forbidden("You do not have access to this snippet.")
	}
}

// ownSnippet is snippet for those who may change it: its creator, and owners
// of the workspace.
func (c *call) ownSnippet() (*snippet, error) {
	s, err := c.snippet()
	if err == nil && s.creator != c.who.user && !c.owner() {
		return nil, forbidden("You may not change this snippet.")
	}
	return s, err
}

func (c *call) getSnippet() (*answer, error) {
	s, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return reply(c.at.snippetWhole(s))
}

func (c *call) createSnippet() (*answer, error) {
	in, err := c.snippetInput()
	if err != nil {
		return nil, err
	}
	s := &snippet{
		ws: c.ws, id: snippetID(c.world().seed, 1<<32+c.world().number()),
		creator: c.who.user, created: c.server.now(), private: true,
	}
	s.updated = s.created
	if err := in.apply(s); err != nil {
		return nil, err
	}
	s.change(c.world().seed, s.created, in.files)
	c.ws.snippets = append(c.ws.snippets, s)
	return created(http.StatusCreated, c.at.snippetURL(s), c.at.snippetWhole(s))
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
		if _, there := s.files[name]; content == nil && !there {
			return nil, invalid("files", "There is no file '"+name+"' to delete.")
		}
	}
	if err := in.apply(s); err != nil {
		return nil, err
	}
	s.updated = c.server.now()
	if len(in.files) > 0 {
		s.change(c.world().seed, s.updated, in.files)
	}
	return reply(c.at.snippetWhole(s))
}

func (c *call) deleteSnippet() (*answer, error) {
	s, err := c.ownSnippet()
	if err != nil {
		return nil, err
	}
	c.ws.snippets = slices.DeleteFunc(c.ws.snippets, func(other *snippet) bool { return other == s })
	return nothing()
}

// getFile gives the contents of a file as it is now; older revisions are not kept.
func (c *call) getFile() (*answer, error) {
	s, err := c.snippet()
	if err != nil {
		return nil, err
	}
	if revision := c.param("revision"); revision != s.hash {
		return nil, notFound("There is no revision '" + revision + "'.")
	}
	name := c.param("path")
	content, ok := s.files[name]
	if !ok {
		return nil, notFound("There is no file '" + name + "'.")
	}
	return &answer{
		status: http.StatusOK, kind: "application/octet-stream", body: content,
		header: http.Header{"Content-Disposition": {`attachment; filename="` + strings.ReplaceAll(name, `"`, "") + `"`}},
	}, nil
}
