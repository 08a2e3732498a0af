package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"windlass/bitbucket/sandbox/internal/bbql"
)

func projectFields() bbql.Fields {
	return bbql.Fields{
		"updated_on": bbql.Time, "created_on": bbql.Time, "name": bbql.String, "key": bbql.String,
		"uuid": bbql.String, "description": bbql.String, "is_private": bbql.Bool,
	}
}

func (p *project) field(name string) any {
	switch name {
	case "updated_on":
		return p.updated.time()
	case "created_on":
		return p.created.time()
	case "name":
		return p.name
	case "key":
		return p.key
	case "uuid":
		return p.uuid
	case "description":
		return text(p.description)
	case "is_private":
		return p.private
	}
	return nil
}

// visible is whether the caller may see the project: everyone of the workspace
// may, others only the public ones.
func (c *call) visible(p *project) bool { return !p.private || c.member() }

func projects() listing[*project] {
	return listing[*project]{
		length: 50, wrap: envelopeFull,
		items: func(c *call) ([]*project, error) {
			projects := slices.DeleteFunc(slices.Clone(c.ws.projects), func(p *project) bool { return !c.visible(p) })
			if c.server.options.ProjectsIgnoreQ {
				return projects, nil
			}
			return choose(c, filterable[*project]{fields: projectFields(), get: (*project).field}, projects)
		},
		body: func(c *call, p *project) object { return c.at.project(p) },
	}
}

// project finds the one in the path, nil when there is none to be seen.
func (c *call) project() *project {
	key := c.param("key")
	if strings.HasPrefix(key, "{") && c.server.options.ProjectKeysOnly {
		return nil
	}
	if p := c.ws.project(key); p != nil && c.visible(p) {
		return p
	}
	return nil
}

func (c *call) noProject() error {
	return notFound("No project with key '" + c.param("key") + "' in this workspace.")
}

func (c *call) getProject() (*answer, error) {
	p := c.project()
	if p == nil {
		return nil, c.noProject()
	}
	return reply(c.at.project(p))
}

// mayMakeProjects: owners and those with the permission of that name.
func (c *call) mayMakeProjects() bool {
	m := c.ws.membership(c.who.user)
	return m != nil && (m.permission == "owner" || m.permission == "create-project")
}

func (c *call) createProject() (*answer, error) {
	if !c.mayMakeProjects() {
		return nil, forbidden("You may not create projects in this workspace.")
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	if doc["key"] == nil {
		return nil, badRequest("key", required)
	}
	return c.addProject(doc)
}

func (c *call) addProject(doc document) (*answer, error) {
	if doc["name"] == nil {
		return nil, badRequest("name", required)
	}
	p := &project{ws: c.ws}
	if err := c.applyProject(p, doc); err != nil {
		return nil, err
	}
	p.uuid = uuidOf(c.world().seed, kindProject, 1<<32+c.world().number())
	p.created = c.server.now()
	p.updated = p.created
	c.ws.projects = append(c.ws.projects, p)
	return created(http.StatusCreated, c.at.projectURL(p), c.at.project(p))
}

// putProject creates the project when the key is not there, as Bitbucket does;
// only a UUID or a key that could not be one is a 404.
func (c *call) putProject() (*answer, error) {
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	p := c.project()
	if p == nil {
		if strings.HasPrefix(c.param("key"), "{") || c.ws.project(c.param("key")) != nil {
			return nil, c.noProject()
		}
		if !c.mayMakeProjects() {
			return nil, forbidden("You may not create projects in this workspace.")
		}
		doc["key"] = c.param("key")
		return c.addProject(doc)
	}
	if !c.owner() {
		return nil, forbidden("You may not administer this project.")
	}
	edited := *p
	if err := c.applyProject(&edited, doc); err != nil {
		return nil, err
	}
	edited.updated = c.server.now()
	moved := edited.key != p.key
	*p = edited
	if moved {
		return created(http.StatusOK, c.at.projectURL(p), c.at.project(p))
	}
	return reply(c.at.project(p))
}

// applyProject validates what the document says and writes it into p.
func (c *call) applyProject(p *project, doc document) error {
	key, set, err := doc.text("key", badRequest)
	if err != nil {
		return err
	}
	if set {
		if key == nil || !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,127}$`).MatchString(*key) {
			return badRequest("key", "not a valid project key")
		}
		if other := c.ws.project(*key); other != nil && other.uuid != p.uuid {
			return badRequest("key", "Project with this Key and Owner already exists.")
		}
		p.key = strings.ToUpper(*key)
	}
	name, set, err := doc.text("name", badRequest)
	if err != nil {
		return err
	}
	if set {
		if name == nil || strings.TrimSpace(*name) == "" {
			return badRequest("name", "this may not be empty")
		}
		p.name = *name
	}
	if description, set, err := doc.text("description", badRequest); err != nil {
		return err
	} else if set {
		p.description = description
	}
	if private, set, err := doc.flag("is_private", badRequest); err != nil {
		return err
	} else if set {
		p.private = private
	}
	return p.applyAvatar(doc)
}

func (p *project) applyAvatar(doc document) error {
	links, err := doc.object("links", badRequest)
	if err != nil || links == nil {
		return err
	}
	avatar, err := links.object("avatar", badRequest)
	if err != nil {
		return err
	}
	if avatar == nil {
		return badRequest("links.avatar", required)
	}
	image, _, err := avatar.text("href", badRequest)
	if err != nil {
		return err
	}
	if image == nil || !strings.HasPrefix(*image, "data:image/") && !strings.HasPrefix(*image, "http") {
		return badRequest("links.avatar.href", "expected a data URL or the URL of an image")
	}
	p.avatar = *image
	return nil
}

func (c *call) deleteProject() (*answer, error) {
	p := c.project()
	if p == nil {
		return nil, c.noProject()
	}
	if p.repositories > 0 {
		return nil, forbidden("Cannot delete a project that contains repositories.")
	}
	c.ws.projects = slices.DeleteFunc(c.ws.projects, func(other *project) bool { return other == p })
	return nothing()
}
