package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

const messageSlugTaken = "Repository with this Slug and Owner already exists."

func noRepository(ws *workspace, name string) *failure {
	return notFound("Repository " + ws.slug + "/" + name + " not found")
}

// repository finds the one in the path and checks that the caller may do as
// much to it as asked. What is private and not the caller's is hidden: half of
// it answers 403 and half 404, since Bitbucket does either.
func (c *call) repository(need level) (*repository, error) {
	r := c.ws.repositories.find(c.param("repo"))
	if r == nil {
		if to := c.ws.repositories.movedTo(c.param("repo")); to != nil && c.ws.effective(c.who.user, to) != levelNone {
			return nil, c.moved(to)
		}
		return nil, noRepository(c.ws, c.param("repo"))
	}
	switch has := c.ws.effective(c.who.user, r); {
	case has == levelNone && r.number%2 == 0:
		return nil, noRepository(c.ws, c.param("repo"))
	case has == levelNone:
		return nil, forbidden(messageNoAccess)
	case has < need:
		return nil, forbidden("You need " + need.String() + " access to this repository.")
	}
	return r, nil
}

// moved sends the caller to where a renamed repository is now, whatever the
// method: the old path goes on leading to it until another takes its slug.
func (c *call) moved(to *repository) *failure {
	segments := strings.Split(strings.TrimPrefix(c.path, "/"), "/")
	segments[2] = to.slug // repositories, workspace, repository
	location := c.at.api + "/" + strings.Join(segments, "/")
	if query := c.request.URL.RawQuery; query != "" {
		location += "?" + query
	}
	f := failText(http.StatusMovedPermanently, "")
	f.header = http.Header{"Location": {location}}
	return f
}

func (c *call) getRepository() (*answer, error) {
	r, err := c.repository(levelRead)
	if err != nil {
		return nil, err
	}
	return c.repositoryAnswer(http.StatusOK, r, "")
}

func (c *call) repositoryAnswer(status int, r *repository, location string) (*answer, error) {
	a := &answer{status: status, body: newRepositoryWriter(c.at, c.ws).append(nil, r)}
	if location != "" {
		a.header = http.Header{"Location": {location}}
	}
	return a, nil
}

// maxSlug is where the slug of a repository is cut.
const maxSlug = 62

func repositorySlug(name string) string {
	slug := slugify(name)
	return strings.TrimRight(slug[:min(len(slug), maxSlug)], "-.")
}

// createRepository answers 200 where everything else that creates answers 201.
func (c *call) createRepository() (*answer, error) {
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	r, err := c.newRepository(doc)
	if err != nil {
		return nil, err
	}
	return c.repositoryAnswer(http.StatusOK, r, "")
}

func (c *call) newRepository(doc document) (*repository, error) {
	if !c.mayMakeProjects() {
		// A 400 and not a 403, as the document says.
		return nil, fail(http.StatusBadRequest, "You cannot create repositories in this workspace.")
	}
	name := c.param("repo")
	r := &repository{
		name: name, slug: repositorySlug(name), private: true, forkPolicy: "allow_forks",
		project: c.oldestProject(), parent: -1,
	}
	if r.slug == "" || strings.HasPrefix(name, "{") {
		return nil, invalid("slug", "not a valid repository slug")
	}
	if c.ws.repositories.find(r.slug) != nil {
		return nil, invalid("slug", messageSlugTaken)
	}
	if scm, _, err := doc.text("scm", invalid); err != nil {
		return nil, err
	} else if scm != nil && *scm != "git" {
		return nil, invalid("scm", "only git is supported")
	}
	change, err := c.repositoryChange(r, doc)
	if err != nil {
		return nil, err
	}
	slug := r.slug
	change(r)
	r.slug = slug // a name of its own does not move it
	r.created = c.server.now()
	r.updated = r.created
	c.ws.repositories.add(r)
	return r, nil
}

func (c *call) oldestProject() *project {
	if len(c.ws.projects) == 0 {
		return nil
	}
	return slices.MinFunc(c.ws.projects, func(a, b *project) int { return int(a.created - b.created) })
}

// putRepository creates the repository when the slug is not there. A changed
// name moves it: 201 and a Location, as when it creates.
func (c *call) putRepository() (*answer, error) {
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	if c.ws.repositories.find(c.param("repo")) == nil {
		if strings.HasPrefix(c.param("repo"), "{") {
			return nil, noRepository(c.ws, c.param("repo"))
		}
		r, err := c.newRepository(doc)
		if err != nil {
			return nil, err
		}
		return c.repositoryAnswer(http.StatusCreated, r, c.at.repositoryURL(c.ws, r))
	}
	r, err := c.repository(levelAdmin)
	if err != nil {
		return nil, err
	}
	change, err := c.repositoryChange(r, doc)
	if err != nil {
		return nil, err
	}
	edited := c.ws.repositories.edit(r, func(r *repository) {
		change(r)
		r.updated = c.server.now()
	})
	if edited.slug != r.slug {
		return c.repositoryAnswer(http.StatusCreated, edited, c.at.repositoryURL(c.ws, edited))
	}
	return c.repositoryAnswer(http.StatusOK, edited, "")
}

// repositoryChange validates what the document says and returns the change it
// asks for. Fields it does not name stay as they are.
func (c *call) repositoryChange(r *repository, doc document) (func(*repository), error) {
	edited := *r
	if name, set, err := doc.text("name", invalid); err != nil {
		return nil, err
	} else if set {
		if name == nil || slugify(*name) == "" {
			return nil, invalid("name", "this may not be empty")
		}
		edited.name = *name
		if *name != r.name {
			edited.slug = repositorySlug(*name)
		}
		if other := c.ws.repositories.find(edited.slug); r.uuid != "" && other != nil && other.number != r.number {
			return nil, invalid("name", messageSlugTaken)
		}
	}
	for field, into := range map[string]**string{"description": &edited.description, "website": &edited.website} {
		if value, set, err := doc.text(field, invalid); err != nil {
			return nil, err
		} else if set {
			*into = value
		}
	}
	if private, set, err := doc.flag("is_private", invalid); err != nil {
		return nil, err
	} else if set {
		edited.private = private
	}
	if language, set, err := doc.text("language", invalid); err != nil {
		return nil, err
	} else if set && language != nil {
		edited.language = *language
	}
	if policy, set, err := doc.text("fork_policy", invalid); err != nil {
		return nil, err
	} else if set {
		if policy == nil || !slices.Contains([]string{"allow_forks", "no_public_forks", "no_forks"}, *policy) {
			return nil, invalid("fork_policy", "not a valid choice")
		}
		edited.forkPolicy = *policy
	}
	if branch, err := doc.object("mainbranch", invalid); err != nil {
		return nil, err
	} else if branch != nil {
		name, _, err := branch.text("name", invalid)
		if err != nil || name == nil {
			return nil, invalid("mainbranch.name", "expected the name of a branch")
		}
		edited.mainbranch = *name
	}
	if err := c.applyRepositoryProject(&edited, doc); err != nil {
		return nil, err
	}
	return func(r *repository) { *r = edited }, nil
}

func (c *call) applyRepositoryProject(r *repository, doc document) error {
	p, err := doc.object("project", invalid)
	if err != nil {
		return err
	}
	key := ""
	for _, name := range []string{"key", "uuid"} {
		if value, _, err := p.text(name, invalid); err != nil {
			return err
		} else if value != nil {
			key = *value
		}
	}
	if p != nil {
		if r.project = c.ws.project(key); r.project == nil {
			return invalid("project", "No such project in this workspace.")
		}
	}
	if r.project == nil {
		return invalid("project", "The workspace has no project.")
	}
	if r.project.private && !r.private {
		return invalid("is_private", "Repositories of a private project cannot be public.")
	}
	return nil
}

// deleteRepository takes redirect_to, which changes a page for people and
// nothing in the API: a later GET is a 404 all the same.
func (c *call) deleteRepository() (*answer, error) {
	r, err := c.repository(levelAdmin)
	if err != nil {
		return nil, err
	}
	c.ws.repositories.remove(r)
	return nothing()
}
