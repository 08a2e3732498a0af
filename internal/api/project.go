package api

import (
	"slices"
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/setup"
)

// project is a project, in the contract's shape.
type project struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	AppName    string    `json:"appName"`
	OrgID      string    `json:"orgId"`
	CreateTime time.Time `json:"createTime"`
	UpdateTime time.Time `json:"updateTime,omitzero"`
	// AllowedOrigins is not of the published contract: see setup.CreateProjectRequest.
	AllowedOrigins []string      `json:"allowedOrigins,omitempty"`
	Entitlements   *entitlements `json:"entitlements,omitempty"`
}

// entitlements are what a plan of the hosted service would allow. There are no plans
// here: everything is allowed.
type entitlements struct {
	BrandingRemoval struct {
		Value bool `json:"value"`
	} `json:"brandingRemoval"`
}

func asProject(p windlass.Project) project {
	return project{
		ID: p.ID, Name: p.Name, AppName: p.AppName, OrgID: p.OrgID, AllowedOrigins: p.Origins,
		CreateTime: p.Created.UTC(), UpdateTime: p.Updated.UTC(),
	}
}

func (a *API) listProjects(c *call, p windlass.Page) (listed[project], error) {
	if !c.who.Everywhere {
		own, err := a.setup.Project(c.ctx(), c.who.ProjectID)
		if own.ID <= p.After {
			return listed[project]{items: []project{}}, err
		}
		return listed[project]{items: []project{asProject(own)}}, err
	}
	all, err := a.setup.Projects(c.ctx(), p)
	return asList(p, all, func(x windlass.Project) string { return x.ID }, asProject), err
}

func (a *API) createProject(c *call, r setup.CreateProjectRequest) (project, error) {
	made, err := a.setup.CreateProject(c.ctx(), r)
	return asProject(made), err
}

func (a *API) getProject(c *call) (project, error) {
	p := asProject(c.project)
	if c.flag("includeEntitlements") {
		p.Entitlements = &entitlements{}
		p.Entitlements.BrandingRemoval.Value = true
	}
	return p, nil
}

func (a *API) updateProject(c *call, r setup.UpdateProjectRequest) (project, error) {
	if !c.who.Everywhere && slices.Contains(r.UpdateMask, "name") {
		// Names are those of all projects: a key of one must not learn the others'.
		return project{}, &windlass.Error{
			Kind: windlass.Forbidden, Message: "only the operator of this server may rename a project",
			Remedy: "use the operator's key, or change appName",
		}
	}
	changed, err := a.setup.UpdateProject(c.ctx(), c.project.ID, r)
	return asProject(changed), err
}

func (a *API) deleteProject(c *call) error { return a.setup.DeleteProject(c.ctx(), c.project.ID) }

// createGroup and createConsumer may be repeated: published clients call them
// before every connection.
func (a *API) createGroup(c *call, r setup.GroupRequest) (group, error) {
	if err := c.who.MustBe(r.GroupRef, ""); err != nil {
		return group{}, err
	}
	kept, err := a.setup.KeepGroup(c.ctx(), c.project.ID, r, c.who.Access < auth.Server)
	return asGroup(kept), err
}

func (a *API) createConsumer(c *call, r setup.ConsumerRequest) (consumer, error) {
	if err := c.who.MustBe(c.who.GroupRef, r.ConsumerRef); err != nil {
		return consumer{}, err
	}
	kept, err := a.setup.KeepConsumer(c.ctx(), c.project.ID, r, c.who.Access < auth.Server)
	return asConsumer(kept), err
}

// each converts a list; the result is never null.
func each[From, To any](from []From, as func(From) To) []To {
	to := make([]To, len(from))
	for i := range from {
		to[i] = as(from[i])
	}
	return to
}
